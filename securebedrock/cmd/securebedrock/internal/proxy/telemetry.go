package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"
)

// telemetry exports spans and metrics by OTLP over HTTP, where the environment asks for
// it. The exporters and the providers read their own OTEL_* variables.
type telemetry struct {
	tracer trace.TracerProvider // nil: neither spans nor metrics
	meter  metric.MeterProvider
	stop   []func(context.Context) error
}

// signals are the two that otelbedrock makes.
const (
	traces  = "TRACES"
	metrics = "METRICS"
)

func newTelemetry(ctx context.Context, env func(string) (string, bool), version string, log *slog.Logger) (*telemetry, error) {
	spans, err := asked(env, traces)
	series, err2 := asked(env, metrics)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	t := &telemetry{}
	if !spans && !series {
		return t, nil
	}
	// Exporters report their failures here. An error may hold the address of the
	// collector, and no prompt: otelbedrock records none.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("telemetry", "error", err.Error()) }))
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "securebedrock-proxy"), attribute.String("service.version", version)),
		resource.WithFromEnv()) // last: OTEL_SERVICE_NAME wins
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	t.tracer, t.meter = tracenoop.NewTracerProvider(), metricnoop.NewMeterProvider()
	if spans {
		exporter, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("the exporter of spans: %w", err)
		}
		provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
		t.tracer, t.stop = provider, append(t.stop, provider.Shutdown)
	}
	if series {
		exporter, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("the exporter of metrics: %w", err), t.shutdown(ctx))
		}
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)), sdkmetric.WithResource(about))
		t.meter, t.stop = provider, append(t.stop, provider.Shutdown)
	}
	return t, nil
}

// asked reports whether the environment asks for a signal: by its exporter, or by an
// endpoint. The specification exports to localhost where nothing is set; the proxy does
// not, since nobody may listen there.
func asked(env func(string) (string, bool), signal string) (bool, error) {
	get := func(names ...string) (name, value string) {
		for _, name = range names {
			if value, _ = env(name); strings.TrimSpace(value) != "" {
				return name, strings.ToLower(strings.TrimSpace(value))
			}
		}
		return name, ""
	}
	if _, disabled := get("OTEL_SDK_DISABLED"); disabled == "true" {
		return false, nil
	}
	exporter := "OTEL_" + signal + "_EXPORTER"
	where, endpoint := get("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	switch _, named := get(exporter); named {
	case "none":
		return false, nil
	case "otlp":
	case "":
		if endpoint == "" {
			return false, nil
		}
	default:
		return false, fmt.Errorf("%w: %s: %s is not served; set otlp or none", securebedrock.ErrConfig, exporter, refusal.Quoted(named))
	}
	// The exporters would take another text for a path, and tell nobody until the first
	// export. The value can hold a password.
	if u, err := url.Parse(endpoint); endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return false, fmt.Errorf("%w: %s is no URL; set one such as http://127.0.0.1:4318", securebedrock.ErrConfig, where)
	}
	if name, protocol := get("OTEL_EXPORTER_OTLP_"+signal+"_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		return false, fmt.Errorf("%w: %s: %s is not served; set http/protobuf, which collectors take at port 4318", securebedrock.ErrConfig, name, refusal.Quoted(protocol))
	}
	return true, nil
}

// middleware observes each call. Nil where nobody asks for it.
func (t *telemetry) middleware() (securebedrock.Middleware, error) {
	if t.tracer == nil {
		return nil, nil
	}
	return otelbedrock.Middleware(otelbedrock.Options{TracerProvider: t.tracer, MeterProvider: t.meter})
}

// join puts the spans of calls under the span of the caller, which the header traceparent
// names.
func (t *telemetry) join(next http.Handler) http.Handler {
	if t.tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// shutdown exports what is left.
func (t *telemetry) shutdown(ctx context.Context) error {
	var errs []error
	for _, stop := range t.stop {
		errs = append(errs, stop(ctx))
	}
	return errors.Join(errs...)
}
