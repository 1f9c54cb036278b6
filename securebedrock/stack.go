package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// guard is what every call of one Client runs through. It is immutable but for
// the few fields that say otherwise.
type guard struct {
	region      string
	residency   []string
	anywhere    bool // "*" in Residency
	guardrail   Guardrail
	roleARN     string // of Options.Role
	sessionName string // of its sessions
	unguarded   string
	excused     map[string]string // Options.UnguardedOperations
	models      []string
	accounts    []string // empty: any
	maxTokens   int32
	profiles    ProfileResolver
	timeouts    Timeouts
	ops         map[string]*operation
	rules       []rule
	chain       Handler
	hasMW       bool
	watched     bool // the configuration has steps or interceptors of its own
	endpoint    pinnedEndpoint
	doer        *roundTripDoer
	transport   smithyhttp.ClientHandler // over doer
	free        smithyhttp.ClientHandler // the same, for operations that may be sent twice
	traced      bool                     // the application's TracerProvider wants the SDK's own context
	attempts    retryStep
	protocol    *protocol
	streams     streamSet // mutable: the open streams
	closed      atomic.Bool
	calls       inFlight // mutable
	outermost   *outermost
	logger      logging.Logger
	closeIdle   func()
	credentials *sealedCredentials
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
func (g *guard) install(stack *middleware.Stack) error { return g.installIn(stack, nil, false) }

// installWatched is install where per-call options may have put steps of their own
// into the stack.
func (g *guard) installWatched(stack *middleware.Stack) error { return g.installIn(stack, nil, true) }

// installOpen is install where options of the caller's come after it.
func (g *guard) installOpen(stack *middleware.Stack) error { return g.installIn(stack, stack, true) }

func (g *guard) installIn(stack, open *middleware.Stack, watched bool) error {
	op := g.ops[stack.ID()]
	if op == nil {
		return &PolicyError{Rule: ErrUnguardedOperation, Operation: stack.ID(),
			Detail: "this version of securebedrock does not know the operation; update it"}
	}
	const serializer = "OperationSerializer"
	original, ok := stack.Serialize.Get(serializer)
	if !ok {
		return fmt.Errorf("securebedrock: the SDK's stack has no %s", serializer)
	}
	if _, err := stack.Serialize.Swap(serializer, &ruleStep{g: g, op: op, serialize: original}); err != nil {
		return err
	}
	if _, err := stack.Finalize.Swap((*retry.Attempt)(nil).ID(), g.attempts); err != nil {
		return err
	}
	// An application that has taken the SDK's step out gets no stream of the SDK's.
	if sdk, ok := stack.Deserialize.Get(eventStreamStep); ok && !op.duplex {
		if _, err := stack.Deserialize.Swap(eventStreamStep, &noteStep{sdk}); err != nil {
			return err
		}
	}
	outer := &op.chain
	if open != nil || watched {
		outer = &chainStep{g: g, op: op, stack: open, watched: true}
	}
	err := errors.Join(
		stack.Initialize.Add(outer, middleware.Before),
		stack.Deserialize.Add(&op.gate, middleware.After),
	)
	if err == nil && op.duplex {
		err = g.installDuplex(stack, op, open != nil)
	}
	return err
}

// state is one exchange: one pass through the rules, of which a Middleware may
// make several. While it is approved, it is the seal: credentials and the wire are
// open to it alone. It stands among the stack's values, which the SDK clears when
// another call begins with the same context, and the seal ends with the pass.
type state struct {
	context.Context // the exchange's own

	g     *guard
	op    *operation
	call  Call // own copy, in which the rules write what they find
	print *fingerprint

	parsed    *Model // of the input as it came; nil or empty where that was not asked
	seal      seal
	input     any    // what the rules approved
	wire      wire   // what the serializer made of it
	accessKey string // of the credentials that the last attempt was given
	token     string // their session token
	principal string // theirs too
	sends     int    // attempts that the gate has let through
	throttled int    // of them
	attempt   attempt
	wait      time.Duration
	idleFrom  time.Time // zero while an attempt is on its way

	result *stream // the end of the exchange and its Outcome
}

type stateKey struct{}

// carried puts the state among the stack's values of a context.
func (st *state) carried(ctx context.Context) context.Context {
	return middleware.WithStackValue(ctx, stateKey{}, st)
}

func stateOf(ctx context.Context) *state {
	st, _ := middleware.GetStackValue(ctx, stateKey{}).(*state)
	return st
}

// ruleStep stands in the serializer's place: rules first, then the serializer,
// whose protocol notes what the gate will demand to see again.
type ruleStep struct {
	g         *guard
	op        *operation
	serialize middleware.SerializeMiddleware
}

func (s *ruleStep) ID() string { return s.serialize.ID() }

func (s *ruleStep) HandleSerialize(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
	middleware.SerializeOutput, middleware.Metadata, error,
) {
	st := stateOf(ctx)
	if st == nil || st.op != s.op {
		return middleware.SerializeOutput{}, middleware.Metadata{}, &PolicyError{Rule: ErrGuardrailRequired, Operation: s.op.name,
			Detail: "the call did not enter through the guard's own chain"}
	}
	if err := s.approve(ctx, st, &in); err != nil {
		return middleware.SerializeOutput{}, middleware.Metadata{}, st.named(err)
	}
	return s.serialize.HandleSerialize(unsigned(ctx), in, middlewareFunc(func(ctx context.Context, in middleware.SerializeInput) (
		middleware.SerializeOutput, middleware.Metadata, error,
	) {
		if !st.seal.close() {
			return middleware.SerializeOutput{}, middleware.Metadata{}, st.named(refuse(ErrEndpoint,
				"the request was not made by the client's own serializer; a step or a per-call option replaced the SDK's OperationSerializer or Options.Protocol"))
		}
		return next.HandleSerialize(ctx, in)
	}))
}

// approve runs the rules, once a state.
func (s *ruleStep) approve(ctx context.Context, st *state, in *middleware.SerializeInput) error {
	if !st.seal.begin() {
		return refuse(ErrEndpoint, "a step of the SDK's stack called its next handler again, which would send another prompt under the same record; call the Client again")
	}
	input, ok := s.op.clone(in.Parameters)
	if !ok {
		return s.op.foreign(in.Parameters)
	}
	if err := st.print.unchanged(ctx, input); err != nil {
		return err
	}
	for _, r := range s.g.rules {
		if err := r(ctx, s.g, st, input); err != nil {
			return err
		}
	}
	st.input, in.Parameters = input, input
	return nil
}

// unsigned takes back what a per-call option said about signing, so that what the
// auth scheme says holds.
func unsigned(ctx context.Context) context.Context {
	//lint:ignore SA1019 the SDK still heeds it
	if awsmiddleware.GetSigningRegion(ctx) != "" { //nolint:staticcheck // the SDK still heeds it
		//lint:ignore SA1019 the SDK still heeds it
		ctx = awsmiddleware.SetSigningRegion(ctx, "") //nolint:staticcheck // the SDK still heeds it
	}
	//lint:ignore SA1019 the SDK still heeds it
	if awsmiddleware.GetSigningName(ctx) != "" { //nolint:staticcheck // the SDK still heeds it
		//lint:ignore SA1019 the SDK still heeds it
		ctx = awsmiddleware.SetSigningName(ctx, "") //nolint:staticcheck // the SDK still heeds it
	}
	if awsmiddleware.GetRequiresLegacyEndpoints(ctx) {
		ctx = awsmiddleware.SetRequiresLegacyEndpoints(ctx, false)
	}
	return ctx
}

// named completes a refusal with what the call was.
func (st *state) named(err error) error { return named(err, st.op, st.call.Model.ID) }

func named(err error, op *operation, model string) error {
	var p *PolicyError
	if errors.As(err, &p) {
		p.Operation, p.Model = op.name, model
	}
	return err
}

type middlewareFunc func(context.Context, middleware.SerializeInput) (middleware.SerializeOutput, middleware.Metadata, error)

func (f middlewareFunc) HandleSerialize(ctx context.Context, in middleware.SerializeInput) (middleware.SerializeOutput, middleware.Metadata, error) {
	return f(ctx, in)
}
