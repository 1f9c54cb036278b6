package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
)

// entry is what the chain's innermost Handler needs of the SDK's stack. It is a
// context itself, which saves the making of one.
type entry struct {
	context.Context

	op       *operation
	calls    *inFlight      // the client's
	log      logging.Logger // the client's
	layered  bool           // there is a Middleware
	next     middleware.InitializeHandler
	facts    Call                  // what the guard, and no Middleware, says of the call; fixed before the chain runs
	judged   atomic.Pointer[Model] // as the rules of the last pass left it
	watched  bool                  // an application's own steps may stand behind the chain
	passes   atomic.Int32          // idle, passing, answered or over
	metadata middleware.Metadata   // of the last pass that has ended
	opened   any                   // its output, where that is a stream
	model    Model                 // as parsed before any middleware ran
	admitted bool                  // before Shutdown, or within a call that was
	live     *duplexWire           // of opened, where that is bidirectional
}

// drop ends a stream that the caller is not to have. One of a bidirectional call
// he has already: he must not take it for whole.
func (e *entry) drop(err error) {
	switch {
	case e.opened == nil:
	case e.live != nil:
		e.live.cut(err)
	default:
		eventStreamOf(e.opened).Close()
	}
}

// forget lets go of what the chain alone has needed: the Outcome of an open stream
// holds the entry, and must not hold the prompt and the SDK's stack with it. The chain
// has returned, and no pass can begin any more.
func (e *entry) forget() {
	e.next, e.metadata, e.opened = nil, middleware.Metadata{}, nil
	if !e.layered {
		e.facts.Input = nil
	}
}

// admit counts the call in. A call that a Middleware makes is part of its own.
func (g *guard) admit(ctx context.Context) bool {
	outer, ok := ctx.Value(entryKey{}).(*entry)
	if ok && outer.admitted && outer.calls == &g.calls && outer.passes.Load() != over {
		g.calls.add()
		return true
	}
	return g.calls.begin()
}

const (
	idle    = iota
	passing // the last two fields belong to the pass
	answered
	over // the chain has returned
)

type entryKey struct{}

// Value implements context.Context.
func (e *entry) Value(key any) any {
	if key == (entryKey{}) {
		return e
	}
	return e.Context.Value(key)
}

// chainStep runs the middleware chain around the rest of the stack.
type chainStep struct {
	g       *guard
	op      *operation
	stack   *middleware.Stack // of a Runtime client, whose caller's options come after ours
	watched bool              // an application's own steps may stand behind the chain
}

func (*chainStep) ID() string { return "securebedrock:chain" }

func (s *chainStep) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	e := &entry{Context: ctx, op: s.op, calls: &s.g.calls, log: s.g.logger, layered: s.g.hasMW, next: next, watched: s.watched || s.g.watched, admitted: s.g.admit(ctx)}
	returned := false
	defer func() {
		if !returned { // a Middleware or a step panicked
			if e.passes.Swap(over) != passing {
				e.drop(errPanic)
			}
		}
		if e.admitted {
			s.g.calls.end()
		}
	}()
	if err := s.lastIsGate(); err != nil {
		returned = true
		return middleware.InitializeOutput{}, middleware.Metadata{}, err
	}
	res, err := s.g.enter(e, in.Parameters)
	returned = true
	var metadata middleware.Metadata
	if e.passes.Swap(over) != passing { // a pass that outlives the chain looks after itself
		metadata = e.metadata
	} else {
		e = &entry{admitted: e.admitted} // what it opens is its own to close
	}
	if err == nil && !s.op.answers(res.Output) {
		err = &PolicyError{Rule: ErrConfig, Operation: s.op.name, Detail: fmt.Sprintf("a Middleware returned neither an error nor an output of the operation's type (%T)", res.Output)}
	}
	if err != nil {
		e.drop(err)
		return middleware.InitializeOutput{}, metadata, err
	}
	if e.opened != nil && e.opened != res.Output { // a middleware answered with something else
		e.drop(&PolicyError{Rule: ErrConfig, Operation: s.op.name, Detail: "a Middleware answered with another stream"})
	}
	e.forget()
	return middleware.InitializeOutput{Result: res.Output}, metadata, nil
}

// lastIsGate refuses a middleware that a per-call option of the Runtime client
// put behind the gate, where it would never run.
func (s *chainStep) lastIsGate() error {
	if s.stack == nil {
		return nil
	}
	ids := s.stack.Deserialize.List()
	if last := ids[len(ids)-1]; last != gateID && slices.Contains(ids, gateID) {
		return &PolicyError{Rule: ErrConfig, Operation: s.op.name, Detail: fmt.Sprintf("the Deserialize middleware %q stands behind the gate and would never run; add it with middleware.Before, or call the Client", last)}
	}
	return nil
}

// enter makes the Call and runs the chain.
func (g *guard) enter(e *entry, input any) (*Result, error) {
	op := e.op
	e.facts = Call{ID: newCallID(), Operation: op.name, Region: g.region, Host: g.endpoint.Host,
		RoleARN: g.roleARN, SessionName: g.sessionName, Input: input, Start: time.Now(), entry: e}
	switch {
	case g.unguarded != "":
		e.facts.Unguarded = g.unguarded
	case op.guarded:
		e.facts.Guardrail = g.guardrail
	case op.infers:
		e.facts.Unguarded = g.excused[op.name]
	}
	if g.hasMW {
		clone, ok := op.clone(input)
		if !ok {
			return nil, op.foreign(input)
		}
		e.facts.Input = clone
		e.facts.CorrelationID = correlationID(e)
		// Middleware is told the model before the rules judge it.
		if field := op.modelOf(clone); field != nil {
			var err error
			e.facts.Model, err = g.model(aws.ToString(*field))
			if err == nil {
				e.model = e.facts.Model
			}
			if err == nil && g.profiles == nil { // a resolver may need the network: it is asked by the rules
				e.facts.Model.Regions, _ = g.destinations(e, e.facts.Model)
			}
		}
	}
	first := &e.facts
	if g.hasMW { // a Middleware may keep its Call, and look at it on a goroutine of its own
		first = new(Call)
		*first = e.facts
		e.facts.Input = nil
	}
	return g.chain(e, first)
}

// noteStep stands in the place of the SDK's event stream step, and takes note of the
// stream that the SDK has made, so that it can be closed where any step fails the call
// after that.
type noteStep struct {
	sdk middleware.DeserializeMiddleware
}

func (*noteStep) ID() string { return eventStreamStep }

func (s *noteStep) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	out, metadata, err := s.sdk.HandleDeserialize(ctx, in, next)
	if ex := exchangeOf(ctx); ex != nil && err == nil {
		ex.result.made = eventStreamOf(out.Result)
	}
	return out, metadata, err
}

var errLate = errors.New("securebedrock: a Middleware returned before the answer was there")

// begin makes the exchange of a pass. A stream's end is apart from it, since it outlives
// the call.
func (g *guard) begin(e *entry, call *Call) *exchange {
	var ex *exchange
	if e.op.stream {
		ex = &exchange{result: new(stream)}
	} else {
		both := new(struct { // one allocation
			exchange exchange
			result   stream
		})
		ex = &both.exchange
		ex.result = &both.result
	}
	ex.g, ex.op, ex.call, ex.parsed = g, e.op, e.told(call), &e.model
	ex.result.g, ex.result.op, ex.result.start = g, e.op, ex.call.Start
	ex.result.done.entry, ex.result.done.log = e, g.logger
	return ex
}

// send is the chain's innermost Handler: the rules and the SDK.
func (g *guard) send(ctx context.Context, call *Call) (*Result, error) {
	e, err := entryOf(ctx, call)
	if err != nil {
		return concluded(nil, Outcome{Err: err}), err
	}
	ex := g.begin(e, call)
	if !e.admitted || g.closed.Load() {
		err := &PolicyError{Rule: ErrConfig, Operation: e.op.name, Model: call.Model.ID, Detail: "the client is closed"}
		ex.result.fail(ex, err, middleware.Metadata{})
		return &Result{done: &ex.result.done}, err
	}
	if !e.passes.CompareAndSwap(idle, passing) {
		err := &PolicyError{Rule: ErrConfig, Operation: e.op.name, Model: call.Model.ID,
			Detail: "a Middleware called next again at once or after an answer; the SDK's stack makes one answer a call, so call the Client again"}
		ex.result.fail(ex, err, middleware.Metadata{})
		return &Result{done: &ex.result.done}, err
	}
	g.calls.add() // a Middleware may call next on a goroutine and return before that does
	defer g.calls.end()
	ctx, cancel := g.bounded(ctx, e.op)
	ex.Context, ex.result.ctx = ctx, ctx
	if g.hasMW && e.watched {
		ex.print = g.fingerprint(ctx, e.op, call.Input)
	}
	waits := func() bool { return true }
	if d := duplexOf(ctx); d != nil {
		waits = d.refuseAtEnd(ctx)
	}
	returned := false
	defer func() {
		ex.seal.end()
		if !returned { // a step panicked, or an OnDone ended the goroutine
			waits()
			ex.result.abandon(errPanic)
			cancel(errPanic)
		}
	}()
	out, metadata, err := e.next.HandleInitialize(ex.carried(ctx), middleware.InitializeInput{Parameters: call.Input})
	judged := &ex.call.Model // for the records
	if ex.op.stream {
		judged = new(Model) // or the entry would hold the exchange
		*judged = ex.call.Model
	}
	e.judged.Store(judged)
	if call != &e.facts {
		e.restore(call)
	}
	waits()
	res := &Result{done: &ex.result.done}
	if err == nil && !ex.op.stream && !ex.op.answers(out.Result) {
		err = &PolicyError{Rule: ErrConfig, Operation: e.op.name, Model: ex.call.Model.ID, Detail: fmt.Sprintf("a step of the SDK's stack answered with a %T, which is nil or not the operation's own output", out.Result)}
	}
	if err == nil && ex.op.stream && (eventStreamOf(out.Result) == nil || ex.op.duplex && eventStreamOf(out.Result) != ex.result.made) {
		err = &PolicyError{Rule: ErrConfig, Operation: e.op.name, Model: ex.call.Model.ID, Detail: "a middleware in the SDK's stack answered without a stream"}
	}
	e.metadata = metadata
	ended := int32(idle)
	if err == nil {
		ended = answered
		if ex.op.stream {
			e.opened, e.live = out.Result, ex.result.live
		}
	}
	current := e.passes.CompareAndSwap(passing, ended)
	switch {
	case err != nil:
		var timeout *TimeoutError
		if errors.As(context.Cause(ctx), &timeout) && timeout.Rule == ErrCallTimeout && !errors.Is(err, ErrCallTimeout) {
			err = &TimeoutError{Rule: ErrCallTimeout, After: timeout.After, Err: err}
		}
		ex.result.abandon(err)
		ex.result.fail(ex, err, metadata)
	case ex.op.stream:
		ex.result.open(ex, cancel, out.Result, metadata)
		if !current { // the chain did not wait for it
			if ex.op.duplex {
				ex.result.abandon(errLate)
			} else {
				eventStreamOf(out.Result).Close()
			}
		}
		res.Output = out.Result
		returned = true
		return res, nil
	default:
		err = ex.result.unary(ex, out.Result, metadata)
		if err == nil {
			res.Output = out.Result
		}
	}
	returned = true
	cancel(nil)
	return res, err
}
