package otelbedrock_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"
)

// quota is an error of an application's own rule.
type quota struct{ name string }

func (quota) Error() string      { return "canary" }
func (q quota) RuleName() string { return q.name }

func refuses(err func() error) securebedrock.Middleware {
	return around(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
		return nil, err()
	})
}

func callModels(t *testing.T, c *securebedrock.Client, n int, name string) {
	t.Helper()
	for i := range n {
		in := converse("hello")
		in.ModelId = aws.String(fmt.Sprintf(name, i))
		_, _ = c.Converse(t.Context(), in)
	}
}

// A Middleware's own rule has its name in spans and metrics.
func TestAMiddlewaresRuleHasItsName(t *testing.T) {
	for name, err := range map[string]error{
		"by itself":              quota{"house_quota"},
		"wrapped":                fmt.Errorf("x: %w", quota{"house_quota"}),
		"joined":                 errors.Join(errors.New("x"), quota{"house_quota"}),
		"as a PolicyError":       &securebedrock.PolicyError{Rule: quota{"house_quota"}},
		"around a network error": fmt.Errorf("%w: %w", quota{"house_quota"}, context.DeadlineExceeded),
	} {
		server, tm := bedrocktest.NewServer(t), newTelemetry()
		c := newClient(t, server, through(tm.middleware(t), refuses(func() error { return err })))
		if _, err := c.Converse(t.Context(), converse("hello")); err == nil {
			t.Fatal(name)
		}
		want(t, tm.one(t), map[string]string{"error.type": "house_quota", "securebedrock.rule": "house_quota"})
		p := tm.durations(t)
		if v, _ := p[0].Attributes.Value("error.type"); len(p) != 1 || v.AsString() != "house_quota" {
			t.Errorf("%s: %+v", name, p)
		}
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
