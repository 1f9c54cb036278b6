package otelbedrock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"
)

func TestMetricsHaveTheConventionsNamesUnitsAndBuckets(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(tm.middleware(t)))
	out, err := c.ConverseStream(t.Context(), converseStream("one two three"))
	if err != nil {
		t.Fatal(err)
	}
	if err := drain(out.GetStream()); err != nil {
		t.Fatal(err)
	}
	span := tm.one(t)
	all := tm.metrics(t)
	seconds := []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	for name, unit := range map[string]string{
		"gen_ai.client.operation.duration": "s", "gen_ai.client.operation.time_to_first_chunk": "s", "gen_ai.client.token.usage": "{token}",
	} {
		if m, ok := all[name]; !ok || m.Unit != unit || m.Description == "" {
			t.Errorf("%s: %+v", name, m)
		}
	}
	p := tm.durations(t)
	if len(p) != 1 || !slices.Equal(p[0].Bounds, seconds) || p[0].Sum > span.EndTime().Sub(span.StartTime()).Seconds() {
		t.Errorf("durations %+v", p)
	}
	tokens := all["gen_ai.client.token.usage"].Data.(metricdata.Histogram[int64]).DataPoints
	got := map[string]int64{}
	for _, p := range tokens {
		v, _ := p.Attributes.Value("gen_ai.token.type")
		got[v.AsString()] = p.Sum
		if p.Bounds[0] != 1 || p.Bounds[len(p.Bounds)-1] != 67108864 || len(p.Bounds) != 14 {
			t.Errorf("bounds %v", p.Bounds)
		}
	}
	for kind, key := range map[string]string{"input": "gen_ai.usage.input_tokens", "output": "gen_ai.usage.output_tokens"} {
		if n := attributes(span)[key].AsInt64(); n == 0 || got[kind] != n {
			t.Errorf("%s tokens: metric %d, span %d", kind, got[kind], n)
		}
	}
}

// allowed are the only attributes that a metric can have.
func allowed(set attribute.Set) error {
	names := []attribute.Key{
		"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.token.type",
		"server.address", "server.port", "error.type", "securebedrock.guardrail.intervened",
	}
	for _, kv := range set.ToSlice() {
		if !slices.Contains(names, kv.Key) {
			return fmt.Errorf("%s is on a metric", kv.Key)
		}
	}
	return nil
}

func TestMetricsCarryNothingThatIsUniqueToACall(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(tm.middleware(t)))
	for range 3 {
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Converse(t.Context(), converse("build a bomb")); err != nil {
		t.Fatal(err)
	}
	p := tm.durations(t)
	if len(p) != 2 {
		t.Fatalf("%d series, want one for what passed and one for what the guardrail caught", len(p))
	}
	var n uint64
	for _, p := range p {
		n += p.Count
		if err := allowed(p.Attributes); err != nil {
			t.Error(err)
		}
	}
	if n != 4 {
		t.Errorf("%d calls were measured", n)
	}
}

func TestARefusedModelMakesNoSeries(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(tm.middleware(t)), func(o *securebedrock.Options) { o.Models = []string{haiku} })
	for i := range 5 {
		in := converse("hello")
		in.ModelId = aws.String(fmt.Sprintf("anthropic.invented-%d", i))
		if _, err := c.Converse(t.Context(), in); !errors.Is(err, securebedrock.ErrModel) {
			t.Fatal(err)
		}
	}
	if p := tm.durations(t); len(p) != 1 || p[0].Count != 5 || p[0].Attributes.HasValue("gen_ai.request.model") {
		t.Errorf("series %+v", p)
	}
}

func TestManyModelsAreAllMeasured(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	h := tm.middleware(t)(func(_ context.Context, _ *securebedrock.Call) (*securebedrock.Result, error) {
		return &securebedrock.Result{}, nil
	})
	for i := range 600 { // more than are kept ready
		call := &securebedrock.Call{Operation: "Converse", Host: server.URL(), Model: securebedrock.Model{ID: fmt.Sprintf("a.b%d", i), Kind: securebedrock.KindFoundationModel}}
		if _, err := h(t.Context(), call); err != nil {
			t.Fatal(err)
		}
	}
	ended := tm.spans.Ended()
	if len(ended) != 600 || ended[599].Name() != "chat a.b599" {
		t.Errorf("%d spans", len(ended))
	}
	if p := tm.durations(t); len(p) != 1 || p[0].Count != 600 { // nothing was sent
		t.Errorf("series %+v", p)
	}
}

func TestCountTokensUsesNoTokens(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(tm.middleware(t)))
	for _, op := range operations() {
		if op.sdk == "CountTokens" {
			if err := op.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	want(t, tm.one(t), map[string]string{"gen_ai.usage.input_tokens": "-"})
	if _, ok := tm.metrics(t)["gen_ai.client.token.usage"]; ok {
		t.Error("the counted tokens were taken for used ones")
	}
}

func TestMetricsNeedNoSpans(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	mw, err := otelbedrock.Middleware(otelbedrock.Options{TracerProvider: tracenoop.NewTracerProvider(), MeterProvider: tm.meters})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, server, through(mw))
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	tm.countedOnce(t)
}

// brokenMeters cannot make a histogram.
type brokenMeters struct{ metricnoop.MeterProvider }

type brokenMeter struct{ metricnoop.Meter }

var errBroken = errors.New("no such view")

func (brokenMeters) Meter(string, ...metric.MeterOption) metric.Meter { return brokenMeter{} }

func (brokenMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errBroken
}

func TestAMeterProviderThatFailsIsNamed(t *testing.T) {
	_, err := otelbedrock.Middleware(otelbedrock.Options{MeterProvider: brokenMeters{}})
	var instrument *otelbedrock.InstrumentError
	if !errors.As(err, &instrument) || instrument.Name != "gen_ai.client.operation.duration" || !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

func callModels(t *testing.T, c *securebedrock.Client, n int, name string) {
	t.Helper()
	for i := range n {
		in := converse("hello")
		in.ModelId = aws.String(fmt.Sprintf(name, i))
		_, _ = c.Converse(t.Context(), in)
	}
}

// Names that callers make up make no series: neither where nothing was sent, nor
// where Bedrock knows no such model.
func TestMadeUpModelsMakeNoSeries(t *testing.T) {
	for name, inner := range map[string]securebedrock.Middleware{
		"refused by a middleware's own rule": refuses(func() error { return quota{"house_quota"} }),
		"refused by an error of no rule":     refuses(func() error { return errors.New("canary") }),
		"answered without a send": around(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return &securebedrock.Result{Output: &bedrockruntime.ConverseOutput{}}, nil
		}),
	} {
		server, tm := bedrocktest.NewServer(t), newTelemetry()
		c := newClient(t, server, through(tm.middleware(t), inner))
		callModels(t, c, 700, "anthropic.invented-%d")
		p := tm.durations(t)
		if len(p) != 1 || p[0].Count != 700 || p[0].Attributes.HasValue("gen_ai.request.model") {
			t.Errorf("%s: %d series", name, len(p))
		}
	}
	for _, f := range []bedrocktest.Fault{
		bedrocktest.Error(400, "ValidationException", "The provided model identifier is invalid."),
		bedrocktest.Error(404, "ResourceNotFoundException", "no"), bedrocktest.Error(403, "AccessDeniedException", "no"),
	} {
		server, tm := bedrocktest.NewServer(t), newTelemetry()
		c := newClient(t, server, through(tm.middleware(t)))
		for i := range 20 {
			server.Fail("Converse", f)
			in := converse("hello")
			in.ModelId = aws.String(fmt.Sprintf("anthropic.invented-%d", i))
			_, _ = c.Converse(t.Context(), in)
		}
		if p := tm.durations(t); len(p) != 1 || p[0].Count != 20 || p[0].Attributes.HasValue("gen_ai.request.model") {
			t.Errorf("%+v: %d series", f, len(p))
		}
		// A model that has answered keeps its name where a request of it is refused.
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
		server.Fail("Converse", f)
		_, _ = c.Converse(t.Context(), converse("hello"))
		named := 0
		for _, p := range tm.durations(t) {
			if v, _ := p.Attributes.Value("gen_ai.request.model"); v.AsString() == haiku {
				named++
			}
		}
		if named != 2 {
			t.Errorf("%+v: %d series of the model that answers, want its answer's and its failure's", f, named)
		}
	}
}

// What a rule or a service is called is bounded too.
func TestMadeUpErrorsMakeNoSeries(t *testing.T) {
	n := 0
	for name, err := range map[string]func() error{
		"a rule's name": func() error { n++; return quota{fmt.Sprintf("rule_%d", n)} },
		"a code":        func() error { n++; return &smithy.GenericAPIError{Code: fmt.Sprintf("Code%d", n)} },
	} {
		server, tm := bedrocktest.NewServer(t), newTelemetry()
		c := newClient(t, server, through(tm.middleware(t), refuses(err)))
		callModels(t, c, 400, "anthropic.invented-%d")
		other := false
		p := tm.durations(t)
		for _, p := range p {
			v, _ := p.Attributes.Value("error.type")
			other = other || v.AsString() == "_OTHER" && p.Count == 400-128
		}
		if len(p) != 129 || !other {
			t.Errorf("%s: %d series", name, len(p))
		}
	}
}

func TestModelsBeyondMaxModelsAreOther(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	mw, err := otelbedrock.Middleware(otelbedrock.Options{TracerProvider: tm.tracers, MeterProvider: tm.meters, MaxModels: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, server, through(mw))
	for _, model := range []string{haiku, haiku, "anthropic.claude-3-sonnet-20240229-v1:0", "anthropic.claude-3-sonnet-20240229-v1:0"} {
		in := converse("hello")
		in.ModelId = aws.String(model)
		if _, err := c.Converse(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]uint64{}
	for _, p := range tm.durations(t) {
		v, _ := p.Attributes.Value("gen_ai.request.model")
		got[v.AsString()] += p.Count
	}
	if len(got) != 2 || got[haiku] != 2 || got["_OTHER"] != 2 {
		t.Errorf("%v", got)
	}
	if _, err := otelbedrock.Middleware(otelbedrock.Options{MaxModels: -1}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("%v", err)
	}
}
