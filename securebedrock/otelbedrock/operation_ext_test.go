package otelbedrock_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func TestEveryOperationHasASpanOfItsName(t *testing.T) {
	for _, op := range operations() {
		t.Run(op.sdk, func(t *testing.T) {
			server, tm := bedrocktest.NewServer(t), newTelemetry()
			c := newClient(t, server, through(tm.middleware(t)), excuse)
			if err := op.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			settled(t, "the spans' end", func() bool { return len(tm.spans.Ended()) > 0 && len(tm.spans.Ended()) == len(tm.spans.Started()) })
			ended := tm.spans.Ended()
			span := ended[len(ended)-1]
			if span.Name() != op.span || span.SpanKind() != trace.SpanKindClient || span.Status().Code != codes.Unset {
				t.Errorf("span %q, kind %v, status %v", span.Name(), span.SpanKind(), span.Status())
			}
			name, model, _ := strings.Cut(op.span, " ")
			if model == "" {
				model = "-"
			}
			want(t, span, map[string]string{
				"gen_ai.operation.name": name, "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": model,
				"server.address": "127.0.0.1", "cloud.region": "us-east-1",
				"securebedrock.operation": op.sdk, "securebedrock.attempts": "1", "securebedrock.throttled": "0",
				"error.type": "-", "securebedrock.rule": "-",
			})
			if attributes(span)["aws.request_id"].String() == "" && op.sdk != "InvokeModelWithBidirectionalStream" {
				t.Error("no request ID")
			}
			if len(span.Events()) != 0 {
				t.Errorf("events %v", span.Events())
			}
			if span.InstrumentationScope().Name != ownScope || !strings.Contains(span.InstrumentationScope().SchemaURL, "1.41.0") {
				t.Errorf("scope %+v", span.InstrumentationScope())
			}
		})
	}
}

func TestAnEmbeddingModelEmbeds(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(tm.middleware(t)), func(o *securebedrock.Options) {
		o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "test"
	})
	_, _ = c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("amazon.titan-embed-text-v2:0"), Body: []byte(`{"inputText":"hello"}`)})
	if span := tm.one(t); span.Name() != "embeddings amazon.titan-embed-text-v2:0" {
		t.Errorf("span %q", span.Name())
	}
}
