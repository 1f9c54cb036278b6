package securebedrock

import (
	"context"
	"errors"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// answerOf is the answer of the steps behind. Where one of them holds the call after
// its context has ended, answerOf waits a moment for steps that heed the context, and
// answers with the context's error.
func answerOf(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	type answer struct {
		out      middleware.DeserializeOutput
		metadata middleware.Metadata
		err      error
	}
	got := make(chan answer, 1)
	go func() {
		a := answer{err: errGoexit}
		defer func() { got <- a }()
		a.out, a.metadata, a.err = runStepsBehind(ctx, in, next)
	}()
	late := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(closeGrace, func() { close(late) }) })
	defer stop()
	select {
	case a := <-got:
		return a.out, a.metadata, a.err
	case <-late:
	}
	go func() {
		if r, ok := (<-got).out.RawResponse.(*smithyhttp.Response); ok && r != nil && r.Response != nil && r.Body != nil {
			_ = r.Body.Close()
		}
	}()
	return middleware.DeserializeOutput{}, middleware.Metadata{}, context.Cause(ctx)
}

// runStepsBehind runs the steps behind. Steps that panic, or answer without a body, are
// an error.
func runStepsBehind(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, metadata middleware.Metadata, err error,
) {
	defer func() {
		if v := recover(); v != nil {
			err = panicError("a step of the call", v)
		}
		if r, ok := out.RawResponse.(*smithyhttp.Response); err == nil && (!ok || r == nil || r.Response == nil || r.Body == nil) {
			err = errNoStream
		}
	}()
	return next.HandleDeserialize(ctx, in)
}

var errNoStream = errors.New("securebedrock: a middleware in the SDK's stack answered without a stream")
