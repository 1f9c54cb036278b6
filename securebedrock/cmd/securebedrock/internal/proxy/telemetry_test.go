package proxy

import (
	"errors"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

func TestTelemetryIsAskedFor(t *testing.T) {
	for _, row := range []struct {
		what           string
		env            []string
		spans, metrics bool
		fault          string
	}{
		{what: "nothing is set"},
		{what: "an endpoint", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318"}, spans: true, metrics: true},
		{what: "an endpoint for spans", env: []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector:4318/v1/traces"}, spans: true},
		{what: "an endpoint for metrics", env: []string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://collector:4318/v1/metrics"}, metrics: true},
		{what: "an exporter and no endpoint", env: []string{"OTEL_TRACES_EXPORTER=otlp"}, spans: true},
		{what: "metrics are switched off", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318", "OTEL_METRICS_EXPORTER=none"}, spans: true},
		{what: "all is switched off", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318", "OTEL_SDK_DISABLED=True"}},
		{what: "an empty endpoint", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT="}},
		{what: "the protocol that is served", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"}, spans: true, metrics: true},
		{what: "gRPC", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, fault: "OTEL_EXPORTER_OTLP_PROTOCOL: \"grpc\" is not served; set http/protobuf"},
		{what: "gRPC for spans", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc"}, fault: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", metrics: true},
		{what: "gRPC, and nothing is exported", env: []string{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}},
		{what: "an endpoint without a scheme", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318"}, fault: "OTEL_EXPORTER_OTLP_ENDPOINT is no URL; set one such as"},
		{what: "a word as the endpoint for spans", env: []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector"}, fault: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is no URL"},
		{what: "a word as the endpoint, and nothing is exported", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=collector", "OTEL_SDK_DISABLED=true"}},
		{what: "the console", env: []string{"OTEL_TRACES_EXPORTER=console"}, fault: "OTEL_TRACES_EXPORTER: \"console\" is not served; set otlp or none"},
	} {
		spans, err := asked(fakeEnv(row.env...), traces)
		series, err2 := asked(fakeEnv(row.env...), metrics)
		err = errors.Join(err, err2)
		if spans != row.spans || series != row.metrics {
			t.Errorf("%s: spans %t, metrics %t", row.what, spans, series)
		}
		if (err != nil) != (row.fault != "") || err != nil && (!strings.Contains(err.Error(), row.fault) || !errors.Is(err, securebedrock.ErrConfig)) {
			t.Errorf("%s: %v", row.what, err)
		}
	}
}
