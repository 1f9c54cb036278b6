package middleware_test

import (
	"context"
	"errors"
	"fmt"
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
