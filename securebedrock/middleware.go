package securebedrock

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/smithy-go/logging"
)

// Handler sends a call on and returns its result. The Result that the next
// Handler returns is never nil, not even with an error: its OnDone gives the
// Outcome of a failed or refused call too.
type Handler func(ctx context.Context, call *Call) (*Result, error)

// Middleware wraps a Handler. It is called once, at construction; the Handler
// it returns is called by many goroutines and is not nil. It may change what
// Call.Input points to, within the rules, which run after it; refuse the call by
// returning an error; or answer it by returning a Result of its own with an Output
// of the operation's type. What it writes into other fields of a Call than Input,
// CorrelationID and OnEvent has no effect on any other Middleware or record. It may call next again after next has failed, and not at once
// or after an answer, which is refused: the SDK makes one answer a call.
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

	entry *entry // the call's own
}

// Result is one call on its way out.
type Result struct {
	// Output is *bedrockruntime.ConverseOutput, …; nil where the call failed.
	Output any

	done *completion
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
		caught(nil, onDone, func() { f(Outcome{}) })
	default:
		r.done.notify(f)
	}
}

const onDone = "a function given to Result.OnDone"

// Outcome is what became of a call. It is made of identifiers, counts and
// times, never of content.
type Outcome struct {
	// RequestID is Bedrock's, of the last attempt.
	RequestID string
	// Attempts counts the sends; zero where the call was refused before one.
	Attempts int
	// Throttled counts those of Attempts that Bedrock throttled.
	Throttled int
	// Wait is the time spent not sending: the rate limit of a throttled model, and
	// the pauses between attempts.
	Wait time.Duration
	// Latency runs from Call.Start to the end of the answer or stream.
	Latency time.Duration
	// FirstEvent runs from Call.Start to a stream's first event; zero otherwise.
	FirstEvent time.Duration
	// Events counts a stream's events.
	Events int
	// AccessKeyID is that of the credentials that signed the last attempt.
	AccessKeyID string
	// Principal is the ARN of the assumed role's session, as STS gave it with the
	// credentials that signed the last attempt; empty without a Role.
	Principal string
	// StopReason is the model's or the guardrail's, as Bedrock wrote it.
	StopReason string
	// Usage is what was seen of it; a cancelled stream may have seen none.
	Usage Usage
	// Counted says that the answer told a usage: a zero in Usage is a count then,
	// and no gap.
	Counted bool
	// ServiceTier is the tier that served the call ("default", "priority", "flex",
	// "reserved"), where the answer tells it; another word is dropped.
	ServiceTier string
	// Guardrail is what the answer tells of the guardrail.
	Guardrail GuardrailOutcome
	// Err is the error that the caller got, from the call or from the stream.
	Err error
	// Canceled says that the caller cancelled the context or closed the stream
	// before its end.
	Canceled bool
}

// Usage counts tokens as Bedrock does: InputTokens are those that were neither
// read from the cache nor written to it, and TotalTokens is all of it. Of an
// InvokeModel it is what Bedrock counts in headers and metrics, and what those do
// not tell is the model's own count.
type Usage struct {
	InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, TotalTokens int64
	// CacheWrite5mTokens and CacheWrite1hTokens are the parts of CacheWriteTokens
	// that were written for five minutes, and for an hour or another time, which
	// cost more. Both are zero where the answer does not tell them apart.
	CacheWrite5mTokens, CacheWrite1hTokens int64
}

// GuardrailOutcome is what an answer tells of the guardrail. It never holds the
// text that matched.
type GuardrailOutcome struct {
	// Applied says that the trace lists a guardrail as applied.
	Applied bool
	// Intervened says that the guardrail blocked or masked something.
	Intervened bool
	// Origin is REQUEST, ACCOUNT_ENFORCED or ORGANIZATION_ENFORCED, several
	// joined by a comma.
	Origin string
	// ARN and Version are those of the applied guardrail: the pinned one where
	// it is among several.
	ARN, Version string
	// Policies names the policies that acted, sorted: "content",
	// "contextualGrounding", "sensitiveInformation", "topic", "word", …
	Policies []string
}

// completion hands one Outcome to every function registered, each exactly once.
type completion struct {
	entry *entry // of the call that it completes

	mu      sync.Mutex
	outcome *Outcome // once the call is over
	waiting []func(Outcome)
	log     logging.Logger
}

func (c *completion) notify(f func(Outcome)) {
	c.mu.Lock()
	if c.outcome == nil {
		c.waiting = append(c.waiting, f)
		c.mu.Unlock()
		return
	}
	out := c.outcome
	c.mu.Unlock()
	c.run(f, *out)
}

// runAll goes on after one that panics or calls runtime.Goexit.
func (c *completion) runAll(fs []func(Outcome), out *Outcome) {
	if len(fs) == 0 {
		return
	}
	defer c.runAll(fs[1:], out)
	c.run(fs[0], *out)
}

// run gives f an Outcome of its own, so that none writes another's record.
func (c *completion) run(f func(Outcome), out Outcome) {
	out.Guardrail.Policies = slices.Clone(out.Guardrail.Policies)
	caught(c.log, onDone, func() { f(out) })
}

// complete reports whether out is the Outcome; by then each function has run. Nobody
// may write to out after it.
func (c *completion) complete(out *Outcome) bool {
	c.mu.Lock()
	if c.outcome != nil {
		c.mu.Unlock()
		return false
	}
	c.outcome = out
	waiting := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	c.runAll(waiting, out)
	return true
}
