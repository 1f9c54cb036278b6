package securebedrock_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

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

// A stream that a middleware replaces by another is closed.
func TestMiddlewareReplacesStream(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		if _, err := next(ctx, call); err != nil {
			return nil, err
		}
		return &securebedrock.Result{Output: new(bedrockruntime.ConverseStreamOutput)}, nil
	}))
	if _, err := c.ConverseStream(context.Background(), converseStream(longPrompt)); err != nil {
		t.Fatal(err)
	}
	settled(t, "no stream left", func() bool { return streamGoroutines() == 0 })
}

// middleware drops a stream with an error
func TestMiddlewareDropsStream(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		if _, err := next(ctx, call); err != nil {
			return nil, err
		}
		return nil, securebedrock.ErrAudit
	}), rec.option)
	_, err := c.ConverseStream(context.Background(), converseStream(longPrompt))
	if !errors.Is(err, securebedrock.ErrAudit) {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if n := streamGoroutines(); n != 0 {
		t.Errorf("%d goroutines serve a stream that nobody has", n)
	}
	rec.one(t)
}

// metadata, pagination
func TestResultMetadata(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	for name, f := range map[string]func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error){"c": c.Converse, "r": c.Runtime().Converse} {
		out, err := f(t.Context(), converse("x"))
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata); !ok || id == "" {
			t.Error(name, "no request id")
		}
		if raw := awsmiddleware.GetRawResponse(out.ResultMetadata); raw == nil {
			t.Error(name, "no raw response")
		}
	}
	p := bedrockruntime.NewListAsyncInvokesPaginator(c, &bedrockruntime.ListAsyncInvokesInput{})
	for p.HasMorePages() {
		if _, err := p.NextPage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	out, err := c.ConverseStream(t.Context(), converseStream("x"))
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata); !ok || id == "" {
		t.Error("stream no request id")
	}
	drain(out.GetStream())
	for _, call := range server.Calls() {
		t.Log(call.Operation, call.Header.Get("User-Agent"))
	}
}

// Deserialize middleware on Runtime per call
func TestRuntimeDeserializeMiddlewareRuns(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	for name, f := range map[string]func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error){"c": c.Converse, "r": c.Runtime().Converse} {
		ran := false
		_, err := f(t.Context(), converse("x"), func(o *sdkOptions) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("m", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
					ran = true
					return next.HandleDeserialize(ctx, in)
				}), middleware.After)
			})
		})
		if !ran && !errors.Is(err, securebedrock.ErrConfig) {
			t.Error(name, "the middleware did not run, and nobody says so")
		}
	}
}
