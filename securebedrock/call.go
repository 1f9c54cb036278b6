package securebedrock

import (
	"context"
	"time"

	"github.com/aws/smithy-go/logging"
)

// Handler sends a call on and returns its result. The Result that the next
// Handler returns is never nil, not even with an error: its OnDone gives the
// Outcome of a failed or refused call too.
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

// Call is one call on its way in. Each Middleware is given a Call of its own, and
// may keep it. Input, CorrelationID and OnEvent travel on to the next Handler;
// everything else is the guard's to say, and is put back when next is called and
// when it returns.
type Call struct {
	// ID is unique. It is sent as requestMetadata["securebedrock-call-id"]
	// where the operation has such a field and the caller left room for it (16
	// entries, and 8,500 characters for InvokeModel, are allowed), so that records
	// join Bedrock's invocation log. What a caller writes under the key is never
	// sent.
	ID string
	// CorrelationID is the application's own name for what the call belongs to: a
	// request, a session, a ticket. It comes from WithCorrelationID, and a
	// Middleware may set it. Records carry it beside ID. It is not sent.
	CorrelationID string
	// Operation is the SDK's name: "Converse", …
	Operation string
	// Model is the parsed model identifier; zero where the operation has none.
	// Once next has returned it is the one that the rules judged. Its Regions are
	// known before that unless Options.Profiles has to be asked.
	Model Model
	// Region is the pinned region.
	Region string
	// Host is the host name, with its port where the endpoint has one, to which the
	// call goes.
	Host string
	// RoleARN and SessionName are those of Options.Role; empty without one.
	RoleARN, SessionName string
	// Guardrail is the one that the rules attach; zero where none is.
	Guardrail Guardrail
	// Unguarded is the reason for which no guardrail is attached.
	Unguarded string
	// Input is *bedrockruntime.ConverseInput, …: a shallow copy of the caller's.
	// Clone what lies below its first level before changing it.
	Input any
	// Start is when the call entered the chain.
	Start time.Time
	// OnEvent, where a middleware sets it before it calls next, is given every
	// event of the answer's stream, decoded, as a pointer to the SDK's event type
	// (*types.ContentBlockDeltaEvent, *types.PayloadPart, …), in order, one at a
	// time, while the stream is read. It must not block, change or keep the event.
	// A middleware that finds one set calls it too.
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
// sent, so that the Middleware of this package record that call, too. complete ends the
// call: each function that OnDone was given gets the Outcome exactly once. complete
// reports whether it was the first; later ones change nothing. Both may be used by many
// goroutines. A panic of a function is written to logger, which may be nil.
//
// A Middleware of a Client does not need NewResult: a Result that holds nothing but an
// Output gets the call's own Outcome.
func NewResult(output any, logger logging.Logger) (result *Result, complete func(Outcome) bool) {
	done := &completion{log: logger}
	return &Result{Output: output, done: done}, func(out Outcome) bool { return done.complete(&out) }
}

// OnDone calls f with the Outcome exactly once: at once for a call that is over
// (a unary call, a refusal, a failure), and at the end of a stream however it
// ends, on the goroutine that ends it. f must not block for long and must not
// read the stream.
//
// A panic of f is caught and written to the logger of the aws.Config: it must not
// keep the Outcome from the functions that other middleware has registered, and on
// the goroutine of a stream it would end the process. A nil f is ignored.
func (r *Result) OnDone(f func(Outcome)) {
	switch {
	case f == nil:
	case r.done == nil: // a Result that a middleware made itself
		runCaught(nil, onDone, func() { f(Outcome{}) })
	default:
		r.done.notify(f)
	}
}
