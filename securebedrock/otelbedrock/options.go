package otelbedrock

import (
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

const scope = "github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"

// Options are the settings of Middleware. The zero Options are ready to use.
type Options struct {
	// TracerProvider makes the spans. Nil: OpenTelemetry's global provider, even if
	// it is set after the call of Middleware.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the histograms. Nil: OpenTelemetry's global provider,
	// even if it is set after the call of Middleware.
	MeterProvider metric.MeterProvider
	// MaxModels is the number of model identifiers that the metrics of this
	// Middleware name. Each identifier is at least one series. Further identifiers
	// are recorded as _OTHER. Zero: 256.
	MaxModels int
}

const defaultMaxModels = 256

// Middleware records every call as a span and in metrics. Put Middleware first in
// securebedrock.Options.Middleware, and only once. A middleware before this one is
// neither timed nor seen. A call through two of them is counted twice.
//
// The result is safe for concurrent use, also by several clients. The error is an
// *InstrumentError, or wraps securebedrock.ErrConfig.
func Middleware(opts Options) (securebedrock.Middleware, error) {
	if opts.MaxModels < 0 {
		return nil, fmt.Errorf("%w: otelbedrock: MaxModels: %d; give a positive number, or none for %d", securebedrock.ErrConfig, opts.MaxModels, defaultMaxModels)
	}
	if opts.MaxModels == 0 {
		opts.MaxModels = defaultMaxModels
	}
	tracers, meters := opts.TracerProvider, opts.MeterProvider
	if tracers == nil {
		tracers = otel.GetTracerProvider()
	}
	if meters == nil {
		meters = otel.GetMeterProvider()
	}
	targets := new(targets)
	instruments, err := newInstruments(meters.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL)), targets, opts.MaxModels)
	if err != nil {
		return nil, err
	}
	o := &observer{
		tracer:      tracers.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
		targets:     targets,
		instruments: instruments,
	}
	return o.wrap, nil
}
