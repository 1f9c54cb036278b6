package securebedrock

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
)

// installer puts the guard into the SDK's stacks. Nothing below it knows it.
type installer struct {
	g     *guard
	steps map[string]*operationSteps // by the operation's name

	retry     middleware.FinalizeMiddleware
	outermost *outermost
	spare     func(context.Context) middleware.DeserializeMiddleware // of a bidirectional call
	whole     func(*middleware.Stack) error                          // install, made once
}

// operationSteps are the steps of every stack of one operation, made once.
type operationSteps struct {
	op    *operation
	chain chainStep
	gate  gateStep
}

func newInstaller(g *guard, o *outermost) *installer {
	in := &installer{g: g, outermost: o, steps: make(map[string]*operationSteps)}
	for name, op := range operations() {
		in.steps[name] = &operationSteps{op: op, chain: chainStep{g: g, op: op}, gate: gateStep{g: g, op: op}}
	}
	in.whole = in.install
	return in
}

// install puts the whole guard into an operation's stack, over whatever the
// application's own options have put there. The order of a call, outermost
// first:
//
//	Initialize   chain    Options.Middleware, then the SDK's own
//	Serialize    rules    model, residency, guardrail, defaults; at once the SDK's serializer
//	Finalize     retry    one bucket a model; then credentials, endpoint, SigV4
//	Deserialize  gate     host, path, body, region, credentials; then the transport itself
//	             observer on the answer's body
//
// The rules take the serializer's place and call it themselves, so that nothing
// can change the input between the two; the gate sends by itself, so that
// nothing can change the request after it.
func (in *installer) install(stack *middleware.Stack) error { return in.installIn(stack, nil, false) }

// installWatched is install where per-call options may have put steps of their own
// into the stack.
func (in *installer) installWatched(stack *middleware.Stack) error {
	return in.installIn(stack, nil, true)
}

// installOpen is install where options of the caller's come after it.
func (in *installer) installOpen(stack *middleware.Stack) error {
	return in.installIn(stack, stack, true)
}

func (in *installer) installIn(stack, open *middleware.Stack, watched bool) error {
	steps := in.steps[stack.ID()]
	if steps == nil {
		return &PolicyError{Rule: ErrUnguardedOperation, Operation: stack.ID(),
			Detail: "this version of securebedrock does not know the operation; update it"}
	}
	g, op := in.g, steps.op
	const serializer = "OperationSerializer"
	original, ok := stack.Serialize.Get(serializer)
	if !ok {
		return fmt.Errorf("securebedrock: the SDK's stack has no %s", serializer)
	}
	if _, err := stack.Serialize.Swap(serializer, &ruleStep{g: g, op: op, serialize: original}); err != nil {
		return err
	}
	if _, err := stack.Finalize.Swap((*retry.Attempt)(nil).ID(), in.retry); err != nil {
		return err
	}
	// An application that has taken the SDK's step out gets no stream of the SDK's.
	if sdk, ok := stack.Deserialize.Get(eventStreamStep); ok && !op.duplex {
		if _, err := stack.Deserialize.Swap(eventStreamStep, &noteStep{sdk}); err != nil {
			return err
		}
	}
	outer := &steps.chain
	if open != nil || watched {
		outer = &chainStep{g: g, op: op, stack: open, watched: true}
	}
	err := errors.Join(
		stack.Initialize.Add(outer, middleware.Before),
		stack.Deserialize.Add(&steps.gate, middleware.After),
	)
	if err == nil && op.duplex {
		var step *duplexStep
		step, err = installDuplex(stack, op, in.spare)
		if err == nil && open != nil {
			step.kept = in.outermost.note(stack, step)
		}
	}
	return err
}
