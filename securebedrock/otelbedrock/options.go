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
	// TracerProvider makes the spans. Nil: OpenTelemetry's global one, also where
	// it is set after Middleware has been called.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the histograms. Nil: OpenTelemetry's global one, as above.
	MeterProvider metric.MeterProvider
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

// Middleware records every call as a span and in metrics. Put it first in
// securebedrock.Options.Middleware, and once: what stands before it is neither
// timed nor seen, and a call that passes two of them is counted twice.
//
// The Middleware may serve several clients, and its Handlers many goroutines. An
// error is an *InstrumentError.
func Middleware(opts Options) (securebedrock.Middleware, error) {
	tracers, meters := opts.TracerProvider, opts.MeterProvider
	if tracers == nil {
		tracers = otel.GetTracerProvider()
	}
	if meters == nil {
		meters = otel.GetMeterProvider()
	}
	instruments, err := newInstruments(meters.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL)))
	if err != nil {
		return nil, err
	}
	o := &observer{
		tracer:      tracers.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
		instruments: instruments,
	}
	return o.wrap, nil
}
