package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Options of a Middleware. The zero value records everything but content, and
// refuses a call that cannot be recorded.
type Options struct {
	// Application is the application's name, in every record. At most 1024 bytes.
	Application string

	// CallerARN is the ARN of the identity that signs (STS GetCallerIdentity)
	// where the client has no Role. With a Role its session's ARN is recorded.
	CallerARN string

	// Subject names the end user or service for whom a call is made, such as the
	// subject of an ID token that the application keeps in the context. It is asked
	// once a call, before the intent is written, and must not change the call. The
	// empty text is not recorded. At most 256 letters, digits and "-_.:/+=,@*", and no
	// key or token, else the records read "(no identifier)". Where it panics, or does
	// not return within WriteTimeout and the call's context, the records read so too,
	// and the call is refused with ErrAudit unless FailOpen is set.
	Subject func(context.Context, *securebedrock.Call) string

	// SubjectKey, where it is set, records of the subject "hmac-sha256:" and its
	// HMAC-SHA-256 in hex (DigestSubject), for subjects of any form and length. The
	// records of one subject are then found with the key alone. Keep it.
	SubjectKey Key

	// Content says what is recorded of prompts and answers. Zero: that there was
	// a prompt, of so many messages, blocks and bytes, and nothing of it.
	Content ContentPolicy

	// ToolNames records the names of the tools that an answer calls.
	ToolNames bool

	// FailOpen is the reason for which a call is sent although its intent could
	// not be written, or Subject failed. Empty: such a call is refused with ErrAudit.
	FailOpen string

	// WriteTimeout bounds one write of a record, whether the sink heeds its context
	// or not, and Subject, and half of it bounds the redaction of its content. The
	// caller's context bounds the write of an intent, too. Zero: 5 s.
	WriteTimeout time.Duration

	// Attempts counts the writes of an outcome before it is lost, with pauses
	// from 20 ms on that double, up to 1 s. Zero: 4. All of them and the pauses
	// take at most Attempts times WriteTimeout. A write that does not return is
	// waited for, and not made twice. An intent is written once, and so is the
	// outcome of a call that is refused because its intent was not written.
	Attempts int

	// OnLost is given each record that could not be written, with the last error.
	// It may be called by many goroutines at once. The call waits for it, for
	// WriteTimeout at most; a panic of it is caught. Stats.Untold counts both.
	OnLost func(r *Record, err error)

	// Stats, where set, is counted up by the middleware.
	Stats *Stats
}

// Stats counts records.
type Stats struct {
	Intents  atomic.Int64 // written
	Outcomes atomic.Int64 // written
	Retries  atomic.Int64 // writes of an outcome after the first
	Lost     atomic.Int64 // records given up
	Refused  atomic.Int64 // calls refused because their intent could not be written, or Subject failed
	Untold   atomic.Int64 // lost records of which OnLost panicked or did not return in time
}

const (
	defaultWriteTimeout = 5 * time.Second
	defaultAttempts     = 4
	firstPause          = 20 * time.Millisecond
	lastPause           = time.Second
)

// Middleware records every call in sink: an intent before anything of it is
// judged or sent, and one outcome when it is over, at the end of a stream however
// it ends. Give it to Options.Middleware first, so that it sees what the others
// refuse.
//
// A write holds up the call: the intent before the send, the outcome before the
// answer is returned, or before the end of the stream is. Put Async before a slow
// sink.
//
// The error lists every fault of the options and wraps securebedrock.ErrConfig.
func Middleware(sink Sink, opts Options) (securebedrock.Middleware, error) {
	if err := opts.check(sink); err != nil {
		return nil, err
	}
	a := &auditor{way: newWay(sink, maxOverdue), tell: newLane("OnLost", 1), opts: opts, stats: opts.Stats}
	a.opts.Application, a.opts.FailOpen = phrase(opts.Application), phrase(opts.FailOpen)
	a.opts.CallerARN, a.opts.SubjectKey = word(opts.CallerARN), opts.SubjectKey.clone()
	if a.stats == nil {
		a.stats = new(Stats)
	}
	if a.opts.WriteTimeout == 0 {
		a.opts.WriteTimeout = defaultWriteTimeout
	}
	if a.opts.Attempts == 0 {
		a.opts.Attempts = defaultAttempts
	}
	a.content = opts.Content.withDefaults()
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			return a.handle(ctx, call, next)
		}
	}, nil
}

func (o *Options) check(sink Sink) error {
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: audit: %s: %s", securebedrock.ErrConfig, field, fmt.Sprintf(format, args...)))
	}
	if sink == nil {
		fault("sink", "none is given; records need a place to go")
	} else if err := faultOf(sink); err != nil {
		faults = append(faults, fmt.Errorf("%w: audit: sink: %w", securebedrock.ErrConfig, err))
	}
	if len(o.Application) > 1024 {
		fault("Application", "%d bytes; at most 1024", len(o.Application))
	}
	if word(o.CallerARN) == noWord || o.CallerARN != "" && !strings.HasPrefix(o.CallerARN, "arn:") {
		fault("CallerARN", "it is not an ARN")
	}
	if o.SubjectKey.ID != "" || len(o.SubjectKey.Secret) > 0 {
		if msg := o.SubjectKey.fault(); msg != "" {
			fault("SubjectKey", "%s", msg)
		}
		if o.Subject == nil {
			fault("SubjectKey", "without Subject there is nothing to digest; give both or no key")
		}
	}
	if o.WriteTimeout < 0 {
		fault("WriteTimeout", "%s; give a positive time, or none for %s", o.WriteTimeout, defaultWriteTimeout)
	}
	if o.Attempts < 0 {
		fault("Attempts", "%d; give a positive number, or none for %d", o.Attempts, defaultAttempts)
	}
	o.Content.check(fault)
	return errors.Join(faults...)
}

// auditor is immutable but for its counters.
type auditor struct {
	way     *way
	tell    *lane // of OnLost
	opts    Options
	content ContentPolicy
	stats   *Stats
	lost    atomic.Int64
}

func (a *auditor) handle(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (_ *securebedrock.Result, err error) {
	p := &pending{a: a, ctx: context.WithoutCancel(ctx), call: call}
	begun := time.Now()
	var subjectErr error
	p.subject, subjectErr = a.subject(ctx, call)
	if err := a.intent(ctx, p); err != nil && a.opts.FailOpen == "" {
		a.stats.Refused.Add(1)
		refusal := &securebedrock.PolicyError{Rule: notRecorded(err), Operation: call.Operation, Model: call.Model.ID,
			Detail: "its intent was not written and nothing was sent; mend the audit sink, or say in FailOpen why calls may go unrecorded"}
		p.finish(securebedrock.Outcome{Err: refusal, Latency: time.Since(call.Start)}, refusal, tries{attempts: 1, each: a.rest(ctx, begun)})
		return nil, refusal
	}
	if subjectErr != nil && a.opts.FailOpen == "" {
		a.stats.Refused.Add(1)
		refusal := p.unnamed(subjectErr)
		p.finish(securebedrock.Outcome{Err: refusal, Latency: time.Since(call.Start)}, refusal, a.tries())
		return nil, refusal
	}
	p.answer = a.content.answer(call, a.opts.ToolNames)

	returned := false
	defer func() { // a panic goes on with its own stack; runtime.Goexit comes here too
		if !returned {
			p.finish(securebedrock.Outcome{Latency: time.Since(call.Start)}, errPanic, a.tries())
		}
	}()
	res, err := next(ctx, call)
	returned = true
	if res == nil {
		p.finish(securebedrock.Outcome{Err: err, Latency: time.Since(call.Start)}, err, a.tries())
		return nil, err
	}
	if err == nil {
		p.answer.unary(res.Output)
	}
	p.base = p.record(KindOutcome) // a stream ends on another goroutine
	p.call, p.contents = nil, nil  // or an open stream would hold its prompt
	res.OnDone(func(o securebedrock.Outcome) { p.finish(o, err, a.tries()) })
	return res, err
}

var errPanic = errors.New("panic")

// notRecorded is ErrAudit with its cause.
func notRecorded(err error) error { return fmt.Errorf("%w: %w", securebedrock.ErrAudit, err) }

// tries are those of an outcome.
func (a *auditor) tries() tries {
	return tries{attempts: a.opts.Attempts, each: a.opts.WriteTimeout, retried: func() { a.stats.Retries.Add(1) }}
}

// rest is the time that is left for the outcome of a call whose intent was not
// written, so that the refusal comes in the time of one write.
func (a *auditor) rest(ctx context.Context, begun time.Time) time.Duration {
	left := a.opts.WriteTimeout - time.Since(begun)
	if ctx.Err() != nil {
		left = 0
	}
	return min(a.opts.WriteTimeout, max(left, 2*grace))
}

// intent writes the first record of a call, once.
func (a *auditor) intent(ctx context.Context, p *pending) error {
	ctx, cancel := context.WithTimeout(ctx, a.opts.WriteTimeout)
	defer cancel()
	p.contents = a.content.input(ctx, p.call.Input)
	r := p.record(KindIntent)
	err := a.way.write(ctx, r)
	if err != nil {
		a.lose(r, err)
		return err
	}
	a.stats.Intents.Add(1)
	return nil
}

func (a *auditor) lose(r *Record, err error) {
	a.lost.Add(1)
	a.stats.Lost.Add(1)
	if a.opts.OnLost == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.opts.WriteTimeout)
	defer cancel()
	if a.tell.call(ctx, false, func() error { a.opts.OnLost(r, err); return nil }) != nil {
		a.stats.Untold.Add(1)
	}
}

// pending is a call between its two records.
type pending struct {
	a        *auditor
	ctx      context.Context // without the caller's end: an outcome is written all the same
	call     *securebedrock.Call
	subject  string // of Options.Subject, as it is recorded
	contents *Content
	answer   *answer
	base     *Record // of the outcome
}

// finish writes the outcome. It is called once: by OnDone, or where there is none.
func (p *pending) finish(o securebedrock.Outcome, returned error, how tries) {
	a := p.a
	r := p.base
	if r == nil {
		r = p.record(KindOutcome)
	}
	r.Time, r.Lost = time.Now().UTC(), a.lost.Load()
	r.outcome(p, o, returned)
	r.Output, r.Tools = p.answer.done(p.ctx, how.each)
	if err := a.way.deliver(p.ctx, r, how); err != nil {
		a.lose(r, err)
		return
	}
	a.stats.Outcomes.Add(1)
}

// record tells what is known of the call on its way in.
func (p *pending) record(kind Kind) *Record {
	a, c := p.a, p.call
	r := &Record{
		Schema: Schema, Kind: kind, Time: time.Now().UTC(),
		CallID: word(c.ID), CorrelationID: identifier(c.CorrelationID), Operation: word(c.Operation), Application: a.opts.Application,
		Region: word(c.Region), Host: hostOf(c.Host), Model: modelOf(c.Model),
		Unguarded: phrase(c.Unguarded), FailOpen: a.opts.FailOpen, Lost: a.lost.Load(),
	}
	if r.Subject = p.subject; strings.HasPrefix(p.subject, subjectPrefix) {
		r.SubjectKeyID = a.opts.SubjectKey.ID
	}
	if kind == KindIntent {
		r.Input = p.contents
	}
	if c.Guardrail.ID != "" {
		r.Guardrail = &Guardrail{ID: word(c.Guardrail.ID), Version: word(c.Guardrail.Version)}
	}
	if c.RoleARN != "" || a.opts.CallerARN != "" {
		r.Principal = &Principal{RoleARN: word(c.RoleARN), SessionName: word(c.SessionName), ARN: a.opts.CallerARN}
		if c.RoleARN != "" {
			r.Principal.ARN = "" // STS tells it
		}
	}
	return r
}

// outcome adds what became of the call. returned is the error that the caller
// got where the Outcome does not know of one.
func (r *Record) outcome(p *pending, o securebedrock.Outcome, returned error) {
	r.RequestID, r.Duration, r.FirstEvent, r.Wait = word(o.RequestID), o.Latency, o.FirstEvent, o.Wait
	r.Attempts, r.Throttled, r.Events = o.Attempts, o.Throttled, o.Events
	r.StopReason, r.ServiceTier, r.Canceled = word(o.StopReason), word(o.ServiceTier), o.Canceled
	if o.Usage != (securebedrock.Usage{}) {
		u := Usage(o.Usage)
		r.Usage = &u
	}
	if g := o.Guardrail; g.Applied || g.Intervened {
		if r.Guardrail == nil { // enforced by the account, or ApplyGuardrail
			r.Guardrail = new(Guardrail)
		}
		r.Guardrail.Applied, r.Guardrail.Intervened, r.Guardrail.Origin = g.Applied, g.Intervened, word(g.Origin)
		r.Guardrail.AppliedARN, r.Guardrail.AppliedVersion, r.Guardrail.Policies = word(g.ARN), word(g.Version), words(g.Policies)
	}
	if o.AccessKeyID != "" || o.Principal != "" {
		if r.Principal == nil {
			r.Principal = new(Principal)
		}
		r.Principal.AccessKeyID = word(o.AccessKeyID)
		if o.Principal != "" {
			r.Principal.ARN = word(o.Principal)
		}
	}
	err := o.Err
	if err == nil {
		err = returned
	}
	if err == errPanic {
		r.Error = &Error{Class: "panic"}
	} else if caught("an error's method", func() error { r.Error = errorOf(err, o.Attempts > 0); return nil }) != nil {
		r.Error = &Error{Class: "other"} // Is, As or Unwrap of an error of the application's
	}
	if r.Error != nil {
		class := r.Error.Class
		r.Refused = o.Attempts == 0 && (class == "refused" || class == "application" || class == "invalid")
		r.Truncated = r.Error.Rule == "stream_truncated" || class == "timeout" && o.Events > 0
	}
}

// modelOf records an identifier only where it parses: any other text in its place
// could be a prompt.
func modelOf(m securebedrock.Model) *Model {
	if m.ID == "" && m.Kind == "" {
		return nil
	}
	if m.Kind == "" {
		return &Model{ID: noWord}
	}
	return &Model{ID: m.ID, Kind: string(m.Kind), Prefix: m.Prefix, Regions: slices.Clone(m.Regions)}
}
