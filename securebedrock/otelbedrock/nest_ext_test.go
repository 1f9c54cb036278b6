package otelbedrock_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/tracing"
	"github.com/aws/smithy-go/tracing/smithyoteltracing"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// wrapped is a client of an SDK that traces.
func wrapped(t *testing.T, server *bedrocktest.Server, tracers tracing.TracerProvider, mws ...securebedrock.Middleware) *securebedrock.Client {
	t.Helper()
	opts := server.Options()
	opts.Role = nil
	opts.Middleware = mws
	c, err := securebedrock.Wrap(bedrockruntime.NewFromConfig(server.Config(), func(o *bedrockruntime.Options) { o.TracerProvider = tracers }), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func byName(spans []sdktrace.ReadOnlySpan) map[string]sdktrace.ReadOnlySpan {
	m := make(map[string]sdktrace.ReadOnlySpan)
	for _, s := range spans {
		m[s.Name()] = s
	}
	return m
}

func TestTheSDKsSpansNestUnderOurs(t *testing.T) {
	for _, row := range []struct {
		operation string
		call      func(*testing.T, context.Context, *securebedrock.Client)
	}{
		{"Converse", func(t *testing.T, ctx context.Context, c *securebedrock.Client) {
			if _, err := c.Converse(ctx, converse("hello")); err != nil {
				t.Fatal(err)
			}
		}},
		{"ConverseStream", func(t *testing.T, ctx context.Context, c *securebedrock.Client) {
			out, err := c.ConverseStream(ctx, converseStream("hello"))
			if err != nil {
				t.Fatal(err)
			}
			if err := drain(out.GetStream()); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(row.operation, func(t *testing.T) {
			server, tm := bedrocktest.NewServer(t), newTelemetry()
			c := wrapped(t, server, smithyoteltracing.Adapt(tm.tracers), tm.middleware(t))
			ctx, root := tm.tracers.Tracer("application").Start(t.Context(), "application")
			row.call(t, ctx, c)
			root.End()
			settled(t, "the spans' end", func() bool { return len(tm.spans.Ended()) == len(tm.spans.Started()) })
			spans := byName(tm.spans.Ended())
			parents := map[string]string{
				"Bedrock Runtime." + row.operation: "application",
				"chat " + haiku:                    "Bedrock Runtime." + row.operation,
				"RetryLoop":                        "chat " + haiku,
				"Attempt":                          "RetryLoop",
				"DoHTTPRequest":                    "Attempt",
				"GetIdentity":                      "Attempt",
				"SignRequest":                      "Attempt",
				"ResolveEndpoint":                  "Attempt",
				"ResolveAuthScheme":                "Attempt",
				"OperationSerializer":              "chat " + haiku,
			}
			for name, parent := range parents {
				child, ok := spans[name]
				if !ok {
					t.Errorf("there is no span %s", name)
					continue
				}
				if p := spans[parent]; p == nil || child.Parent().SpanID() != p.SpanContext().SpanID() {
					t.Errorf("%s is not under %s", name, parent)
				}
			}
		})
	}
}

// foreign is another tracing system's: its spans are not OpenTelemetry's.
type foreign struct {
	tracing.NopTracerProvider
	parents map[string]string
}

type foreignTracer struct{ f *foreign }

type foreignSpan struct {
	tracing.Span
	name string
}

func (f *foreign) Tracer(string, ...tracing.TracerOption) tracing.Tracer { return foreignTracer{f} }

func (t foreignTracer) StartSpan(ctx context.Context, name string, _ ...tracing.SpanOption) (context.Context, tracing.Span) {
	_, nop := t.f.NopTracerProvider.Tracer("").StartSpan(ctx, name)
	if parent, ok := tracing.GetSpan(ctx); ok {
		t.f.parents[name] = parent.(foreignSpan).name
	}
	s := foreignSpan{nop, name}
	return tracing.WithSpan(ctx, s), s
}

func TestAnotherTracingSystemsSpansKeepTheirParents(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	f := &foreign{parents: make(map[string]string)}
	c := wrapped(t, server, f, tm.middleware(t))
	ctx, root := tm.tracers.Tracer("application").Start(t.Context(), "application")
	defer root.End()
	if _, err := c.Converse(ctx, converse("hello")); err != nil {
		t.Fatal(err)
	}
	if got := f.parents["RetryLoop"]; got != "Bedrock Runtime.Converse" {
		t.Errorf("RetryLoop is under %q", got)
	}
	if span := tm.spans.Ended()[0]; span.Parent().SpanID() != root.SpanContext().SpanID() {
		t.Errorf("ours is not under the application's")
	}
}

func TestASpanFurtherInNestsUnderOurs(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(tm.middleware(t), around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		ctx, span := tm.tracers.Tracer("application").Start(ctx, "lookup")
		defer span.End()
		return next(ctx, call)
	})))
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	spans := byName(tm.spans.Ended())
	if spans["lookup"].Parent().SpanID() != spans["chat "+haiku].SpanContext().SpanID() {
		t.Error("lookup is not under the call")
	}
}

// What doc.go warns of. Once this fails, the warning can go.
func TestTheSDKsOwnSpansQuoteErrors(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	server.Fail("Converse", bedrocktest.Error(400, "ValidationException", song))
	c := wrapped(t, server, smithyoteltracing.Adapt(tm.tracers), tm.middleware(t))
	if _, err := c.Converse(t.Context(), converse("hello")); err == nil {
		t.Fatal("the call succeeded")
	}
	for _, span := range tm.spans.Ended() {
		quotes := false
		for key, v := range attributes(span) {
			if strings.Contains(v.String(), song) {
				quotes = true
				if key != "exception.message" && key != "api.error_message" {
					t.Errorf("%s quotes in %s", span.Name(), key)
				}
			}
		}
		if sdks := span.Name() == "Bedrock Runtime.Converse"; quotes != sdks {
			t.Errorf("%s quotes: %t", span.Name(), quotes)
		}
	}
}
