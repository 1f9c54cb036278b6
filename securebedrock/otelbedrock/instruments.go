package otelbedrock

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// maxErrorTypes is the number of error types that the metrics name. Any further one is
// _OTHER.
const maxErrorTypes = 128

// instruments are the histograms of the conventions' page on GenAI metrics, with the
// bucket boundaries that the page asks for.
type instruments struct {
	duration   metric.Float64Histogram
	firstChunk metric.Float64Histogram
	tokens     metric.Int64Histogram
	series     memo[seriesKey, *series]
	targets    *targets
	models     limited
	kinds      limited // of errors
}

// newInstruments names at most maxModels models.
func newInstruments(meter metric.Meter, targets *targets, maxModels int) (*instruments, error) {
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
	return &instruments{
		duration: duration.Inst(), firstChunk: firstChunk.Inst(), tokens: usage.Inst(),
		targets: targets, models: limited{most: int64(maxModels)}, kinds: limited{most: maxErrorTypes},
	}, nil
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

func (i *instruments) seriesOf(key seriesKey) *series {
	return i.series.get(key, func() *series {
		base := i.targets.of(key.target).attributes
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
func (i *instruments) measuredModel(model string, out *securebedrock.Outcome, f failure) string {
	switch {
	case out.Attempts == 0:
		return ""
	case f.rejected && !i.models.has(model):
		return ""
	}
	return i.models.keep(model)
}

// measure records a call's metrics. ctx has the call's span, for exemplars.
func (i *instruments) measure(ctx context.Context, target targetKey, began time.Time, firstChunk time.Duration, out *securebedrock.Outcome, f failure) {
	if !i.duration.Enabled(ctx) && !i.tokens.Enabled(ctx) && !i.firstChunk.Enabled(ctx) {
		return
	}
	target.model = i.measuredModel(target.model, out, f)
	s := i.seriesOf(seriesKey{target: target, errorType: i.kinds.keep(f.kind), intervened: out.Guardrail.Intervened})
	i.duration.Record(ctx, time.Since(began).Seconds(), s.ended...)
	if firstChunk > 0 {
		i.firstChunk.Record(ctx, firstChunk.Seconds(), s.plain...)
	}
	if target.operation == nameCountTokens { // the operation counts tokens and uses none
		return
	}
	if n := inputTokens(out.Usage); n > 0 {
		i.tokens.Record(ctx, n, s.input...)
	}
	if n := out.Usage.OutputTokens; n > 0 {
		i.tokens.Record(ctx, n, s.output...)
	}
}

// InstrumentError says that the MeterProvider could not make an instrument.
type InstrumentError struct {
	Name string // of the metric
	Err  error  // the MeterProvider's
}

// Error names the metric and what to do.
func (e *InstrumentError) Error() string {
	return fmt.Sprintf("otelbedrock: metric %s: %v; correct the views of Options.MeterProvider, or pass a no-op provider to go without metrics", e.Name, e.Err)
}

// Unwrap returns the MeterProvider's error.
func (e *InstrumentError) Unwrap() error { return e.Err }
