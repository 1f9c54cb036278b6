package securebedrock

import (
	"context"
	"time"

	"github.com/aws/smithy-go/logging"
)

// Handler sends a call on and returns the call's result. The Result of a next Handler
// is never nil, not even with an error: its OnDone also gives the Outcome of a failed
// or refused call.
type Handler func(ctx context.Context, call *Call) (*Result, error)

// Middleware wraps a Handler. The Client calls a Middleware once, at construction. Many
// goroutines call the Handler that it returns, which is not nil.
//
// A Middleware may change what Call.Input points to, within the rules, which run
// afterwards. It may refuse the call by returning an error. It may answer the call by
// returning a Result of its own, with an Output of the operation's type. What it writes
// into other fields of a Call than Input, CorrelationID and OnEvent has no effect on any
// other Middleware or record.
//
// A Middleware may call next again only after next has returned an error. A concurrent
// call, or one after a success, is refused: the SDK produces one response per call.
type Middleware func(next Handler) Handler

// Call is one call on its way in. Each Middleware is given a Call of its own and may
// keep it. Input, CorrelationID and OnEvent travel on to the next Handler. The guard
// decides all other fields: it restores them when next is called and when next returns.
type Call struct {
	// ID is unique. It is sent as requestMetadata["securebedrock-call-id"] where the
	// operation has such a field and the caller left room for the entry (the limits are
	// 16 entries, and 8,500 characters for InvokeModel). It joins records with Bedrock's
	// invocation log. A value that the caller writes under this key is never sent.
	ID string
	// CorrelationID is the application's own name for what the call belongs to: a
	// request, a session, a ticket. It comes from WithCorrelationID. A Middleware may
	// set it. Records carry it beside ID. It is not sent.
	CorrelationID string
	// Operation is the SDK's name: "Converse", …
	Operation string
	// Model is the parsed model identifier; zero where the operation has none. After
	// next has returned, it is the model that the rules judged. Its Regions are known
	// before that, unless Options.Profiles must be asked.
	Model Model
	// Region is the pinned region.
	Region string
	// Host is the name of the host to which the call goes. It includes the port where
	// the endpoint has one.
	Host string
	// RoleARN and SessionName are those of Options.Role; empty without one.
	RoleARN, SessionName string
	// Guardrail is the guardrail that the rules attach; zero where there is none.
	Guardrail Guardrail
	// Unguarded is the reason why no guardrail is attached.
	Unguarded string
	// Input is *bedrockruntime.ConverseInput, …: a shallow copy of the caller's input.
	// Clone what lies below its first level before you change it.
	Input any
	// Start is the time at which the call entered the chain.
	Start time.Time
	// OnEvent receives every event of the answer's stream, where a Middleware sets it
	// before calling next. An event is decoded: a pointer to the SDK's event type
	// (*types.ContentBlockDeltaEvent, *types.PayloadPart, …). Events come in order, one
	// at a time, while the stream is read. OnEvent must not block, and must not change
	// or keep the event. A Middleware that finds an OnEvent already set must call it,
	// too.
	OnEvent func(event any)

	identity *callIdentity // of the call that it belongs to
}

// Result is one call on its way out.
type Result struct {
	// Output is *bedrockruntime.ConverseOutput, …; nil where the call failed.
	Output any

	done *completion
}

// NewResult returns the Result of a call that a guarded client of another service has
// sent. The Middleware of this package then record that call, too.
//
// complete ends the call: each function that OnDone was given receives the Outcome
// exactly once. complete reports whether it was the first; later calls change nothing.
// Both the Result and complete are safe for concurrent use. A panic of a function is
// written to logger. A nil logger is permitted.
//
// A Middleware of a Client does not need NewResult. A Result that holds only an Output
// receives the call's own Outcome.
func NewResult(output any, logger logging.Logger) (result *Result, complete func(Outcome) bool) {
	done := &completion{log: logger}
	return &Result{Output: output, done: done}, func(out Outcome) bool { return done.complete(&out) }
}

// OnDone calls f with the Outcome exactly once. For a call that is over (a unary call,
// a refusal, a failure) it calls f at once. For a stream it calls f when the stream
// ends, however it ends, on the goroutine that ends it. f must not block for long and
// must not read the stream. A nil f is ignored.
//
// A panic of f is caught and written to the logger of the aws.Config. The panic would
// otherwise keep the Outcome from the functions of other Middleware, and would end the
// process on the goroutine of a stream.
func (r *Result) OnDone(f func(Outcome)) {
	switch {
	case f == nil:
	case r.done == nil: // a Result that a middleware made itself
		runCaught(nil, onDone, func() { f(Outcome{}) })
	default:
		r.done.notify(f)
	}
}
