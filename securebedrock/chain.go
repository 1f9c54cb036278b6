package securebedrock

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
)

// chainStep runs the Middleware chain around the rest of the stack.
type chainStep struct {
	g       *guard
	op      *operation
	stack   *middleware.Stack // of a Runtime client, whose caller's options come after the guard's
	watched bool              // an application's own steps may stand behind the chain
}

func (*chainStep) ID() string { return "securebedrock:chain" }

func (s *chainStep) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	g := s.g
	e := &entry{op: s.op, calls: &g.calls, log: g.logger, layered: g.hasMiddleware(), next: next, watched: s.watched || g.watched}
	e.admit(ctx)
	returned := false
	defer func() {
		// A pass that still runs looks after itself.
		if !returned && e.phase.Swap(entryClosed) != entryPassing { // a Middleware or a step panicked
			e.drop(errPanic)
		}
		if e.admitted {
			g.calls.end()
		}
	}()
	if err := s.lastIsGate(); err != nil {
		returned = true
		return middleware.InitializeOutput{}, middleware.Metadata{}, err
	}
	res, err := s.enter(ctx, e, in.Parameters)
	returned = true
	if err == nil && !s.op.answers(res.Output) {
		err = &PolicyError{Rule: ErrConfig, Operation: s.op.name, Detail: fmt.Sprintf("a Middleware returned neither an error nor an output of the operation's type (%T)", res.Output)}
	}
	var metadata middleware.Metadata
	if e.phase.Swap(entryClosed) != entryPassing { // otherwise a pass still runs, and closes its own stream
		metadata = e.metadata
		switch {
		case err != nil:
			e.drop(err)
		case e.opened != nil && e.opened != res.Output:
			e.drop(&PolicyError{Rule: ErrConfig, Operation: s.op.name, Detail: "a Middleware answered with another stream"})
		}
		if err == nil {
			e.forget()
		}
	}
	if err != nil {
		return middleware.InitializeOutput{}, metadata, err
	}
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
func (s *chainStep) enter(ctx context.Context, e *entry, input any) (*Result, error) {
	g, op := s.g, s.op
	if e.layered || e.watched { // nobody else could make a call within this one
		ctx = context.WithValue(ctx, entryKey{}, e)
	}
	e.facts = Call{ID: newCallID(), Operation: op.name, Region: g.region, Host: g.endpoint.Host,
		RoleARN: g.roleARN, SessionName: g.sessionName, Input: input, Start: time.Now(), identity: &e.id}
	switch {
	case g.unguarded != "":
		e.facts.Unguarded = g.unguarded
	case op.guarded:
		e.facts.Guardrail = g.guardrail
	case op.infers:
		e.facts.Unguarded = g.excused[op.name]
	}
	if !g.hasMiddleware() {
		return sendPass(ctx, g, e, &e.facts)
	}
	clone, ok := op.clone(input)
	if !ok {
		return nil, named(op.foreign(input), op.name, "")
	}
	e.facts.Input = clone
	e.facts.CorrelationID = correlationID(ctx)
	// A Middleware is told the model before the rules judge it.
	if field := op.modelOf(clone); field != nil {
		e.facts.Model, _ = g.model(ctx, aws.ToString(*field))
	}
	first := e.layer(&e.facts)
	e.facts.Input = nil
	return g.chain(ctx, first)
}
