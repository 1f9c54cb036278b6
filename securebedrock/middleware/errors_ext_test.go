package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// Each reason to refuse a call has a name of its own, for the caller and for the
// audit and the tracing, which see the Outcome.
func TestRefusalsHaveNames(t *testing.T) {
	budget := func(o middleware.BudgetOptions) func() (securebedrock.Middleware, error) {
		o.Window = century
		return func() (securebedrock.Middleware, error) { return middleware.Budget(o) }
	}
	var client *securebedrock.Client
	failing := watch()
	failing.failReserve = errors.New("secret")
	type made = func() (securebedrock.Middleware, error)
	held := func(o middleware.ConcurrencyOptions) made {
		return func() (securebedrock.Middleware, error) { return middleware.Concurrency(o) }
	}
	rate := func(o middleware.RateOptions) made {
		return func() (securebedrock.Middleware, error) { return middleware.Rate(o) }
	}
	check := func(o middleware.InputCheckOptions) func() (securebedrock.Middleware, error) {
		return func() (securebedrock.Middleware, error) {
			o.Client = func() middleware.Checker { return client }
			return middleware.InputCheck(o)
		}
	}
	for _, row := range []struct {
		name, want string
		make       made
		in         *bedrockruntime.ConverseInput
		times      int // calls before: streams that stay open
	}{
		{"a spent budget", "budget", budget(middleware.BudgetOptions{Tokens: 1}), converse("hello"), 0},
		{"a store that fails", "budget_store", budget(middleware.BudgetOptions{Tokens: 100_000, Store: failing, OnError: func(error) {}}), converse("hello"), 0},
		{"no price", "budget_price", budget(middleware.BudgetOptions{Cost: 100, Prices: []middleware.Price{{Model: "other", Input: 1}}}), converse("hello"), 0},
		{"calls in flight", "concurrency", held(middleware.ConcurrencyOptions{Limit: 1, Refuse: true}), converse("hello"), 1},
		{"a wait for calls in flight", "concurrency", held(middleware.ConcurrencyOptions{Limit: 1}), converse("hello"), 1},
		{"calls a second", "rate", rate(middleware.RateOptions{PerSecond: 1e-6, Refuse: true}), converse("hello"), 1},
		{"a turn that comes too late", "rate", rate(middleware.RateOptions{PerSecond: 1e-6}), converse("hello"), 1},
		{"a blocked input", "input_blocked", check(middleware.InputCheckOptions{}), converse(denied), 0},
		{"an input that cannot be checked", "input_unchecked", check(middleware.InputCheckOptions{}), user(&types.UnknownUnionMember{Tag: "new"}), 0},
		{"a guardrail that there is not", "input_unchecked", check(middleware.InputCheckOptions{ID: "abcdefghijkl", Version: "1"}), converse("hello"), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			var recorded error
			client = newClient(t, bedrocktest.NewServer(t), inner(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
				res, err := next(ctx, call)
				if call.Operation == "Converse" {
					res.OnDone(func(o securebedrock.Outcome) { recorded = o.Err })
				}
				return res, err
			}), must(t)(row.make()))
			for range row.times {
				out, err := client.ConverseStream(t.Context(), converseStream("hello"))
				if err != nil {
					t.Fatal(err)
				}
				defer out.GetStream().Close()
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := client.Converse(ctx, row.in)
			if got := securebedrock.RuleName(err); got != row.want {
				t.Errorf("%v is named %q, want %q", err, got, row.want)
			}
			if got := securebedrock.RuleName(recorded); got != row.want {
				t.Errorf("the Outcome's %v is named %q, want %q", recorded, got, row.want)
			}
		})
	}
}

// The rules themselves, and errors that an application makes of them.
func TestRulesHaveNames(t *testing.T) {
	for err, want := range map[error]string{
		middleware.ErrBudget: "budget", middleware.ErrConcurrency: "concurrency", middleware.ErrRate: "rate", middleware.ErrInput: "input_unchecked",
		&middleware.BudgetError{}: "budget", &middleware.InputError{}: "input_unchecked", &middleware.InputError{Intervened: true}: "input_blocked",
	} {
		if got := securebedrock.RuleName(fmt.Errorf("x: %w", err)); got != want {
			t.Errorf("%v is named %q, want %q", err, got, want)
		}
	}
}

// Each constructor names every field that is at fault, at once.
func TestOptionsAreChecked(t *testing.T) {
	for name, f := range map[string]func() (securebedrock.Middleware, error){
		"Budget: Name|Window|Tokens, Cost|OnError": func() (securebedrock.Middleware, error) {
			return middleware.Budget(middleware.BudgetOptions{Name: "a/b", Store: middleware.NewMemory()})
		},
		"Budget: Window|Prices": func() (securebedrock.Middleware, error) {
			return middleware.Budget(middleware.BudgetOptions{Window: 1, Cost: 1})
		},
		"Concurrency: Limit|Models": func() (securebedrock.Middleware, error) {
			return middleware.Concurrency(middleware.ConcurrencyOptions{Models: map[string]int64{"x": 0}})
		},
		"Rate: PerSecond|Burst": func() (securebedrock.Middleware, error) { return middleware.Rate(middleware.RateOptions{Burst: -1}) },
		"InputCheck: Client|ID, Version|AllowUnchecked|MaxText|MaxRequests": func() (securebedrock.Middleware, error) {
			return middleware.InputCheck(middleware.InputCheckOptions{ID: "x", MaxText: 1, MaxRequests: -1, AllowUnchecked: []middleware.Content{"x"}})
		},
	} {
		_, err := f()
		if !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		kind, fields, _ := strings.Cut(name, ": ")
		for _, field := range strings.Split(fields, "|") {
			if !strings.Contains(err.Error(), "middleware: "+kind+": "+field+":") {
				t.Errorf("%s %s is not named in %v", kind, field, err)
			}
		}
	}
}

// A refusal tells how much was needed, how much is left, and until when.
func TestBudgetRefusalHasNumbers(t *testing.T) {
	h := must(t)(middleware.Budget(middleware.BudgetOptions{Name: "team", Window: time.Hour, Tokens: 1000, Cost: 5000, Estimate: func(c *securebedrock.Call) securebedrock.Usage {
		return securebedrock.Usage{InputTokens: int64(len(c.Input.(string)))}
	}, Prices: []middleware.Price{{Model: "*", Input: 2_000_000}}}))(func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { panic("sent") })
	try := func(n int) *middleware.BudgetError {
		defer func() { _ = recover() }()
		_, err := h(t.Context(), &securebedrock.Call{Operation: "Converse", Model: securebedrock.Model{ID: haiku}, Input: strings.Repeat("x", n)})
		var b *middleware.BudgetError
		if !errors.As(err, &b) {
			t.Errorf("%d: %v", n, err)
		}
		return b
	}
	try(700)
	b := try(400)
	if b.Needed != (middleware.Amount{Tokens: 400, Cost: 800}) || b.Left != (middleware.Amount{Tokens: 300, Cost: 3600}) || !b.Frees.Equal(middleware.WindowEnd(time.Now(), time.Hour)) {
		t.Errorf("%+v", b)
	}
	for _, words := range []string{"400 tokens and a cost of 800 may be needed", "300 tokens and a cost of 3600 left", "ends at " + b.Frees.UTC().Format(time.RFC3339)} {
		if !strings.Contains(b.Error(), words) {
			t.Errorf("%q is not in %v", words, b)
		}
	}
	b = try(1001)
	if b.Needed != (middleware.Amount{Tokens: 1001, Cost: 2002}) || b.Left.Tokens != 300 || !b.Frees.IsZero() || !strings.Contains(b.Error(), "1001 tokens and a cost of 2002 of 1000 tokens and a cost of 5000") {
		t.Errorf("%+v", b)
	}
}
