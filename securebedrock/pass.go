package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/seal"
)

// pass is one way through the SDK's stack: the rules, the sends and the answer. A
// Middleware that calls next again after an error makes another pass.
type pass struct {
	g      *guard
	e      *entry
	ex     *exchange
	call   *Call // as the last Middleware passed it on
	cancel context.CancelCauseFunc
	stop   func() bool // ends the watch over the context of a bidirectional call; nil for others

	returned bool // nothing of the application's panicked or ended the goroutine
}

// sender is the chain's innermost Handler.
func sender(g *guard) Handler {
	return func(ctx context.Context, call *Call) (*Result, error) {
		e, err := entryOf(ctx, call)
		if err != nil {
			return concluded(nil, Outcome{Err: err}), err
		}
		return sendPass(ctx, g, e, call)
	}
}

// sendPass makes one pass.
func sendPass(ctx context.Context, g *guard, e *entry, call *Call) (*Result, error) {
	p := pass{g: g, e: e, call: call, ex: newExchange(e, call)}
	res := &Result{done: &p.ex.result.done}
	if err := p.admit(); err != nil {
		p.ex.result.fail(&p.ex.delivery, err, middleware.Metadata{})
		return res, err
	}
	ctx = p.begin(ctx)
	defer p.end()
	out, metadata, err := e.next.HandleInitialize(p.ex.carried(ctx), middleware.InitializeInput{Parameters: call.Input})
	res.Output, err = p.finish(ctx, out.Result, metadata, err)
	return res, err
}

// admit refuses a pass that must not begin, and begins it otherwise.
func (p *pass) admit() error {
	switch {
	case !p.e.admitted || p.g.closed.Load():
		return closedError(p.e.op.name, p.call.Model.ID, "make another with New")
	case !p.e.phase.CompareAndSwap(entryIdle, entryPassing):
		return &PolicyError{Rule: ErrConfig, Operation: p.e.op.name, Model: p.call.Model.ID,
			Detail: "a Middleware called next while another call to next was running, or after an answer; the SDK makes one answer a call, so call the Client again"}
	}
	return nil
}

// begin derives the context of the pass.
func (p *pass) begin(ctx context.Context) context.Context {
	p.g.calls.add() // a Middleware may call next on a goroutine and return before next does
	op, result := p.ex.op, p.ex.result
	result.life, result.answers = &p.g.lifetime, p.g.answers
	ctx, p.cancel = bounded(ctx, p.g.timeouts.Call, op.stream)
	if op.stream {
		own := ctx
		result.cause = func() error { return context.Cause(own) }
		ctx = withSelf(own)
	}
	if p.g.hasMiddleware() && p.e.watched {
		p.ex.print = seal.Take(ctx, seal.Form{Serialize: p.g.events.SerializeRequest, Schema: op.schema, Clone: op.clone, Token: op.token}, p.call.Input)
	}
	if d := duplexOf(ctx); d != nil {
		p.stop = d.refuseAtEnd(ctx)
	}
	return ctx
}

// end takes the seal away, whatever became of the pass.
func (p *pass) end() {
	defer p.g.calls.end()
	p.ex.seal.End()
	if !p.returned { // a step panicked, or an OnDone ended the goroutine
		p.unwatch()
		p.ex.result.abandon(errPanic)
		p.cancel(errPanic)
	}
}

func (p *pass) unwatch() {
	if p.stop != nil {
		p.stop()
	}
}

// finish completes the pass with what the SDK's stack returned, and returns what the
// caller gets.
func (p *pass) finish(ctx context.Context, out any, metadata middleware.Metadata, err error) (any, error) {
	e, ex := p.e, p.ex
	p.publishModel()
	p.unwatch()
	if err == nil {
		err = p.checkAnswer(out)
	}
	e.metadata = metadata
	phase := int32(entryIdle)
	if err == nil {
		phase = entryAnswered
		if ex.op.stream {
			e.opened, e.live = out, ex.result.live
		}
	}
	awaited := e.phase.CompareAndSwap(entryPassing, phase) // otherwise the chain has returned
	switch {
	case err != nil:
		err = asCallTimeout(ctx, ex.named(err))
		ex.result.abandon(err)
		ex.result.fail(&ex.delivery, err, metadata)
	case ex.op.stream:
		ex.result.open(ctx, &ex.delivery, p.cancel, out, metadata)
		if !awaited {
			if ex.op.duplex {
				ex.result.abandon(errLate)
			} else {
				eventStreamOf(out).Close()
			}
		}
		p.returned = true
		return out, nil
	default:
		err = ex.result.unary(&ex.delivery, ex.model.ID, out, metadata)
	}
	p.returned = true
	p.cancel(nil)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// publishModel tells Middleware and records which model the rules judged.
func (p *pass) publishModel() {
	judged := &p.ex.model
	if p.ex.op.stream {
		judged = new(Model) // or the entry would hold the exchange
		*judged = p.ex.model
	}
	p.e.judged.Store(judged)
	if p.call != &p.e.facts {
		p.e.restore(p.call)
	}
}

// checkAnswer refuses an answer that is not the operation's own. The SDK would panic
// on one of another type.
func (p *pass) checkAnswer(out any) error {
	var detail string
	switch op := p.ex.op; {
	case !op.stream && !op.answers(out):
		detail = fmt.Sprintf("a step of the SDK's stack answered with a %T, which is nil or not the operation's own output", out)
	case op.stream && (eventStreamOf(out) == nil || op.duplex && eventStreamOf(out) != p.ex.result.made):
		detail = "a middleware in the SDK's stack answered without a stream"
	default:
		return nil
	}
	return refuse(ErrConfig, detail)
}

// asCallTimeout names Timeouts.Call in the error of a call that this bound has ended.
func asCallTimeout(ctx context.Context, err error) error {
	var timeout *TimeoutError
	if errors.As(context.Cause(ctx), &timeout) && timeout.Rule == ErrCallTimeout && !errors.Is(err, ErrCallTimeout) {
		return &TimeoutError{Rule: ErrCallTimeout, After: timeout.After, Err: err}
	}
	return err
}

// bounded derives the context of a pass: with Timeouts.Call, and for a stream with a
// way to end the stream.
func bounded(ctx context.Context, call time.Duration, stream bool) (context.Context, context.CancelCauseFunc) {
	if call == 0 && !stream {
		return ctx, func(error) {}
	}
	cancelTimeout := context.CancelFunc(func() {})
	if call > 0 {
		ctx, cancelTimeout = context.WithTimeoutCause(ctx, call, &TimeoutError{Rule: ErrCallTimeout, After: call})
	}
	if !stream {
		return ctx, func(error) { cancelTimeout() }
	}
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, func(cause error) { cancel(cause); cancelTimeout() }
}
