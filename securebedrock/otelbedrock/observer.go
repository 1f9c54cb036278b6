package otelbedrock

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// observer is what the calls of one Middleware share.
type observer struct {
	tracer      trace.Tracer
	targets     *targets
	instruments *instruments
}

func (o *observer) wrap(next securebedrock.Handler) securebedrock.Handler {
	return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
		r := &record{o: o, operation: call.Operation, host: call.Host, model: parsedModel(call)}
		t := o.targets.of(r.key())
		parent := trace.SpanContextFromContext(ctx)
		ctx, r.span = o.tracer.Start(ctx, t.name, t.start...) //nolint:spancheck // record.end ends the span: a stream's after this function has returned
		// After the span's own start, so that no time in it exceeds the span.
		r.began = time.Now()
		r.before = r.began.Sub(call.Start)
		ctx = beneath(ctx, parent)
		if r.span.IsRecording() {
			r.span.SetAttributes(requestAttributes(call)...)
		}
		returned := false
		// Without recover, a panic keeps its stack. runtime.Goexit comes here too.
		defer func() {
			if !returned {
				r.end(ctx, securebedrock.Outcome{}, failure{kind: kindPanic})
			}
		}()
		res, err := next(ctx, call)
		returned = true
		// The rules may have judged another model, which a later middleware chose.
		// Read now: once the call has returned it is no longer only ours.
		r.judged(parsedModel(call))
		if res == nil { // from a Handler that is none of a client's chain
			r.end(ctx, securebedrock.Outcome{}, failureOf(err))
			return res, err
		}
		res.OnDone(func(out securebedrock.Outcome) {
			// A middleware further in may have made an error of an answer, or an
			// answer of an error. Of a stream, the error comes at its end.
			if err != nil || !streams(r.operation) {
				out.Err = err
			}
			r.end(ctx, out, failureOf(out.Err))
		})
		return res, err
	}
}

// record is one call's span and measurements.
type record struct {
	o                      *observer
	span                   trace.Span
	began                  time.Time
	before                 time.Duration // from Call.Start to here
	operation, model, host string
}

func (r *record) key() targetKey {
	return targetKey{operationName(r.operation, r.model), r.model, r.host}
}

func (r *record) judged(model string) {
	if model == r.model {
		return
	}
	r.model = model
	if r.span.IsRecording() {
		t := r.o.targets.of(r.key())
		r.span.SetName(t.name)
		r.span.SetAttributes(t.attributes...)
	}
}

// end closes the record. It is called once: by the Outcome, or by a panic that
// kept the call from having one.
func (r *record) end(ctx context.Context, out securebedrock.Outcome, f failure) {
	first := r.firstChunk(&out)
	if r.span.IsRecording() {
		r.span.SetAttributes(outcomeAttributes(r.operation, first, &out, f)...)
		if f.kind != "" {
			// Never err.Error(), which can quote the model or a prompt.
			r.span.SetStatus(codes.Error, f.kind)
		}
	}
	r.o.instruments.measure(ctx, r.key(), r.began, first, &out, f)
	r.span.End()
}

// firstChunk is the time from the record's beginning to a stream's first event; zero
// where there is none.
func (r *record) firstChunk(out *securebedrock.Outcome) time.Duration {
	if out.FirstEvent <= 0 {
		return 0
	}
	return max(out.FirstEvent-r.before, 0)
}
