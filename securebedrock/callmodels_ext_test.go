package securebedrock_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// WithModels narrows each operation that names a model, on each of the doors, and the
// refusal is recorded like every other. The operations without a model pass.
func TestWithModelsNarrowsEachOperation(t *testing.T) {
	withoutModel := map[string]bool{"ApplyGuardrail": true, "InvokeGuardrailChecks": true, "GetAsyncInvoke": true, "ListAsyncInvokes": true}
	for operation, do := range everyOperation() {
		t.Run(operation, func(t *testing.T) {
			server, r := bedrocktest.NewServer(t), new(recorder)
			c := newClient(t, server, excuseAll, r.option)
			err := do(securebedrock.WithModels(t.Context(), "meta.*"), c)
			if withoutModel[operation] {
				if record := r.one(t); strings.Contains(errorText(record.err), "WithModels") {
					t.Errorf("an operation without a model: %v", record.err)
				}
				if len(calls(server, operation)) != 1 {
					t.Error("the operation without a model was not sent")
				}
				return
			}
			refusedBy(t, err, securebedrock.ErrModel)
			if !strings.Contains(err.Error(), "WithModels") {
				t.Errorf("the error does not say what to do: %v", err)
			}
			if record := r.one(t); record.err == nil || record.outcome.Err == nil || securebedrock.RuleName(record.err) != securebedrock.RuleName(securebedrock.ErrModel) {
				t.Errorf("the record says %v", record.outcome.Err)
			}
			nothingArrived(t, server)
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWithModels(t *testing.T) {
	type ctxs = func(context.Context) context.Context
	with := func(lists ...[]string) ctxs {
		return func(ctx context.Context) context.Context {
			for _, l := range lists {
				ctx = securebedrock.WithModels(ctx, l...) //nolint:fatcontext // nesting is what is tested
			}
			return ctx
		}
	}
	for _, row := range []struct {
		name    string
		context ctxs
		options []string // Options.Models
		refused bool
	}{
		{"no WithModels", with(), nil, false},
		{"the model itself", with([]string{haiku}), nil, false},
		{"a pattern", with([]string{"anthropic.*"}), nil, false},
		{"one of several patterns", with([]string{"meta.*", "anthropic.*"}), nil, false},
		{"another model", with([]string{"anthropic.claude-3-opus-20240229-v1:0"}), nil, true},
		{"a pattern of a part", with([]string{"anthropic"}), nil, true},
		{"no pattern", with([]string{}), nil, true},
		{"an empty pattern", with([]string{""}), nil, true},
		{"nested, both match", with([]string{"anthropic.*"}, []string{"*haiku*"}), nil, false},
		{"nested, the outer matches alone", with([]string{"anthropic.*"}, []string{"meta.*"}), nil, true},
		{"nested, the inner matches alone", with([]string{"meta.*"}, []string{"*"}), nil, true},
		{"nested, no pattern outside", with([]string{}, []string{"*"}), nil, true},
		{"nested, no pattern inside", with([]string{"*"}, []string{}), nil, true},
		{"three, the middle refuses", with([]string{"*"}, []string{"meta.*"}, []string{"*"}), nil, true},
		{"Options.Models refuse what it permits", with([]string{"*"}), []string{"meta.*"}, true},
		{"both permit", with([]string{"anthropic.*"}), []string{"anthropic.*"}, false},
		{"a context that derives from it", func(ctx context.Context) context.Context {
			return context.WithoutCancel(securebedrock.WithCorrelationID(securebedrock.WithModels(ctx, "meta.*"), "ticket-7"))
		}, nil, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, func(o *opts) { o.Models = row.options })
			for name, do := range map[string]func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error){
				"Client": c.Converse, "Runtime": c.Runtime().Converse, "Config": bedrockruntime.NewFromConfig(c.Config()).Converse,
			} {
				_, err := do(row.context(t.Context()), converse("hello"))
				if row.refused {
					refusedBy(t, err, securebedrock.ErrModel)
				} else if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if row.refused {
				nothingArrived(t, server)
			}
		})
	}
}

// What one context may not use is not remembered for the next, nor the other way round.
func TestWithModelsIsOfItsContextAlone(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	narrow := securebedrock.WithModels(t.Context(), "meta.*")
	for range 3 {
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
		_, err := c.Converse(narrow, converse("hello"))
		refusedBy(t, err, securebedrock.ErrModel)
	}
	patterns := []string{"meta.*"}
	ctx := securebedrock.WithModels(t.Context(), patterns...)
	patterns[0] = "*"
	_, err := c.Converse(ctx, converse("hello"))
	refusedBy(t, err, securebedrock.ErrModel)
}

// A Middleware can narrow its call, and cannot widen it: not with another model, not
// with WithModels, and not with a call of its own within the call.
func TestWithModelsAndMiddleware(t *testing.T) {
	const opus = "anthropic.claude-3-opus-20240229-v1:0"
	for _, row := range []struct {
		name       string
		middleware func(inner func() *client) securebedrock.Middleware
		refused    bool
	}{
		{"passes on", func(func() *client) securebedrock.Middleware {
			return func(next securebedrock.Handler) securebedrock.Handler { return next }
		}, false},
		{"names a model that the context does not permit", func(func() *client) securebedrock.Middleware {
			return func(next securebedrock.Handler) securebedrock.Handler {
				return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
					*call.Input.(*bedrockruntime.ConverseInput) = *converse("a secret")
					model := opus
					call.Input.(*bedrockruntime.ConverseInput).ModelId = &model
					return next(ctx, call)
				}
			}
		}, true},
		{"narrows", func(func() *client) securebedrock.Middleware {
			return func(next securebedrock.Handler) securebedrock.Handler {
				return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
					return next(securebedrock.WithModels(ctx, "meta.*"), call)
				}
			}
		}, true},
		{"widens", func(func() *client) securebedrock.Middleware {
			return func(next securebedrock.Handler) securebedrock.Handler {
				return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
					model := opus
					call.Input.(*bedrockruntime.ConverseInput).ModelId = &model
					return next(securebedrock.WithModels(ctx, "*"), call)
				}
			}
		}, true},
		{"passes on a context of its own", func(func() *client) securebedrock.Middleware {
			return func(next securebedrock.Handler) securebedrock.Handler {
				return func(_ context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
					return next(context.Background(), call)
				}
			}
		}, true},
		{"makes a call of its own with another model", func(inner func() *client) securebedrock.Middleware {
			var within atomic.Bool
			return func(next securebedrock.Handler) securebedrock.Handler {
				return func(ctx context.Context, call *securebedrock.Call) (res *securebedrock.Result, err error) {
					if within.CompareAndSwap(false, true) {
						in := converse("a secret")
						model := opus
						in.ModelId = &model
						if _, err := inner().Converse(ctx, in); err != nil {
							return nil, err
						}
					}
					return next(ctx, call)
				}
			}
		}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			var c *client
			c = newClient(t, server, func(o *opts) {
				o.Middleware = []securebedrock.Middleware{row.middleware(func() *client { return c })}
			})
			_, err := c.Converse(securebedrock.WithModels(t.Context(), haiku), converse("a secret"))
			if !row.refused {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatal("the call went through")
			}
			nothingArrived(t, server)
		})
	}
}

// Profiles are not asked about a model that the context does not permit.
func TestWithModelsComesBeforeTheResolver(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) { o.Profiles = askedResolver{t} })
	in := converse("a secret")
	model := "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456"
	in.ModelId = &model
	_, err := c.Converse(securebedrock.WithModels(t.Context(), "anthropic.*"), in)
	refusedBy(t, err, securebedrock.ErrModel)
}

// askedResolver fails the test that asks it.
type askedResolver struct{ t *testing.T }

func (r askedResolver) Destinations(context.Context, string, string) ([]string, error) {
	r.t.Error("the resolver was asked")
	return nil, nil
}
