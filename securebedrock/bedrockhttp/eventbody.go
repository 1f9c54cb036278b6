package bedrockhttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// eventBody is the body of a streamed answer. It takes one event of the client's stream
// at a time, so that nothing is held back and a slow reader slows the model's stream.
// next and Read are for one goroutine; Close may be called by another.
type eventBody struct {
	receive func() (event any, ok bool, err error)
	fault   func() error // of the client's stream, once it has ended
	stop    func() error

	// needsStop: the stream is a ConverseStream that has had no messageStop. The client
	// sees to that itself, except where a Middleware has answered with another client's
	// stream.
	needsStop bool

	encoder *wire.EventEncoder
	rest    []byte // encoded, and not yet read
	frame   []byte // the memory of rest
	err     error  // after rest

	closed atomic.Bool
	once   sync.Once
}

// source is what the SDK's event streams have in common.
type source[E any] interface {
	Events() <-chan E
	Err() error
	Close() error
}

// streamAnswer is the answer that carries a stream.
func streamAnswer[E any, S interface {
	comparable
	source[E]
}](ctx context.Context, out smithy.Serializable, metadata *middleware.Metadata, stream S) (*answer, error) {
	var none S
	if stream == none {
		return nil, errors.New("bedrockhttp: the call answered without a stream")
	}
	a, err := answerOf(out, metadata)
	if err != nil {
		stream.Close()
		return nil, err
	}
	a.body = nil
	a.header.Set("Content-Type", wire.EventStreamType)
	a.events = newEventBody(ctx, stream)
	_, a.events.needsStop = any(out).(*bedrockruntime.ConverseStreamOutput)
	return a, nil
}

func errNoStop() error {
	return &securebedrock.PolicyError{Rule: securebedrock.ErrStreamTruncated, Operation: "ConverseStream", Detail: "it ended without messageStop"}
}

func newEventBody[E any](ctx context.Context, stream source[E]) *eventBody {
	return &eventBody{
		encoder: wire.NewEventEncoder(),
		fault:   stream.Err,
		stop:    stream.Close,
		receive: func() (any, bool, error) {
			select {
			case event, ok := <-stream.Events():
				return event, ok, nil
			case <-ctx.Done():
				return nil, false, context.Cause(ctx)
			}
		},
	}
}

// next appends the next frame to dst. The error is io.EOF after the last frame, which is
// an exception's where the client's stream ended with an error. Another error is that of
// the caller's context, or http.ErrBodyReadAfterClose.
func (b *eventBody) next(dst []byte) ([]byte, error) {
	if b.err != nil {
		return dst, b.err
	}
	event, ok, err := b.receive()
	switch {
	case b.closed.Load(): // the stream ends without an error where it was closed
		b.err = http.ErrBodyReadAfterClose
		return dst, b.err
	case err != nil:
		b.err = err
		return dst, err
	case ok:
		if dst, err = b.encode(dst, event); err == nil {
			return dst, nil
		}
	default:
		if err = b.fault(); err == nil && b.needsStop {
			err = errNoStop()
		}
	}
	b.err = io.EOF
	if err == nil {
		return dst, io.EOF
	}
	frame, err := exceptionFrame(err)
	if err != nil {
		b.err = err
	}
	return append(dst, frame...), err
}

func (b *eventBody) encode(dst []byte, event any) ([]byte, error) {
	if _, ok := event.(*types.ConverseStreamOutputMemberMessageStop); ok {
		b.needsStop = false
	}
	frame, err := b.encoder.AppendEvent(dst, event)
	if err != nil {
		return dst, unusable(err)
	}
	return frame, nil
}

// Read implements io.Reader. It gives the bytes of at most one event.
func (b *eventBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(b.rest) == 0 {
		var err error
		if b.frame, err = b.next(b.frame[:0]); err != nil {
			return 0, err
		}
		b.rest = b.frame
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close ends the client's stream.
func (b *eventBody) Close() error {
	b.once.Do(func() {
		b.closed.Store(true)
		_ = b.stop() // its error is the reader's
	})
	return nil
}
