package otelbedrock_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

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
