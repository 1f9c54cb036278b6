package securebedrock

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// duplexStep is the outermost step of a bidirectional call. It gives the caller one
// answer: the stream, the error of what failed, or the context's error.
//
// The SDK (bedrockruntime v1.63.11) runs the stack of
// InvokeModelWithBidirectionalStream on a goroutine. The caller waits without a bound
// on a channel in the context, to which the event stream step writes. A failure before
// that step would leave the caller waiting for ever.
type duplexStep struct {
	op  *operation
	sdk middleware.DeserializeMiddleware // the SDK's event stream step of this call's stack
	// spare makes that step with the client's own options. sdk has the caller's, whose
	// Protocol may be nil. spare is nil for a step that replies once.
	spare func(context.Context) middleware.DeserializeMiddleware

	answered atomic.Bool // the caller has the answer, or one goroutine is about to give it

	pipe atomic.Pointer[io.PipeReader] // what the SDK writes the caller's events into
	live atomic.Pointer[duplexWire]    // once it is sent
	kept any                           // what lives as long as this step
}

type duplexKey struct{}

func (*duplexStep) ID() string { return "securebedrock:duplex" }

func (d *duplexStep) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	out middleware.InitializeOutput, metadata middleware.Metadata, err error,
) {
	if duplexOf(ctx) == d { // the step stands in the stack twice
		return next.HandleInitialize(ctx, in)
	}
	ctx = context.WithValue(ctx, duplexKey{}, d)
	defer d.refuseAtEnd(ctx)()
	// The goroutine is the SDK's: nobody else can catch a panic of the
	// application's here, and it would end the process.
	returned := false
	defer func() {
		if v := recover(); v != nil {
			err = panicError("a step or a Middleware of the call", v)
		} else if !returned {
			err = errGoexit
		}
		if err != nil {
			d.refuse(ctx, err)
			if x := d.live.Load(); x != nil {
				x.cut(err) // the caller has the stream, and must not take the stream for whole
			}
		} else {
			d.give(ctx, out.Result, metadata)
		}
	}()
	out, metadata, err = next.HandleInitialize(ctx, in)
	returned = true
	return out, metadata, err
}

func duplexOf(ctx context.Context) *duplexStep {
	d, _ := ctx.Value(duplexKey{}).(*duplexStep)
	return d
}

// refuseAtEnd gives the caller the context's error when the context ends before the
// caller has an answer. A step of the application's may still hold the call.
func (d *duplexStep) refuseAtEnd(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { d.refuse(ctx, context.Cause(ctx)) })
}

// refuse gives the caller an error, unless the caller has an answer.
func (d *duplexStep) refuse(ctx context.Context, err error) {
	if d.answered.CompareAndSwap(false, true) {
		d.reply(ctx, bedrockruntime.PartialResult{Error: duplexError(err)})
	}
}

// give gives the caller the answer of an Options.Middleware, unless the caller has one.
func (d *duplexStep) give(ctx context.Context, result any, metadata middleware.Metadata) {
	if !d.answered.CompareAndSwap(false, true) {
		return
	}
	if !d.op.answers(result) {
		d.reply(ctx, bedrockruntime.PartialResult{Error: duplexError(&PolicyError{Rule: ErrConfig, Operation: d.op.name,
			Detail: "a middleware in the SDK's stack answered without a stream"})})
		return
	}
	d.reply(ctx, bedrockruntime.PartialResult{Output: result, Metadata: metadata})
}

// reply writes to the channel on which the SDK waits. Only the SDK knows the channel's
// key. So reply runs the SDK's own step with nothing behind that step, and takes the
// channel when the step asks for it. No step of the application's runs.
func (d *duplexStep) reply(ctx context.Context, answer bedrockruntime.PartialResult) {
	err := answer.Error
	if err == nil {
		err = errNoStream
	}
	waiting := channelOf(ctx, d.sdk, err)
	if waiting == nil && d.spare != nil {
		if own := d.spare(ctx); own != nil {
			waiting = channelOf(ctx, own, err)
		}
	}
	if waiting != nil {
		select {
		case waiting <- answer:
		default:
		}
	}
}

// channelOf returns the channel that the SDK's event stream step asks for; nil where the
// step comes to nothing, as with a Protocol that panics.
func channelOf(ctx context.Context, step middleware.DeserializeMiddleware, err error) chan bedrockruntime.PartialResult {
	// The step would sign with what the stack has resolved so far.
	k := &keyhole{Context: middleware.ClearStackValues(context.WithoutCancel(ctx))}
	nothing := deserializeFunc(func(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
		return middleware.DeserializeOutput{RawResponse: &smithyhttp.Response{Response: failedAnswer(err)}}, middleware.Metadata{}, nil
	})
	_, _, _ = new(smithyhttp.InitializeStreamWriter).HandleFinalize(k, middleware.FinalizeInput{Request: smithyhttp.NewStackRequest()},
		finalizeFunc(func(ctx context.Context, in middleware.FinalizeInput) (middleware.FinalizeOutput, middleware.Metadata, error) {
			pipe := pipeOf(in.Request)
			defer func() {
				if recover() != nil { // the answer says what was wrong with the call
					pipe.fail(io.ErrClosedPipe) // nobody writes to it or closes it
				}
			}()
			_, metadata, err := step.HandleDeserialize(ctx, middleware.DeserializeInput(in), nothing)
			pipe.discard()
			return middleware.FinalizeOutput{}, metadata, err
		}))
	return k.found
}

// keyhole is a context that sees the SDK look its channel up, and hides the channel
// from the step that asks.
type keyhole struct {
	context.Context //nolint:containedctx // a context whose Value is seen has to hold one; it ends with reply
	found           chan bedrockruntime.PartialResult
}

// Value implements context.Context.
func (k *keyhole) Value(key any) any {
	v := k.Context.Value(key)
	if c, ok := v.(chan bedrockruntime.PartialResult); ok {
		k.found = c
		return nil
	}
	return v
}
