package securebedrock_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// around makes a middleware of a function that gets the next handler.
func around(f func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error)) func(*opts) {
	return func(o *opts) {
		o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
			return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
				return f(ctx, call, next)
			}
		})
	}
}

func TestMiddlewareSeesTheCall(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, func(o *opts) { o.Residency = securebedrock.Geography("us") })
	in := converse("hello")
	in.ModelId = aws.String("us." + haiku)
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	call := rec.calls[0]
	if call.ID == "" || call.Operation != "Converse" || call.Region != "us-east-1" || call.Unguarded != "" || call.Start.IsZero() ||
		call.Guardrail.ID != bedrocktest.DefaultGuardrailID || call.Model.Kind != securebedrock.KindInferenceProfile ||
		call.Model.Prefix != "us" || len(call.Model.Regions) != 3 {
		t.Errorf("call %+v", call)
	}
	if call.Input == any(in) {
		t.Error("the middleware was given the caller's own input")
	}
}

// The record names the model that was called, with its regions, or the one that
// was refused, with none.
func TestRecordNamesTheModel(t *testing.T) {
	for _, row := range []struct {
		name    string
		change  func(*opts)
		model   string
		want    string
		regions []string
	}{
		{"a model of the region", func(*opts) {}, haiku, haiku, []string{"us-east-1"}},
		{"one that a resolver resolved", func(o *opts) { o.Profiles = resolver{regions: []string{"us-east-1", "us-east-1"}} }, "us." + haiku, "us." + haiku, []string{"us-east-1", "us-east-1"}},
		{"one that an inner middleware chose", around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			call.Input.(*bedrockruntime.ConverseInput).ModelId = aws.String("amazon.nova-pro-v1:0")
			return next(ctx, call)
		}), haiku, "amazon.nova-pro-v1:0", []string{"us-east-1"}},
		{"an ARN of another region", func(*opts) {}, "arn:aws:bedrock:us-west-2::foundation-model/" + haiku, "arn:aws:bedrock:us-west-2::foundation-model/" + haiku, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option, row.change)
			in := converse("hello")
			in.ModelId = &row.model
			_, _ = c.Converse(t.Context(), in)
			if m := rec.one(t).call.Model; m.ID != row.want || !slices.Equal(m.Regions, row.regions) {
				t.Errorf("the record has %+v", m)
			}
		})
	}
}

// A middleware cannot excuse an operation by writing a reason into the Call, nor
// a model by writing other regions.
func TestMiddlewareCannotWriteFacts(t *testing.T) {
	forge := around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		call.Unguarded = "because I say so"
		call.Model.Regions = []string{"us-east-1"}
		call.Guardrail = securebedrock.Guardrail{}
		return next(ctx, call)
	})
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, forge)
	_, err := c.StartAsyncInvoke(t.Context(), startAsync())
	refusedBy(t, err, securebedrock.ErrUnguardedOperation)
	in := converse("a secret")
	in.ModelId = aws.String("us." + haiku)
	_, err = c.Converse(t.Context(), in)
	refusedBy(t, err, securebedrock.ErrResidency)
	nothingArrived(t, server)
}

// A middleware may rewrite the input, and the rules judge what it wrote.
func TestMiddlewareCannotUndoTheRules(t *testing.T) {
	for _, row := range []struct {
		name string
		f    func(*bedrockruntime.ConverseInput)
		rule error
	}{
		{"another text", func(in *bedrockruntime.ConverseInput) { in.Messages = userSays("redacted") }, nil},
		{"another model", func(in *bedrockruntime.ConverseInput) { in.ModelId = aws.String("global." + haiku) }, securebedrock.ErrResidency},
		{"no guardrail", func(in *bedrockruntime.ConverseInput) { in.GuardrailConfig = nil }, nil},
		{"another guardrail", func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("other")}
		}, securebedrock.ErrGuardrailOverride},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
				row.f(call.Input.(*bedrockruntime.ConverseInput))
				return next(ctx, call)
			}))
			in := converse("a secret")
			_, err := c.Converse(t.Context(), in)
			if in.GuardrailConfig != nil || aws.ToString(in.ModelId) != haiku {
				t.Error("the caller's input was written into")
			}
			if row.rule != nil {
				refusedBy(t, err, row.rule)
				nothingArrived(t, server)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput); got.GuardrailConfig == nil {
				t.Error("the call went without its guardrail")
			}
		})
	}
}

func TestMiddlewareAnswers(t *testing.T) {
	server := bedrocktest.NewServer(t)
	for _, row := range []struct {
		name string
		f    func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error)
		want error // nil: an answer
	}{
		{"with an answer of its own", func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return &securebedrock.Result{Output: bedrocktest.Text("cached")}, nil
		}, nil},
		{"with an error", func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, securebedrock.ErrAudit
		}, securebedrock.ErrAudit},
		{"with nothing", func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, nil
		}, securebedrock.ErrConfig},
		{"with another operation's answer", func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return &securebedrock.Result{Output: new(bedrockruntime.CountTokensOutput)}, nil
		}, securebedrock.ErrConfig},
		{"with a nil answer", func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return &securebedrock.Result{Output: (*bedrockruntime.ConverseOutput)(nil)}, nil
		}, securebedrock.ErrConfig},
		{"on a context of its own", func(_ context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			return next(context.Background(), call)
		}, securebedrock.ErrConfig},
		{"with another input's type", func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			call.Input = "text"
			return next(ctx, call)
		}, errAny},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newClient(t, server, around(row.f))
			out, err := c.Converse(t.Context(), converse("hello"))
			switch {
			case row.want == nil && (err != nil || textOf(t, out) != "cached"):
				t.Errorf("%v, %v", out, err)
			case row.want == errAny && err == nil, row.want != nil && row.want != errAny && !errors.Is(err, row.want):
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}

// A middleware may try again after a failure, each pass with its own record, and
// may not ask for two answers, which the SDK would write into one.
func TestMiddlewareCallsNextAgain(t *testing.T) {
	t.Run("after a failure", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		server.Fail("Converse", bedrocktest.Error(400, "ValidationException", "no such model"))
		rec := new(recorder)
		c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			res, err := next(ctx, call)
			if err != nil {
				call.Input.(*bedrockruntime.ConverseInput).ModelId = aws.String("amazon.nova-lite-v1:0")
				res, err = next(ctx, call)
			}
			return res, err
		}), rec.option)
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
		if got := calls(server, "Converse"); len(got) != 2 || got[1].ModelID != "amazon.nova-lite-v1:0" {
			t.Errorf("the server received %+v", got)
		}
		if len(rec.records) != 2 || rec.records[0].outcome.Err == nil || rec.records[1].outcome.Err != nil {
			t.Errorf("records %+v", rec.records)
		}
	})
	t.Run("after an answer", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			if _, err := next(ctx, call); err != nil {
				t.Error(err)
			}
			return next(ctx, call)
		}))
		_, err := c.Converse(t.Context(), converse("hello"))
		refusedBy(t, err, securebedrock.ErrConfig)
	})
	t.Run("at once", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			var errs [4]error
			var wg sync.WaitGroup
			for i := range errs {
				wg.Go(func() { _, errs[i] = next(ctx, call) })
			}
			wg.Wait()
			passed := 0
			for _, err := range errs {
				if err == nil {
					passed++
				}
			}
			if passed != 1 {
				t.Errorf("%d of 4 passes got an answer", passed)
			}
			return &securebedrock.Result{Output: bedrocktest.Text("one")}, nil
		}))
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
	})
}

// OnDone runs each function once, whether it is registered before or after.
func TestOnDoneOnce(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var mu sync.Mutex
	count := map[string]int{}
	note := func(name string) func(securebedrock.Outcome) {
		return func(securebedrock.Outcome) { mu.Lock(); count[name]++; mu.Unlock() }
	}
	var kept *securebedrock.Result
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		res, err := next(ctx, call)
		res.OnDone(note("early"))
		kept = res
		return res, err
	}))
	out, err := c.ConverseStream(t.Context(), converseStream("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(out.GetStream()); err != nil {
		t.Fatal(err)
	}
	out.GetStream().Close()
	settled(t, "early", func() bool { mu.Lock(); defer mu.Unlock(); return count["early"] == 1 })
	kept.OnDone(note("late"))
	(&securebedrock.Result{}).OnDone(note("own"))
	if count["early"] != 1 || count["late"] != 1 || count["own"] != 1 {
		t.Errorf("%v", count)
	}
}

// The outcome of a failed call says how often it was sent, and why it failed.
func TestOutcomeOfFailures(t *testing.T) {
	for _, row := range []struct {
		name     string
		fault    bedrocktest.Fault
		attempts int
		ok       bool
	}{
		{"throttled once", bedrocktest.Throttle(1), 2, true},
		{"throttled for good", bedrocktest.Throttle(9), 3, false},
		{"a server error once", bedrocktest.ServerError(503, 1), 2, true},
		{"overloaded once", bedrocktest.Error(529, "overloaded_error", "try again"), 2, true},
		{"a lost connection", bedrocktest.Drop(), 2, true},
		{"a validation error", bedrocktest.Error(400, "ValidationException", "bad"), 1, false},
		{"an access error", bedrocktest.Error(403, "AccessDeniedException", "no"), 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := bedrocktest.NewServer(t)
			server.Fail("Converse", row.fault)
			rec := new(recorder)
			c := newClient(t, server, rec.option)
			_, err := c.Converse(t.Context(), converse("hello"))
			r := rec.one(t)
			if (err == nil) != row.ok || r.outcome.Attempts != row.attempts || (r.outcome.Err == nil) != row.ok || r.outcome.Canceled {
				t.Errorf("%v, outcome %+v", err, r.outcome)
			}
		})
	}
}
