package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The SDK (bedrockruntime v1.63.11) runs the stack of
// InvokeModelWithBidirectionalStream on a goroutine, and its caller waits on a
// channel in the context, without a bound, for the event stream step to write
// there. Whatever fails before that step leaves the caller waiting for ever.
//
// duplexStep is the outermost step. It sees to it that the caller gets one
// answer: the stream, or the error of what failed, or of the context.
type duplexStep struct {
	op  *operation
	sdk middleware.DeserializeMiddleware // the SDK's event stream step of this call's stack

	answered atomic.Bool // the caller has his answer, or one goroutine is about to give it

	pipe atomic.Pointer[io.PipeReader] // what the SDK writes the caller's events into
	live atomic.Pointer[duplexWire]    // once it is sent
	kept any                           // what lives as long as this step
}

type duplexKey struct{}

// installDuplex puts the steps of a bidirectional call into its stack.
func installDuplex(stack *middleware.Stack, op *operation) (*duplexStep, error) {
	sdk, ok := stack.Deserialize.Get(eventStreamStep)
	if !ok {
		return nil, fmt.Errorf("securebedrock: the SDK's stack has no %s", eventStreamStep)
	}
	build, ok := stack.Build.Get(eventStreamBuild)
	if !ok {
		return nil, fmt.Errorf("securebedrock: the SDK's stack has no %s", eventStreamBuild)
	}
	d := &duplexStep{op: op, sdk: sdk}
	_, swapErr := stack.Deserialize.Swap(eventStreamStep, &handStep{d})
	_, buildErr := stack.Build.Swap(eventStreamBuild, &replyStep{build})
	writer, ok := stack.Finalize.Get(eventStreamWriter)
	if !ok {
		return nil, fmt.Errorf("securebedrock: the SDK's stack has no %s", eventStreamWriter)
	}
	_, writerErr := stack.Finalize.Swap(eventStreamWriter, &writerStep{d, writer})
	return d, errors.Join(swapErr, buildErr, writerErr, stack.Initialize.Add(d, middleware.Before))
}

func (*duplexStep) ID() string { return "securebedrock:duplex" }

func (d *duplexStep) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	out middleware.InitializeOutput, metadata middleware.Metadata, err error,
) {
	if duplexOf(ctx) == d { // it stands in the stack twice
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
				x.cut(err) // the caller has the stream, and must not take it for whole
			}
		} else {
			d.give(ctx, out.Result, metadata)
		}
	}()
	out, metadata, err = next.HandleInitialize(ctx, in)
	returned = true
	return out, metadata, err
}

// refuseOutsideGuard answers a bidirectional call on the Runtime client out of whose
// options somebody took the guard, and with it every step of ours.
func refuseOutsideGuard(ctx context.Context, inner *bedrockruntime.Client) error {
	err := bypassed(duplexOperation, "a per-call option took the guard out of the stack")
	errStop := errors.New("the stack is not to be run")
	var sdk middleware.DeserializeMiddleware
	_, _ = inner.InvokeModelWithBidirectionalStream(ctx, nil, func(o *bedrockruntime.Options) {
		o.APIOptions = []func(*middleware.Stack) error{func(s *middleware.Stack) error {
			sdk, _ = s.Deserialize.Get(eventStreamStep)
			return errStop
		}}
	})
	if sdk != nil {
		(&duplexStep{sdk: sdk}).refuse(ctx, err)
	}
	return err
}

func duplexOf(ctx context.Context) *duplexStep {
	d, _ := ctx.Value(duplexKey{}).(*duplexStep)
	return d
}

// refuseAtEnd gives the caller the context's error when it ends before he has an
// answer, whatever step of the application's still holds the call.
func (d *duplexStep) refuseAtEnd(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { d.refuse(ctx, context.Cause(ctx)) })
}

// refuse gives the caller an error, unless he has an answer.
func (d *duplexStep) refuse(ctx context.Context, err error) {
	if d.answered.CompareAndSwap(false, true) {
		d.reply(ctx, bedrockruntime.PartialResult{Error: duplexError(err)})
	}
}

// give gives the caller the answer of an Options.Middleware, unless he has one.
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

// reply writes to the channel on which the SDK waits. Only the SDK knows its key,
// so its own step is run for once with nothing behind it, and asked for the
// channel on the way. No step of the application's is passed.
func (d *duplexStep) reply(ctx context.Context, answer bedrockruntime.PartialResult) {
	err := answer.Error
	if err == nil {
		err = errNoStream
	}
	k := &keyhole{Context: context.WithoutCancel(ctx)}
	dead := deserializeFunc(func(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
		return middleware.DeserializeOutput{RawResponse: &smithyhttp.Response{Response: deadAnswer(err)}}, middleware.Metadata{}, nil
	})
	_, _, _ = new(smithyhttp.InitializeStreamWriter).HandleFinalize(k, middleware.FinalizeInput{Request: smithyhttp.NewStackRequest()},
		finalizeFunc(func(ctx context.Context, in middleware.FinalizeInput) (middleware.FinalizeOutput, middleware.Metadata, error) {
			pipe := pipeOf(in.Request)
			_, metadata, err := d.sdk.HandleDeserialize(ctx, middleware.DeserializeInput(in), dead)
			pipe.discard()
			return middleware.FinalizeOutput{}, metadata, err
		}))
	if k.found != nil {
		select {
		case k.found <- answer:
		default:
		}
	}
}

// keyhole is a context that sees the SDK's channel being looked up, and hides it
// from the step that asks.
type keyhole struct {
	context.Context
	found chan bedrockruntime.PartialResult
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

// writerStep stands in the place of the SDK's step that makes the pipe, and closes
// it where a step behind fails. The stream's error is what that step says, and not
// that the pipe is closed: so the exchange is cut first.
type writerStep struct {
	d   *duplexStep
	sdk middleware.FinalizeMiddleware
}

func (*writerStep) ID() string { return eventStreamWriter }

func (s *writerStep) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	return s.sdk.HandleFinalize(ctx, in, finalizeFunc(func(ctx context.Context, in middleware.FinalizeInput) (middleware.FinalizeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleFinalize(ctx, in)
		if x := s.d.live.Load(); x != nil && err != nil {
			x.cut(err)
		}
		return out, metadata, err
	}))
}

// handStep stands in the place of the SDK's event stream step, which hands the
// stream to the caller before it sends the request. From then on a failure must
// end that stream: the SDK itself leaves it open.
type handStep struct{ d *duplexStep }

func (*handStep) ID() string { return eventStreamStep }

func (s *handStep) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	d := s.d
	if !d.answered.CompareAndSwap(false, true) {
		err := context.Cause(ctx)
		if err == nil {
			err = &PolicyError{Rule: ErrConfig, Operation: d.op.name,
				Detail: "the call was already sent, and its caller writes to the first request; a bidirectional call is sent once"}
		}
		return middleware.DeserializeOutput{}, middleware.Metadata{}, &onceError{err}
	}
	var failed error
	handed := false
	out, metadata, err := d.sdk.HandleDeserialize(ctx, in, deserializeFunc(func(ctx context.Context, in middleware.DeserializeInput) (
		middleware.DeserializeOutput, middleware.Metadata, error,
	) {
		handed = true
		pipe := pipeOf(in.Request)
		d.pipe.Store(pipe.r)
		out, metadata, err := answerOf(ctx, in, next)
		if err != nil {
			failed = err
			pipe.fail(duplexError(failed))
			out = middleware.DeserializeOutput{RawResponse: &smithyhttp.Response{Response: deadAnswer(err)}}
		} else if r, ok := out.RawResponse.(*smithyhttp.Response); ok {
			r.Body = copiedBody{r.Body} // outermost: a step behind may have wrapped the observer's
		}
		return out, metadata, nil
	}))
	if !handed {
		d.answered.Store(false) // duplexStep will say why
		return out, metadata, err
	}
	if failed != nil {
		err = &onceError{failed}
	}
	stream, ok := middleware.GetEventStreamOutputToMetadata[bedrockruntime.InvokeModelWithBidirectionalStreamOutput](&metadata)
	if ok && failed != nil {
		endSending(stream.GetStream())
	}
	if ex := exchangeOf(ctx); ok && ex != nil {
		ex.result.made = eventStreamOf(stream)
	}
	return out, metadata, err
}

// endSending waits until the stream's writer has met the error of its pipe, which
// the SDK is about to close with another.
func endSending(es *bedrockruntime.InvokeModelWithBidirectionalStreamEventStream) {
	w, ok := es.Writer.(interface{ ErrorSet() <-chan struct{} })
	if ok {
		_ = es.Writer.Close()
		select {
		case <-w.ErrorSet():
		case <-time.After(closeGrace): // a step put another pipe in its place
		}
	}
}

// answerOf is the answer of the steps behind. Where one of them holds the call for
// longer than its context lives, and a moment for what heeds it, the answer is the
// context's error.
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
		a.out, a.metadata, a.err = behind(ctx, in, next)
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

// behind runs the steps behind. It is an error where they panic or answer without
// a body.
func behind(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
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

// onceError is an error of a bidirectional call that must not be sent again: the
// SDK leaves its caller with the writer of the first request.
type onceError struct{ err error }

func (e *onceError) Error() string        { return e.err.Error() }
func (e *onceError) Unwrap() error        { return e.err }
func (e *onceError) RetryableError() bool { return false }

// replyStep stands in the place of the SDK's build step, which reports each
// success as an error of its own ("unexpected type of result").
type replyStep struct{ sdk middleware.BuildMiddleware }

func (*replyStep) ID() string { return eventStreamBuild }

func (s *replyStep) HandleBuild(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
	middleware.BuildOutput, middleware.Metadata, error,
) {
	var below error
	out, metadata, _ := s.sdk.HandleBuild(ctx, in, buildFunc(func(ctx context.Context, in middleware.BuildInput) (out middleware.BuildOutput, metadata middleware.Metadata, err error) {
		out, metadata, below = next.HandleBuild(ctx, in)
		return out, metadata, below
	}))
	if below != nil {
		return out, metadata, below
	}
	stream, ok := middleware.GetEventStreamOutputToMetadata[bedrockruntime.InvokeModelWithBidirectionalStreamOutput](&metadata)
	if !ok {
		return out, metadata, errNoStream
	}
	out.Result = stream
	return out, metadata, nil
}

type (
	deserializeFunc func(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error)
	finalizeFunc    func(context.Context, middleware.FinalizeInput) (middleware.FinalizeOutput, middleware.Metadata, error)
	buildFunc       func(context.Context, middleware.BuildInput) (middleware.BuildOutput, middleware.Metadata, error)
)

func (f deserializeFunc) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
	return f(ctx, in)
}

func (f finalizeFunc) HandleFinalize(ctx context.Context, in middleware.FinalizeInput) (middleware.FinalizeOutput, middleware.Metadata, error) {
	return f(ctx, in)
}

func (f buildFunc) HandleBuild(ctx context.Context, in middleware.BuildInput) (middleware.BuildOutput, middleware.Metadata, error) {
	return f(ctx, in)
}
