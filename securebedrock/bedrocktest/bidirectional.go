package bedrocktest

import (
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// bidirectional answers each chunk of input with the same chunk, and ends when the
// input ends. It verifies the signature of each frame.
func bidirectional(calls *recorder) func(*responder, *request) error {
	return func(w *responder, r *request) error {
		if r.http.ProtoMajor < 2 {
			return wire.Invalid("InvokeModelWithBidirectionalStream needs HTTP/2.")
		}
		out := openStream(w)
		in := sigv4.NewFrames(r.http.Body, r.signer)
		for {
			chunk, err := nextChunk(r, in)
			switch {
			case errors.Is(err, io.EOF):
				out.end()
				return nil
			case err != nil:
				// The headers have been sent. Only an exception can tell the client.
				out.exception("validationException", err.Error())
				return nil
			}
			calls.update(func() { r.call.Body = append(r.call.Body, chunk...) })
			if !out.write(&types.InvokeModelWithBidirectionalStreamOutputMemberChunk{
				Value: types.BidirectionalOutputPayloadPart{Bytes: chunk},
			}) {
				return nil
			}
		}
	}
}

// nextChunk returns the content of the next frame, or io.EOF.
func nextChunk(r *request, in *sigv4.Frames) ([]byte, error) {
	frame, err := in.Next(r.http.Context())
	if err != nil {
		return nil, err
	}
	return wire.DecodeInputChunk(frame)
}
