package bedrockhttp

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// frameSource gives the frames that a bidirectional request carries, without the outer
// frames that sign them, and io.EOF after the last.
type frameSource interface {
	Next(ctx context.Context) ([]byte, error)
}

// bidirectional makes a call whose input goes on after its answer has begun. body is
// closed when the answer is.
func bidirectional(ctx context.Context, c *securebedrock.Client, in any, frames frameSource, body io.Closer) (*answer, error) {
	params, ok := in.(*bedrockruntime.InvokeModelWithBidirectionalStreamInput)
	if !ok {
		return nil, errInput(in)
	}
	inner, cancel := context.WithCancelCause(ctx)
	out, err := c.InvokeModelWithBidirectionalStream(inner, params)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	a, err := streamAnswer(ctx, out, &out.ResultMetadata, out.GetStream())
	if err != nil {
		cancel(nil)
		return nil, err
	}
	p := &inputPump{frames: frames, body: body, stream: out.GetStream(), cancel: cancel}
	fault, stop := a.events.fault, a.events.stop
	a.events.fault = func() error {
		if err := p.err.Load(); err != nil {
			return *err
		}
		return fault()
	}
	a.events.stop = func() error {
		body.Close() // ends a Next that waits
		err := stop()
		cancel(nil)
		return err
	}
	go p.run(inner)
	return a, nil
}

// inputPump sends what the caller says to the client's stream.
type inputPump struct {
	frames frameSource
	body   io.Closer
	stream *bedrockruntime.InvokeModelWithBidirectionalStreamEventStream
	cancel context.CancelCauseFunc
	err    atomic.Pointer[error] // of the input
}

// run ends when the input does, or when nobody takes the input any more.
func (p *inputPump) run(ctx context.Context) {
	defer p.body.Close() // frees a caller that still writes
	for {
		chunk, err := p.next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			_ = p.stream.Writer.Close() // the model still answers
			return
		case ctx.Err() != nil:
			return
		case err != nil:
			// The input stops in the middle. The model must not take that for its end.
			var fault error = inputError(err)
			p.err.Store(&fault)
			p.cancel(fault)
			_ = p.stream.Close()
			return
		}
		if err := p.stream.Send(ctx, &types.InvokeModelWithBidirectionalStreamInputMemberChunk{
			Value: types.BidirectionalInputPayloadPart{Bytes: chunk},
		}); err != nil {
			return // the stream has ended, and its own error says why
		}
	}
}

func (p *inputPump) next(ctx context.Context) ([]byte, error) {
	frame, err := p.frames.Next(ctx)
	if err != nil {
		return nil, err
	}
	return wire.DecodeInputChunk(frame)
}

// inputError is what the caller is told of an input that cannot be read.
func inputError(err error) *wire.Error {
	var own *wire.Error
	if errors.As(err, &own) {
		return own
	}
	return wire.Invalid("securebedrock: the input stream cannot be read: a frame is torn, malformed, or signed by nobody known here")
}

// needsHTTP2 is the refusal of a bidirectional request that came over HTTP/1.
func needsHTTP2() *wire.Error {
	return wire.Invalid("securebedrock: %s needs HTTP/2, over TLS or with prior knowledge; HTTP/1 cannot carry both directions at once", wire.Bidirectional)
}
