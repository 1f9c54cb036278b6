package otelbedrock_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"
)

const (
	haiku    = "anthropic.claude-3-haiku-20240307-v1:0"
	ownScope = "github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"
)

// telemetry is an OpenTelemetry SDK that keeps everything.
type telemetry struct {
	spans   *tracetest.SpanRecorder
	tracers *sdktrace.TracerProvider
	reader  *sdkmetric.ManualReader
	meters  *sdkmetric.MeterProvider
}

func newTelemetry() *telemetry {
	spans, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
	return &telemetry{
		spans: spans, tracers: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)),
		reader: reader, meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	}
}

func (tm *telemetry) middleware(tb testing.TB) securebedrock.Middleware {
	tb.Helper()
	mw, err := otelbedrock.Middleware(otelbedrock.Options{TracerProvider: tm.tracers, MeterProvider: tm.meters})
	if err != nil {
		tb.Fatal(err)
	}
	return mw
}

// one waits for the only span to end, and fails where another had begun.
func (tm *telemetry) one(tb testing.TB) sdktrace.ReadOnlySpan {
	tb.Helper()
	settled(tb, "the span's end", func() bool { return len(tm.spans.Ended()) > 0 })
	if started, ended := tm.spans.Started(), tm.spans.Ended(); len(started) != 1 || len(ended) != 1 {
		tb.Fatalf("%d spans started and %d ended, want one", len(started), len(ended))
	}
	return tm.spans.Ended()[0]
}

func (tm *telemetry) metrics(tb testing.TB) map[string]metricdata.Metrics {
	tb.Helper()
	var all metricdata.ResourceMetrics
	if err := tm.reader.Collect(context.Background(), &all); err != nil {
		tb.Fatal(err)
	}
	out := make(map[string]metricdata.Metrics)
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			out[m.Name] = m
		}
	}
	return out
}

// durations are the series of gen_ai.client.operation.duration.
func (tm *telemetry) durations(tb testing.TB) []metricdata.HistogramDataPoint[float64] {
	tb.Helper()
	m, ok := tm.metrics(tb)["gen_ai.client.operation.duration"]
	if !ok {
		return nil
	}
	return m.Data.(metricdata.Histogram[float64]).DataPoints
}

// countedOnce fails unless exactly one call was measured.
func (tm *telemetry) countedOnce(tb testing.TB) {
	tb.Helper()
	var n uint64
	for _, p := range tm.durations(tb) {
		n += p.Count
	}
	if n != 1 {
		tb.Errorf("the call was measured %d times", n)
	}
}

func attributes(span sdktrace.ReadOnlySpan) map[string]attribute.Value {
	m := make(map[string]attribute.Value)
	for _, kv := range span.Attributes() {
		m[string(kv.Key)] = kv.Value
	}
	return m
}

// want compares attributes by their text; "-" stands for an absent one.
func want(tb testing.TB, span sdktrace.ReadOnlySpan, expected map[string]string) {
	tb.Helper()
	have := attributes(span)
	for key, text := range expected {
		v, ok := have[key]
		switch {
		case text == "-" && ok:
			tb.Errorf("%s is %s, want none", key, v.String())
		case text != "-" && !ok:
			tb.Errorf("%s is missing, want %s", key, text)
		case text != "-" && v.String() != text:
			tb.Errorf("%s is %s, want %s", key, v.String(), text)
		}
	}
}

func newClient(tb testing.TB, server *bedrocktest.Server, change ...func(*securebedrock.Options)) *securebedrock.Client {
	tb.Helper()
	opts := server.Options()
	for _, f := range change {
		f(&opts)
	}
	c, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

func through(mws ...securebedrock.Middleware) func(*securebedrock.Options) {
	return func(o *securebedrock.Options) { o.Middleware = append(o.Middleware, mws...) }
}

// around makes a middleware of a function that gets the next handler.
func around(f func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error)) securebedrock.Middleware {
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			return f(ctx, call, next)
		}
	}
}

func userSays(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

func converse(text string) *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), Messages: userSays(text)}
}

func converseStream(text string) *bedrockruntime.ConverseStreamInput {
	return &bedrockruntime.ConverseStreamInput{ModelId: aws.String(haiku), Messages: userSays(text)}
}

func invokeBody(text string) []byte {
	return []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"messages":[{"role":"user","content":"` + text + `"}]}`)
}

func drain(es *bedrockruntime.ConverseStreamEventStream) error {
	for range es.Events() { // read to the end
	}
	return es.Err()
}

func settled(tb testing.TB, what string, happened func() bool) {
	tb.Helper()
	for range 500 {
		if happened() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	tb.Fatalf("%s never came", what)
}

// keeper keeps what becomes of calls.
type keeper struct {
	mu       sync.Mutex
	calls    []securebedrock.Call
	outcomes []securebedrock.Outcome
}

func (k *keeper) middleware() securebedrock.Middleware {
	return around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		res, err := next(ctx, call)
		k.mu.Lock()
		k.calls = append(k.calls, *call)
		k.mu.Unlock()
		res.OnDone(func(o securebedrock.Outcome) {
			k.mu.Lock()
			k.outcomes = append(k.outcomes, o)
			k.mu.Unlock()
		})
		return res, err
	})
}

func excuse(o *securebedrock.Options) {
	o.UnguardedOperations = map[string]string{
		"StartAsyncInvoke": "nightly batch", "InvokeModelWithBidirectionalStream": "public demo",
	}
	o.Role = nil
}

// operation calls one operation so that it succeeds.
type operation struct {
	sdk, span string
	call      func(ctx context.Context, c *securebedrock.Client) error
}

func operations() []operation {
	const reel = "amazon.nova-reel-v1:0"
	startAsync := func(ctx context.Context, c *securebedrock.Client) (string, error) {
		out, err := c.StartAsyncInvoke(ctx, &bedrockruntime.StartAsyncInvokeInput{
			ModelId: aws.String(reel), ModelInput: document.NewLazyDocument(map[string]any{"text": "a boat"}),
			OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{
				Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/out")}},
		})
		if err != nil {
			return "", err
		}
		return *out.InvocationArn, nil
	}
	return []operation{
		{"Converse", "chat " + haiku, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.Converse(ctx, converse("hello"))
			return err
		}},
		{"ConverseStream", "chat " + haiku, func(ctx context.Context, c *securebedrock.Client) error {
			out, err := c.ConverseStream(ctx, converseStream("hello"))
			if err != nil {
				return err
			}
			defer out.GetStream().Close()
			return drain(out.GetStream())
		}},
		{"InvokeModel", "generate_content " + haiku, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
			return err
		}},
		{"InvokeModelWithResponseStream", "generate_content " + haiku, func(ctx context.Context, c *securebedrock.Client) error {
			out, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
			if err != nil {
				return err
			}
			defer out.GetStream().Close()
			for range out.GetStream().Events() { // read to the end
			}
			return out.GetStream().Err()
		}},
		{"InvokeModelWithBidirectionalStream", "generate_content amazon.nova-sonic-v1:0", func(ctx context.Context, c *securebedrock.Client) error {
			out, err := c.InvokeModelWithBidirectionalStream(ctx, &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("amazon.nova-sonic-v1:0")})
			if err != nil {
				return err
			}
			es := out.GetStream()
			defer es.Close()
			err = es.Send(ctx, &types.InvokeModelWithBidirectionalStreamInputMemberChunk{
				Value: types.BidirectionalInputPayloadPart{Bytes: []byte(`{"event":{"textInput":{"content":"hello"}}}`)}})
			if err != nil {
				return err
			}
			// Read to the end: where Close comes first, the Outcome's Err is now and
			// then the SDK's "io: read/write on closed pipe".
			if err := es.Writer.Close(); err != nil {
				return err
			}
			for range es.Events() { // read to the end
			}
			return nil
		}},
		{"StartAsyncInvoke", "start_async_invoke " + reel, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := startAsync(ctx, c)
			return err
		}},
		{"GetAsyncInvoke", "get_async_invoke", func(ctx context.Context, c *securebedrock.Client) error {
			arn, err := startAsync(ctx, c)
			if err != nil {
				return err
			}
			_, err = c.GetAsyncInvoke(ctx, &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String(arn)})
			return err
		}},
		{"ListAsyncInvokes", "list_async_invokes", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.ListAsyncInvokes(ctx, &bedrockruntime.ListAsyncInvokesInput{})
			return err
		}},
		{"ApplyGuardrail", "apply_guardrail", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.ApplyGuardrail(ctx, &bedrockruntime.ApplyGuardrailInput{
				GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"), Source: types.GuardrailContentSourceInput,
				Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("hello")}}},
			})
			return err
		}},
		{"InvokeGuardrailChecks", "invoke_guardrail_checks", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.InvokeGuardrailChecks(ctx, &bedrockruntime.InvokeGuardrailChecksInput{
				Messages: []types.GuardrailChecksMessage{{
					Role:    types.GuardrailChecksRoleUser,
					Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: "hello"}},
				}},
				Checks: &types.GuardrailChecksConfig{},
			})
			return err
		}},
		{"CountTokens", "count_tokens " + haiku, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku),
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("three little words")}}})
			return err
		}},
	}
}
