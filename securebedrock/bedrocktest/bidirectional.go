package bedrocktest

import (
	"bytes"
	"crypto/hmac"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"
)

const opBidirectional = "InvokeModelWithBidirectionalStream"

// bidirectional answers each chunk of input with a chunk that is the same, and
// ends when the input ends. Each frame's signature is verified.
func (s *Server) bidirectional(w http.ResponseWriter, r *request) error {
	if r.http.ProtoMajor < 2 {
		return invalid("InvokeModelWithBidirectionalStream needs HTTP/2.")
	}
	out := s.openStream(w, r, schemas.InvokeModelWithBidirectionalStreamOutput)
	in := newSignedFrames(r)
	for {
		chunk, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			out.end()
			return nil
		case err != nil:
			// The headers are gone: what remains is an exception.
			out.exception("validationException", err.Error())
			return nil
		}
		s.calls.update(func() { r.call.Body = append(r.call.Body, chunk...) })
		if !out.write(event{schemas.InvokeModelWithBidirectionalStreamOutput_chunk, &types.InvokeModelWithBidirectionalStreamOutputMemberChunk{
			Value: types.BidirectionalOutputPayloadPart{Bytes: chunk},
		}}) {
			return nil
		}
	}
}

// signedFrames reads the frames of a request. Each is the payload of an outer
// frame that signs it, in a chain that begins with the request's signature; an
// outer frame without payload is the end.
type signedFrames struct {
	r       *request
	signer  *v4.StreamSigner
	decoder *eventstream.Decoder
}

func newSignedFrames(r *request) *signedFrames {
	creds := aws.Credentials{SecretAccessKey: r.auth.key.secret}
	return &signedFrames{
		r:       r,
		signer:  v4.NewStreamSigner(creds, r.auth.service, r.auth.region, r.auth.signature),
		decoder: eventstream.NewDecoder(),
	}
}

// next returns the content of the next chunk, or io.EOF.
func (f *signedFrames) next() ([]byte, error) {
	outer, err := f.decoder.Decode(f.r.http.Body, nil)
	if err != nil {
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
	want, err := f.signer.GetSignature(f.r.http.Context(), headers.Bytes(), outer.Payload, time.Time(date))
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(want, signature) {
		return nil, errors.New("the signature of a frame does not match")
	}
	if len(outer.Payload) == 0 {
		return nil, io.EOF
	}
	inner, err := f.decoder.Decode(bytes.NewReader(outer.Payload), nil)
	if err != nil {
		return nil, err
	}
	var part types.BidirectionalInputPayloadPart
	err = decode(inner.Payload, func(d smithy.ShapeDeserializer) error { return part.Deserialize(d) })
	return part.Bytes, err
}
