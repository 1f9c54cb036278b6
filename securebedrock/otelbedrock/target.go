package otelbedrock

import (
	"net"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// targetKey is what calls of one kind have in common.
type targetKey struct {
	operation   string // gen_ai.operation.name
	model, host string
}

// target is what the spans of such calls start with.
type target struct {
	name       string
	attributes []attribute.KeyValue // of the metrics too
	start      []trace.SpanStartOption
}

// targets makes each target once.
type targets struct{ made memo[targetKey, *target] }

// of is the target of a key. Its attributes are those that the conventions want at a
// span's creation, for the sampler.
func (t *targets) of(key targetKey) *target {
	return t.made.get(key, func() *target {
		t := &target{
			name:       key.operation,
			attributes: []attribute.KeyValue{semconv.GenAIOperationNameKey.String(key.operation), semconv.GenAIProviderNameAWSBedrock},
		}
		if key.model != "" {
			t.name += " " + key.model
			t.attributes = append(t.attributes, semconv.GenAIRequestModel(key.model))
		}
		t.attributes = append(t.attributes, serverAttributes(key.host)...)
		t.start = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(t.attributes...)}
		return t
	})
}

func serverAttributes(host string) []attribute.KeyValue {
	if host == "" {
		return nil
	}
	port := 443
	if h, p, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.Atoi(p); err == nil {
			host, port = h, n
		}
	}
	return []attribute.KeyValue{semconv.ServerAddress(host), semconv.ServerPort(port)}
}
