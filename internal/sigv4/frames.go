package sigv4

import (
	"bytes"
	"context"
	"crypto/hmac"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/eventstream"
)

// Frames reads the frames of a request. An outer frame signs each of them, in a chain
// that begins with the request's signature. An outer frame without payload ends the
// stream.
type Frames struct {
	body    io.Reader
	signer  *v4.StreamSigner
	decoder *eventstream.Decoder
	ended   bool
}

// NewFrames reads the frames of the body of a request that has passed Match. It reads
// none of any other request.
func NewFrames(body io.Reader, c *Claim) *Frames {
	if c.secret == nil {
		return &Frames{body: body}
	}
	creds := aws.Credentials{SecretAccessKey: c.secret.secret}
	return &Frames{
		body:    body,
		signer:  v4.NewStreamSigner(creds, c.Service, c.Region, c.signature),
		decoder: eventstream.NewDecoder(),
	}
}

// Next returns the next frame, without its signature. It returns io.EOF after the
// signed end of the stream: a body that ends before is io.ErrUnexpectedEOF.
func (f *Frames) Next(ctx context.Context) ([]byte, error) {
	if f.ended {
		return nil, io.EOF
	}
	if f.signer == nil {
		return nil, errors.New("the request is not authenticated")
	}
	outer, err := f.decoder.Decode(f.body, nil)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	date, ok := outer.Headers.Get(eventstream.DateHeader).(eventstream.TimestampValue)
	signature, signed := outer.Headers.Get(eventstream.ChunkSignatureHeader).(eventstream.BytesValue)
	if !ok || !signed {
		return nil, errors.New("a frame is not signed")
	}
	var headers bytes.Buffer
	var dateOnly eventstream.Headers
	dateOnly.Set(eventstream.DateHeader, date)
	if err := eventstream.EncodeHeaders(&headers, dateOnly); err != nil {
		return nil, err
	}
	want, err := f.signer.GetSignature(ctx, headers.Bytes(), outer.Payload, time.Time(date))
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(want, signature) {
		return nil, errors.New("the signature of a frame does not match")
	}
	if len(outer.Payload) == 0 {
		f.ended = true
		return nil, io.EOF
	}
	return outer.Payload, nil
}
