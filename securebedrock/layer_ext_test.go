package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// forge writes into every field of a Call that a Middleware does not decide, found
// by reflection, so that a field which Call gains is tried too.
func forge(t *testing.T, call *securebedrock.Call) {
	v := reflect.ValueOf(call).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || field.Name == "Input" || field.Name == "OnEvent" || field.Name == "CorrelationID" {
			continue
		}
		switch f := v.Field(i).Addr().Interface().(type) {
		case *string:
			*f = "forged"
		case *time.Time:
			*f = time.Unix(0, 0)
		case *securebedrock.Model:
			if len(f.Regions) > 0 {
				f.Regions[0] = "forged" // in the slice itself
			}
			*f = securebedrock.Model{ID: "forged", Regions: append(f.Regions[:0:0], "forged")}
		case *securebedrock.Guardrail:
			*f = securebedrock.Guardrail{ID: "forged", Version: "9"}
		default:
			t.Errorf("Call has gained %s, a %s: say whose it is", field.Name, field.Type)
		}
	}
}

// facts are what a record would tell of a call.
func facts(c *securebedrock.Call) map[string]any {
	return map[string]any{"ID": c.ID, "Operation": c.Operation, "Model": c.Model.ID, "Regions": append([]string(nil), c.Model.Regions...), "Region": c.Region, "Host": c.Host,
		"RoleARN": c.RoleARN, "SessionName": c.SessionName, "Guardrail": c.Guardrail, "Unguarded": c.Unguarded, "Start": c.Start}
}

// A Middleware cannot forge what a record says of a call, neither for those around
// it nor for those inside, by writing into its Call or by passing on a copy.
func TestMiddlewareCannotForgeFacts(t *testing.T) {
	for _, way := range []string{"in place", "a copy", "after next"} {
		for operation := range map[string]bool{"Converse": true, "ConverseStream": true, "InvokeModel": true} {
			t.Run(way+", "+operation, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				var outer, inner, afterwards map[string]any
				var outerID, innerID string
				spy := func(call *securebedrock.Call) func() map[string]any {
					return func() map[string]any { return facts(call) }
				}
				var later func() map[string]any
				c := newClient(t, server,
					around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
						outer, outerID, later = facts(call), call.ID, spy(call)
						res, err := next(ctx, call)
						afterwards = facts(call)
						return res, err
					}),
					around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
						switch way {
						case "in place":
							forge(t, call)
						case "a copy":
							own := *call
							forge(t, &own)
							call = &own
						}
						res, err := next(ctx, call)
						forge(t, call)
						return res, err
					}),
					around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
						inner, innerID = facts(call), call.ID
						return next(ctx, call)
					}))
				if err := invoke(t.Context(), c, operation, anInput()[operation]); err != nil {
					t.Fatal(err)
				}
				if outerID == "" || outerID != innerID {
					t.Errorf("the record outside is of %q and the one inside of %q", outerID, innerID)
				}
				for name, got := range map[string]map[string]any{"inside": inner, "after next": afterwards, "kept": later()} {
					if !reflect.DeepEqual(got, outer) {
						t.Errorf("%s the call is %v, want %v", name, got, outer)
					}
				}
				if outer["Operation"] != operation || outer["Region"] != "us-east-1" || outer["Guardrail"].(securebedrock.Guardrail).ID != bedrocktest.DefaultGuardrailID {
					t.Errorf("the call is %v", outer)
				}
			})
		}
	}
}

// A Middleware that hands out an old Result claims no send: the Outcome is this
// call's.
func TestCachedResultIsNotASend(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	var kept *securebedrock.Result
	c := newClient(t, server, rec.option, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		if kept != nil {
			return kept, nil
		}
		var err error
		kept, err = next(ctx, call)
		return kept, err
	}))
	for range 2 {
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
	}
	if len(rec.records) != 2 || len(calls(server, "Converse")) != 1 {
		t.Fatalf("%d records, %d requests", len(rec.records), len(calls(server, "Converse")))
	}
	first, second := rec.records[0].outcome, rec.records[1].outcome
	if first.Attempts != 1 || first.RequestID == "" || first.AccessKeyID == "" {
		t.Errorf("the first outcome is %+v", first)
	}
	if second.Attempts != 0 || second.RequestID != "" || second.AccessKeyID != "" || second.Usage != (securebedrock.Usage{}) {
		t.Errorf("the second outcome claims a send: %+v", second)
	}
}

// A Call or a context of another call is not passed on under this one's name.
func TestMiddlewarePassesOnItsOwnCall(t *testing.T) {
	var kept *securebedrock.Call
	var keptCtx context.Context
	for name, pass := range map[string]func(ctx context.Context, call *securebedrock.Call) (context.Context, *securebedrock.Call){
		"no call": func(ctx context.Context, _ *securebedrock.Call) (context.Context, *securebedrock.Call) {
			return ctx, nil
		},
		"no context": func(_ context.Context, call *securebedrock.Call) (context.Context, *securebedrock.Call) {
			return nil, call
		},
		"a call of its own making": func(ctx context.Context, call *securebedrock.Call) (context.Context, *securebedrock.Call) {
			return ctx, &securebedrock.Call{ID: call.ID, Operation: call.Operation, Input: call.Input}
		},
		"a call before this one": func(ctx context.Context, _ *securebedrock.Call) (context.Context, *securebedrock.Call) {
			return ctx, kept
		},
		"the context of a call before this one": func(_ context.Context, call *securebedrock.Call) (context.Context, *securebedrock.Call) {
			return keptCtx, call
		},
		"both of a call before this one": func(context.Context, *securebedrock.Call) (context.Context, *securebedrock.Call) {
			return keptCtx, kept
		},
	} {
		for _, inner := range []bool{true, false} {
			server := bedrocktest.NewServer(t)
			stale := false
			forward := around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
				return next(ctx, call)
			})
			own := around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
				if !stale {
					kept, keptCtx = call, context.WithoutCancel(ctx)
					return next(ctx, call)
				}
				return next(pass(ctx, call))
			})
			change := []func(*opts){own, forward}
			if inner {
				change = []func(*opts){own}
			}
			c := newClient(t, server, change...)
			if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
				t.Fatal(err)
			}
			stale = true
			_, err := c.Converse(t.Context(), converse("a secret"))
			if err == nil || len(calls(server, "Converse")) != 1 {
				t.Errorf("%s: %v, and %d requests", name, err, len(calls(server, "Converse")))
			} else {
				refusedBy(t, err, securebedrock.ErrConfig)
			}
		}
	}
}

// A Middleware that makes no Handler is a fault of the Options.
func TestNilHandler(t *testing.T) {
	server := bedrocktest.NewServer(t)
	o := server.Options()
	o.Middleware = []securebedrock.Middleware{func(next securebedrock.Handler) securebedrock.Handler { return next }, func(securebedrock.Handler) securebedrock.Handler { return nil }}
	_, err := securebedrock.NewFromConfig(server.Config(), o)
	if !errors.Is(err, securebedrock.ErrConfig) {
		t.Fatal(err)
	}
	if want := "number 2"; !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %q", err, want)
	}
}

// The application's own name for a call comes with the context, or from a
// Middleware, and travels inwards.
func TestCorrelationID(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var seen []string
	see := around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		seen = append(seen, call.CorrelationID)
		return next(ctx, call)
	})
	c := newClient(t, server, see, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		call.CorrelationID += "/step-2"
		return next(ctx, call)
	}), see)
	if _, err := c.Converse(securebedrock.WithCorrelationID(t.Context(), "order-7"), converse("hello")); err != nil {
		t.Fatal(err)
	}
	if want := []string{"order-7", "order-7/step-2"}; !reflect.DeepEqual(seen, want) {
		t.Errorf("the middleware saw %q, want %q", seen, want)
	}
}

// What the rules have found out about the model stands in every Middleware's Call
// once next has returned, and so do the facts that the Middleware itself wrote over.
func TestCallAfterNext(t *testing.T) {
	server := bedrocktest.NewServer(t)
	const profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
	var seen [][]string
	see := around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		id, before := call.ID, call.Model.Regions
		call.ID = "forged"
		res, err := next(ctx, call)
		if len(before) != 0 || call.ID != id {
			t.Errorf("before next the regions are %v, after it the ID is %q", before, call.ID)
		}
		seen = append(seen, call.Model.Regions)
		return res, err
	})
	c := newClient(t, server, see, see, func(o *opts) {
		o.Residency = []string{"us-west-2"}
		o.Profiles = resolver{regions: []string{"us-east-1", "us-west-2"}}
	})
	in := converse("hello")
	*in.ModelId = profile
	_, _ = c.Converse(t.Context(), in)
	if want := []string{"us-east-1", "us-west-2"}; len(seen) != 2 || !reflect.DeepEqual(seen[0], want) || !reflect.DeepEqual(seen[1], want) {
		t.Errorf("after next the regions are %v", seen)
	}
}

// What one function writes into its Outcome stands in no other's.
func TestOutcomesAreCopies(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.AddGuardrail(bedrocktest.Guardrail{ID: "gr0words0000", Version: "1", DeniedWords: []string{"forbidden"}})
	outer := new(recorder)
	var forged int
	c := newClient(t, server, outer.option, func(o *opts) {
		o.Guardrail = securebedrock.Guardrail{ID: "gr0words0000", Version: "1"}
		o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
			return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
				res, err := next(ctx, call)
				forger := func(o securebedrock.Outcome) {
					for i := range o.Guardrail.Policies {
						o.Guardrail.Policies[i] = "forged"
						forged++
					}
				}
				res.OnDone(forger)
				return res, err
			}
		})
	})
	if _, err := c.Converse(t.Context(), converse("a forbidden word")); err != nil {
		t.Fatal(err)
	}
	if got := outer.one(t).outcome.Guardrail.Policies; forged != 1 || len(got) != 1 || got[0] != "word" {
		t.Errorf("the record says %q (%d were written)", got, forged)
	}
}

// inner middleware refuses with nil result, outer uses OnDone
func TestNilResultBetweenMiddleware(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		return nil, errors.New("rate limited")
	}))
	_, err := c.Converse(t.Context(), converse("a secret"))
	if err == nil {
		t.Fatal("no error")
	}
	if r := rec.one(t); r.outcome.Err == nil {
		t.Errorf("the record shows no error: %+v", r.outcome)
	}
}

func TestOwnResultWithErrorIsRecorded(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		return &securebedrock.Result{}, errors.New("rate limited")
	}))
	c.Converse(t.Context(), converse("a secret"))
	if r := rec.one(t); r.outcome.Err == nil {
		t.Errorf("the record shows no error: %+v", r.outcome)
	}
}

// The Outcome tells the caller's cancellation from that of the client's Close, also
// where a Middleware returns the error by itself.
func TestCancelledByTheCaller(t *testing.T) {
	for _, row := range []struct {
		name     string
		err      error
		canceled bool
	}{
		{"by the caller", context.Canceled, true},
		{"by Close", fmt.Errorf("%w: %w", securebedrock.ErrClosed, context.Canceled), false},
	} {
		rec := new(recorder)
		c := newClient(t, bedrocktest.NewServer(t), rec.option, func(o *securebedrock.Options) {
			o.Middleware = append(o.Middleware, func(securebedrock.Handler) securebedrock.Handler {
				return func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { return nil, row.err }
			})
		})
		_, _ = c.Converse(t.Context(), converse("hello"))
		if got := rec.one(t).outcome.Canceled; got != row.canceled {
			t.Errorf("%s: canceled %v", row.name, got)
		}
	}
}
