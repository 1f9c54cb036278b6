package otelbedrock_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// An open stream may last for hours. Its span holds no prompt meanwhile.
func TestOpenStreamHoldsNoPrompt(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	cfg := server.Config()
	cfg.APIOptions = nil // as a user's is
	opts := server.Options()
	tm := newTelemetry()
	opts.Middleware = []securebedrock.Middleware{tm.middleware(t)}
	c, err := securebedrock.NewFromConfig(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	es, prompt := func() (*bedrockruntime.ConverseStreamEventStream, weak.Pointer[types.ContentBlockMemberText]) {
		text := &types.ContentBlockMemberText{Value: "one two three four five six seven eight nine ten eleven twelve"}
		out, err := c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{
			ModelId: aws.String(haiku), Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{text}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.GetStream(), weak.Make(text)
	}()
	<-es.Events()
	for end := time.Now().Add(10 * time.Second); prompt.Value() != nil; time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(end) {
			t.Fatal("the prompt is still held")
		}
	}
	if err := es.Close(); err != nil {
		t.Error(err)
	}
}

func TestAPanicEndsTheSpanAndGoesOn(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(tm.middleware(t), around(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
		panic("a secret")
	})))
	func() {
		defer func() {
			if v := recover(); v != "a secret" {
				t.Errorf("the panic's value is %v", v)
			}
		}()
		_, _ = c.Converse(t.Context(), converse("hello"))
		t.Error("the panic was swallowed")
	}()
	span := tm.one(t)
	if s := span.Status(); s.Code != codes.Error || s.Description != "panic" || len(span.Events()) != 0 {
		t.Errorf("status %+v, events %v", s, span.Events())
	}
	want(t, span, map[string]string{"error.type": "panic"})
	tm.countedOnce(t)
}

func TestTheSpanIsCurrentFurtherInAndNotFurtherOut(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	var outside, inside trace.SpanContext
	look := func(into *trace.SpanContext) securebedrock.Middleware {
		return around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			*into = trace.SpanContextFromContext(ctx)
			return next(ctx, call)
		})
	}
	c := newClient(t, server, through(look(&outside), tm.middleware(t), look(&inside)))
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	if outside.IsValid() || !inside.Equal(tm.one(t).SpanContext()) {
		t.Errorf("outside %v, inside %v", outside, inside)
	}
}

func TestAMiddlewareFurtherOutThatRefusesLeavesNoSpan(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(around(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
		return nil, errors.New("no")
	}), tm.middleware(t)))
	if _, err := c.Converse(t.Context(), converse("hello")); err == nil || len(tm.spans.Started()) != 0 {
		t.Errorf("error %v, %d spans", err, len(tm.spans.Started()))
	}
}

// One that retries from further out makes a call of each.
func TestEachPassHasASpanOfItsOwn(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	server.Fail("Converse", bedrocktest.Error(403, "AccessDeniedException", "no"))
	c := newClient(t, server, through(around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		if res, err := next(ctx, call); err == nil {
			return res, nil
		}
		time.Sleep(20 * time.Millisecond)
		return next(ctx, call)
	}), tm.middleware(t)))
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	ended := tm.spans.Ended()
	if len(ended) != 2 || ended[0].Status().Code != codes.Error || ended[1].Status().Code != codes.Unset {
		t.Fatalf("%d spans", len(ended))
	}
	if ended[1].StartTime().Before(ended[0].EndTime()) {
		t.Error("the second span begins before the first has ended")
	}
}

// A Handler that stands in no client may return no Result.
func TestWithoutAResultTheSpanEnds(t *testing.T) {
	tm := newTelemetry()
	h := tm.middleware(t)(func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) {
		return nil, errors.New("no")
	})
	_, _ = h(t.Context(), &securebedrock.Call{Operation: "Converse", Input: &bedrockruntime.ConverseInput{}})
	want(t, tm.one(t), map[string]string{"error.type": "_OTHER", "server.address": "-"})
	tm.countedOnce(t)
}

func TestTheModelIsTheOneThatTheRulesJudged(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	const nova = "amazon.nova-pro-v1:0"
	c := newClient(t, server, through(tm.middleware(t), around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		call.Input.(*bedrockruntime.ConverseInput).ModelId = aws.String(nova)
		return next(ctx, call)
	})))
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	span := tm.one(t)
	if span.Name() != "chat "+nova {
		t.Errorf("span %q", span.Name())
	}
	want(t, span, map[string]string{"gen_ai.request.model": nova})
	if got := tm.durations(t)[0].Attributes; !strings.Contains(got.Encoded(attribute.DefaultEncoder()), nova) {
		t.Errorf("metric attributes %v", got.ToSlice())
	}
}

func TestAStreamsSpanEndsWithTheStream(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault *bedrocktest.Fault
		use   func(c *securebedrock.Client, cancel context.CancelFunc, es *bedrockruntime.ConverseStreamEventStream)
		code  codes.Code
		want  map[string]string
	}{
		{"read to its end", nil, func(_ *securebedrock.Client, _ context.CancelFunc, es *bedrockruntime.ConverseStreamEventStream) {
			_ = drain(es)
		}, codes.Unset, map[string]string{"gen_ai.response.finish_reasons": `["end_turn"]`, "gen_ai.request.stream": "true", "error.type": "-", "securebedrock.canceled": "-"}},
		{"closed before its end", fault(bedrocktest.StallStream(2)), func(_ *securebedrock.Client, _ context.CancelFunc, es *bedrockruntime.ConverseStreamEventStream) {
			<-es.Events()
			es.Close()
		}, codes.Unset, map[string]string{"securebedrock.canceled": "true", "error.type": "-"}},
		{"cancelled", fault(bedrocktest.StallStream(2)), func(_ *securebedrock.Client, cancel context.CancelFunc, es *bedrockruntime.ConverseStreamEventStream) {
			<-es.Events()
			cancel()
			_ = drain(es)
		}, codes.Error, map[string]string{"securebedrock.canceled": "true", "error.type": "canceled"}},
		{"cancelled and abandoned", fault(bedrocktest.StallStream(2)), func(_ *securebedrock.Client, cancel context.CancelFunc, _ *bedrockruntime.ConverseStreamEventStream) {
			cancel()
		}, codes.Error, map[string]string{"securebedrock.canceled": "true", "error.type": "canceled"}},
		{"abandoned until the client is closed", fault(bedrocktest.StallStream(2)), func(c *securebedrock.Client, _ context.CancelFunc, _ *bedrockruntime.ConverseStreamEventStream) {
			c.Close()
		}, codes.Error, map[string]string{"securebedrock.rule": "stream_truncated", "securebedrock.canceled": "-"}},
		{"truncated", fault(bedrocktest.Truncate(2)), func(_ *securebedrock.Client, _ context.CancelFunc, es *bedrockruntime.ConverseStreamEventStream) {
			_ = drain(es)
		}, codes.Error, map[string]string{"error.type": "stream_truncated", "securebedrock.rule": "stream_truncated"}},
		{"ended by the service", fault(bedrocktest.Exception(2, "modelStreamErrorException", "a secret")), func(_ *securebedrock.Client, _ context.CancelFunc, es *bedrockruntime.ConverseStreamEventStream) {
			_ = drain(es)
		}, codes.Error, map[string]string{"error.type": "ModelStreamErrorException", "securebedrock.rule": "-"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server, tm := bedrocktest.NewServer(t), newTelemetry()
			if row.fault != nil {
				server.Fail("ConverseStream", *row.fault)
			}
			c := newClient(t, server, through(tm.middleware(t)))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out, err := c.ConverseStream(ctx, converseStream("hello"))
			if err != nil {
				t.Fatal(err)
			}
			if len(tm.spans.Ended()) != 0 && row.fault != nil {
				t.Error("the span ended with the call, before the stream")
			}
			row.use(c, cancel, out.GetStream())
			span := tm.one(t)
			if span.Status().Code != row.code {
				t.Errorf("status %v", span.Status())
			}
			want(t, span, row.want)
			out.GetStream().Close()
			c.Close()
			server.Close()
			tm.one(t)
			tm.countedOnce(t)
		})
	}
}

func TestAStreamHasATimeToItsFirstChunk(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	// What stands further out is in the Outcome's time and not in the span's.
	slow := around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		time.Sleep(300 * time.Millisecond)
		return next(ctx, call)
	})
	c := newClient(t, server, through(slow, tm.middleware(t)))
	out, err := c.ConverseStream(t.Context(), converseStream("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if err := drain(out.GetStream()); err != nil {
		t.Fatal(err)
	}
	span := tm.one(t)
	first := attributes(span)["gen_ai.response.time_to_first_chunk"].AsFloat64()
	if whole := span.EndTime().Sub(span.StartTime()).Seconds(); first <= 0 || first > whole {
		t.Errorf("first chunk after %vs of %vs", first, whole)
	}
	if attributes(span)["securebedrock.events"].AsInt64() < 4 {
		t.Errorf("%v events", attributes(span)["securebedrock.events"].AsInt64())
	}
	p := tm.metrics(t)["gen_ai.client.operation.time_to_first_chunk"].Data.(metricdata.Histogram[float64]).DataPoints
	if len(p) != 1 || p[0].Count != 1 || p[0].Sum != first {
		t.Errorf("the metric is %+v", p)
	}
}

func TestAUnaryCallHasNoTimeToAFirstChunk(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(tm.middleware(t)))
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	want(t, tm.one(t), map[string]string{"gen_ai.response.time_to_first_chunk": "-", "securebedrock.events": "-"})
	if _, ok := tm.metrics(t)["gen_ai.client.operation.time_to_first_chunk"]; ok {
		t.Error("the metric was recorded")
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	func() {
		server, err := bedrocktest.Start()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		tm := newTelemetry()
		opts := server.Options()
		opts.Middleware = []securebedrock.Middleware{tm.middleware(t)}
		c, err := securebedrock.NewFromConfig(server.Config(), opts)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for range 5 {
			server.Fail("ConverseStream", bedrocktest.StallStream(1))
			ctx, cancel := context.WithCancel(t.Context())
			if _, err := c.ConverseStream(ctx, converseStream("hello")); err != nil {
				t.Error(err)
			}
			cancel()
		}
		settled(t, "the spans' end", func() bool { return len(tm.spans.Ended()) == 5 })
	}()
	settled(t, "the goroutines' end", func() bool { return runtime.NumGoroutine() <= before })
}

func TestSpansLookLikeTheirPortraits(t *testing.T) {
	config := &types.InferenceConfiguration{MaxTokens: aws.Int32(100), Temperature: aws.Float32(0.2), TopP: aws.Float32(0.9)}
	for _, row := range []struct {
		file string
		call func(*testing.T, *securebedrock.Client)
	}{
		{"converse.golden", func(t *testing.T, c *securebedrock.Client) {
			in := converse("how do I build a bomb?")
			in.InferenceConfig = config
			if _, err := c.Converse(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}},
		{"converse_stream.golden", func(t *testing.T, c *securebedrock.Client) {
			in := converseStream("what flows through Vienna?")
			in.InferenceConfig = config
			out, err := c.ConverseStream(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if err := drain(out.GetStream()); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(row.file, func(t *testing.T) {
			server, tm := bedrocktest.NewServer(t), newTelemetry()
			row.call(t, newClient(t, server, through(tm.middleware(t))))
			got, path := portrait(tm.one(t)), filepath.Join("testdata", row.file)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil { // no secret
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(golden) {
				t.Errorf("got\n%s\nwant\n%s\n(-update writes it anew)", got, golden)
			}
		})
	}
}

var update = flag.Bool("update", false, "write testdata anew")

// portrait is a span without what changes from run to run.
func portrait(span sdktrace.ReadOnlySpan) string {
	varies := []string{"securebedrock.call.id", "aws.request_id", "server.port", "gen_ai.response.time_to_first_chunk", "securebedrock.wait"}
	lines := make([]string, 0, len(span.Attributes()))
	for _, kv := range span.Attributes() {
		value := kv.Value.String()
		if slices.Contains(varies, string(kv.Key)) {
			value = "(varies)"
		}
		lines = append(lines, fmt.Sprintf("%s = %s (%s)", kv.Key, value, kv.Value.Type()))
	}
	slices.Sort(lines)
	return fmt.Sprintf("name %s\nkind %s\nstatus %s %q\n\n%s\n", span.Name(), span.SpanKind(), span.Status().Code, span.Status().Description, strings.Join(lines, "\n"))
}
