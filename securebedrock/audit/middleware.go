package audit

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Middleware records every call in sink. It writes an intent before the call is judged
// or sent, and one outcome when the call is over; a stream is over at its end, however it
// ends. Put it first in Options.Middleware, so that it also records what the other
// middleware refuse.
//
// The call waits for both writes: for the intent before the send, and for the outcome
// before the answer or the end of the stream is returned. Put Async before a slow sink.
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
	p := &pending{a: a, call: call}
	after := context.WithoutCancel(ctx) // an outcome is written although the caller's context has ended
	begun := time.Now()
	var subjectErr error
	p.subject, subjectErr = subjectOf(ctx, a.opts.Subject, a.opts.SubjectKey, a.opts.WriteTimeout, call)
	if err := a.intent(ctx, p); err != nil && a.opts.FailOpen == "" {
		a.stats.Refused.Add(1)
		refusal := &securebedrock.PolicyError{Rule: notRecorded(err), Operation: call.Operation, Model: call.Model.ID,
			Detail: "its intent was not written and nothing was sent; mend the audit sink, or say in FailOpen why calls may go unrecorded"}
		p.finish(after, securebedrock.Outcome{Err: refusal, Latency: time.Since(call.Start)}, refusal, tries{attempts: 1, each: a.rest(ctx, begun)})
		return nil, refusal
	}
	if subjectErr != nil && a.opts.FailOpen == "" {
		a.stats.Refused.Add(1)
		refusal := p.unnamed(subjectErr)
		p.finish(after, securebedrock.Outcome{Err: refusal, Latency: time.Since(call.Start)}, refusal, a.tries())
		return nil, refusal
	}
	p.answer = a.content.answer(call, a.opts.ToolNames)

	returned := false
	defer func() { // a panic goes on with its own stack; runtime.Goexit comes here too
		if !returned {
			p.finish(after, securebedrock.Outcome{Latency: time.Since(call.Start)}, errPanic, a.tries())
		}
	}()
	res, err := next(ctx, call)
	returned = true
	if res == nil {
		p.finish(after, securebedrock.Outcome{Err: err, Latency: time.Since(call.Start)}, err, a.tries())
		return nil, err
	}
	if err == nil {
		p.answer.unary(res.Output)
	}
	p.base = p.record(KindOutcome) // a stream ends on another goroutine
	p.call = nil                   // or an open stream would hold its prompt
	res.OnDone(func(o securebedrock.Outcome) { p.finish(after, o, err, a.tries()) })
	return res, err
}

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
	content := a.content.input(ctx, p.call.Input) // before the record takes its time
	r := p.record(KindIntent)
	r.Input = content
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

// unnamed refuses a call of which Options.Subject could not tell who made it.
func (p *pending) unnamed(err error) *securebedrock.PolicyError {
	return &securebedrock.PolicyError{Rule: notRecorded(err), Operation: p.call.Operation, Model: p.call.Model.ID,
		Detail: "Options.Subject of the audit did not tell who made the call, and nothing was sent; mend it, or say in FailOpen why calls may go unrecorded"}
}

// pending is a call between its two records.
type pending struct {
	a       *auditor
	call    *securebedrock.Call
	subject string // of Options.Subject, as it is recorded
	answer  *answer
	base    *Record // of the outcome
}

// finish writes the outcome. It is called once: by OnDone, or where there is none.
func (p *pending) finish(ctx context.Context, o securebedrock.Outcome, returned error, how tries) {
	a := p.a
	r := p.base
	if r == nil {
		r = p.record(KindOutcome)
	}
	r.Time, r.Lost = time.Now().UTC(), a.lost.Load()
	r.outcome(&o, returned)
	r.Output, r.Tools = p.answer.done(ctx, how.each)
	if err := a.way.deliver(ctx, r, how); err != nil {
		a.lose(r, err)
		return
	}
	a.stats.Outcomes.Add(1)
}

// record is what is known of the call before its outcome.
func (p *pending) record(kind Kind) *Record {
	r := recordOf(p.call, kind, &p.a.opts, p.subject)
	r.Lost = p.a.lost.Load()
	return r
}
