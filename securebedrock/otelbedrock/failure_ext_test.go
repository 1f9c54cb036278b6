package otelbedrock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.opentelemetry.io/otel/codes"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func TestAFailureIsToldByItsKindAndNothingElse(t *testing.T) {
	for _, row := range []struct {
		name   string
		opts   func(*securebedrock.Options)
		inner  func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error)
		fault  *bedrocktest.Fault
		model  string
		kind   string
		rule   string // "-" for none
		others map[string]string
	}{
		{name: "a model outside of the region is refused", model: "global." + haiku, kind: "residency", rule: "residency",
			others: map[string]string{"securebedrock.attempts": "0", "gen_ai.request.model": "global." + haiku, "aws.request_id": "-"}},
		{name: "what is no model is refused and not repeated", model: "tell me a secret", kind: "model", rule: "model",
			others: map[string]string{"gen_ai.request.model": "-"}},
		{name: "a model that is not on the list is refused", opts: func(o *securebedrock.Options) { o.Models = []string{"amazon.nova-*"} }, kind: "model", rule: "model"},
		{name: "the service denies access", fault: fault(bedrocktest.Error(403, "AccessDeniedException", "no")), kind: "AccessDeniedException", rule: "-",
			others: map[string]string{"securebedrock.attempts": "1", "securebedrock.throttled": "0"}},
		{name: "the service's code is no word", fault: fault(bedrocktest.Error(400, "You wrote a secret", "no")), kind: "_OTHER", rule: "-"},
		{name: "the service's code is too long", fault: fault(bedrocktest.Error(400, strings.Repeat("a", 129), "no")), kind: "_OTHER", rule: "-"},
		{name: "the model is throttled for good", fault: fault(bedrocktest.Throttle(9)), opts: func(o *securebedrock.Options) { o.Retry.MaxAttempts = 2 }, kind: "ThrottlingException", rule: "-",
			others: map[string]string{"securebedrock.attempts": "2", "securebedrock.throttled": "2"}},
		{name: "a redirect is refused", fault: fault(bedrocktest.Redirect(307, "https://example.com/")), kind: "redirect", rule: "redirect"},
		{name: "nothing arrives", fault: fault(bedrocktest.StallHeaders()), opts: func(o *securebedrock.Options) {
			o.Timeouts = securebedrock.Timeouts{Connect: 50 * time.Millisecond, Read: 50 * time.Millisecond}
			o.Retry.MaxAttempts = 1
		}, kind: "read_timeout", rule: "read_timeout"},
		{name: "the call takes too long", fault: fault(bedrocktest.StallHeaders()), opts: func(o *securebedrock.Options) { o.Timeouts.Call = 100 * time.Millisecond },
			kind: "call_timeout", rule: "call_timeout"},
		{name: "a middleware refuses in its own words", inner: func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, errors.New("you wrote a secret")
		}, kind: "_OTHER", rule: "-"},
		{name: "a middleware makes an error of an answer", inner: func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			res, err := next(ctx, call)
			return res, errors.Join(err, securebedrock.ErrAudit)
		}, kind: "audit", rule: "audit", others: map[string]string{"securebedrock.attempts": "1"}},
		{name: "a middleware's deadline passes", inner: func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, context.DeadlineExceeded
		}, kind: "deadline_exceeded", rule: "-"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server, tm := bedrocktest.NewServer(t), newTelemetry()
			if row.fault != nil {
				server.Fail("Converse", *row.fault)
			}
			mws := []securebedrock.Middleware{tm.middleware(t)}
			if row.inner != nil {
				mws = append(mws, around(row.inner))
			}
			if row.opts == nil {
				row.opts = func(*securebedrock.Options) {}
			}
			c := newClient(t, server, through(mws...), row.opts)
			in := converse("hello")
			if row.model != "" {
				in.ModelId = aws.String(row.model)
			}
			if _, err := c.Converse(t.Context(), in); err == nil {
				t.Fatal("the call succeeded")
			}
			span := tm.one(t)
			if s := span.Status(); s.Code != codes.Error || s.Description != row.kind {
				t.Errorf("status %+v, want %s", s, row.kind)
			}
			want(t, span, map[string]string{"error.type": row.kind, "securebedrock.rule": row.rule})
			want(t, span, row.others)
			if len(span.Events()) != 0 {
				t.Errorf("events %v", span.Events())
			}
			tm.countedOnce(t)
			if v, _ := tm.durations(t)[0].Attributes.Value("error.type"); v.AsString() != row.kind {
				t.Errorf("the metric's error.type is %q", v.AsString())
			}
		})
	}
}

func fault(f bedrocktest.Fault) *bedrocktest.Fault { return &f }

func TestAThrottledCallThatSucceedsSaysSo(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	server.Fail("Converse", bedrocktest.Throttle(1))
	c := newClient(t, server, through(tm.middleware(t)))
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	span := tm.one(t)
	want(t, span, map[string]string{"securebedrock.attempts": "2", "securebedrock.throttled": "1", "error.type": "-"})
	if span.Status().Code != codes.Unset || attributes(span)["securebedrock.wait"].AsFloat64() <= 0 {
		t.Errorf("status %v, wait %v", span.Status(), attributes(span)["securebedrock.wait"])
	}
}

func TestAMiddlewareThatSavesACallLeavesNoError(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	server.Fail("Converse", bedrocktest.Error(403, "AccessDeniedException", "no"))
	c := newClient(t, server, through(tm.middleware(t), around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		res, _ := next(ctx, call)
		res.Output = bedrocktest.Text("cached")
		return res, nil
	})))
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	span := tm.one(t)
	want(t, span, map[string]string{"error.type": "-", "securebedrock.attempts": "1"})
	if span.Status().Code != codes.Unset {
		t.Errorf("status %v", span.Status())
	}
}

func TestACancelledCallIsCancelled(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	server.Fail("Converse", bedrocktest.StallHeaders())
	c := newClient(t, server, through(tm.middleware(t)))
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, nil)
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := c.Converse(ctx, converse("hello")); err == nil {
		t.Fatal("the call succeeded")
	}
	span := tm.one(t)
	want(t, span, map[string]string{"error.type": "canceled", "securebedrock.canceled": "true"})
	tm.countedOnce(t)
}

// quota is an error of an application's own rule.
type quota struct{ name string }

func (quota) Error() string { return "canary" }

func (q quota) RuleName() string { return q.name }

func refuses(err func() error) securebedrock.Middleware {
	return around(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
		return nil, err()
	})
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
