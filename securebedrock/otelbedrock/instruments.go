package otelbedrock

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// instruments are the histograms of the conventions' page on GenAI metrics, with
// the bucket boundaries that it asks for.
type instruments struct {
	duration   metric.Float64Histogram
	firstChunk metric.Float64Histogram
	tokens     metric.Int64Histogram
	series     memo[seriesKey, *series]
}

func newInstruments(meter metric.Meter) (*instruments, error) {
	seconds := metric.WithExplicitBucketBoundaries(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
	tokens := metric.WithExplicitBucketBoundaries(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)

	duration, err := genaiconv.NewClientOperationDuration(meter, seconds)
	if err != nil {
		return nil, &InstrumentError{Name: duration.Name(), Err: err}
	}
	firstChunk, err := genaiconv.NewClientOperationTimeToFirstChunk(meter, seconds)
	if err != nil {
		return nil, &InstrumentError{Name: firstChunk.Name(), Err: err}
	}
	usage, err := genaiconv.NewClientTokenUsage(meter, tokens)
	if err != nil {
		return nil, &InstrumentError{Name: usage.Name(), Err: err}
	}
	return &instruments{duration: duration.Inst(), firstChunk: firstChunk.Inst(), tokens: usage.Inst()}, nil
}

// seriesKey is everything that tells one series from another. What is unique to
// a call is not in it.
type seriesKey struct {
	target     targetKey
	errorType  string
	intervened bool
}

// series are ready-made options, so that recording makes no attribute set.
type series struct{ plain, ended, input, output []metric.RecordOption }

func (i *instruments) seriesOf(o *observer, key seriesKey) *series {
	return i.series.get(key, func() *series {
		base := o.target(key.target).attributes
		with := func(more ...attribute.KeyValue) []metric.RecordOption {
			all := make([]attribute.KeyValue, 0, len(base)+len(more))
			all = append(append(all, base...), more...)
			return []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(all...))}
		}
		var end []attribute.KeyValue
		if key.errorType != "" {
			end = append(end, semconv.ErrorTypeKey.String(key.errorType))
		}
		if key.intervened {
			end = append(end, attrIntervened.Bool(true))
		}
		return &series{
			plain: with(), ended: with(end...),
			input: with(semconv.GenAITokenTypeInput), output: with(semconv.GenAITokenTypeOutput),
		}
	})
}

// measuredModel is the model that the metrics name. Callers can make up any number of
// names: a name counts where the call was sent and Bedrock did not refuse the request,
// or has answered the model before, and up to Options.MaxModels.
func (r *record) measuredModel(out *securebedrock.Outcome, f failure) string {
	switch {
	case out.Attempts == 0:
		return ""
	case f.rejected && !r.o.models.has(r.model):
		return ""
	}
	return r.o.models.keep(r.model)
}

// measure records the call's metrics.
func (r *record) measure(out *securebedrock.Outcome, f failure) {
	i := r.o.instruments
	if !i.duration.Enabled(r.ctx) && !i.tokens.Enabled(r.ctx) && !i.firstChunk.Enabled(r.ctx) {
		return
	}
	key := seriesKey{target: r.key(), errorType: r.o.kinds.keep(f.kind), intervened: out.Guardrail.Intervened}
	key.target.model = r.measuredModel(out, f)
	s := i.seriesOf(r.o, key)
	i.duration.Record(r.ctx, time.Since(r.began).Seconds(), s.ended...)
	if d := r.firstChunk(out); d > 0 {
		i.firstChunk.Record(r.ctx, d.Seconds(), s.plain...)
	}
	if r.operation == opCountTokens { // it counts tokens and uses none
		return
	}
	if n := inputTokens(out.Usage); n > 0 {
		i.tokens.Record(r.ctx, n, s.input...)
	}
	if n := out.Usage.OutputTokens; n > 0 {
		i.tokens.Record(r.ctx, n, s.output...)
	}
}
