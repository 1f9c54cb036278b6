package otelbedrock_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

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
