package middleware_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// broken is a Store that panics.
type broken struct{ reserve, settle bool }

func (b broken) Reserve(_ context.Context, key string, window time.Duration, _, amount middleware.Amount) (middleware.Reservation, bool, error) {
	if b.reserve {
		panic("a secret")
	}
	return middleware.Reservation{Key: key, Window: window, Amount: amount}, true, nil
}

func (b broken) Settle(context.Context, middleware.Reservation, middleware.Amount) error {
	if b.settle {
		panic("a secret")
	}
	return nil
}

// A panic of an application's function is an error where the function is called: the
// call is refused, or OnError is told.
func TestFunctionsThatPanic(t *testing.T) {
	var told []error
	tell := func(err error) { told = append(told, err) }
	budget := func(o middleware.BudgetOptions) func() (securebedrock.Middleware, error) {
		o.Window, o.Tokens = century, 100_000
		return func() (securebedrock.Middleware, error) { return middleware.Budget(o) }
	}
	for _, row := range []struct {
		name, want string // the rule's name; empty: the call is sent, and OnError told
		make       func() (securebedrock.Middleware, error)
	}{
		{"Key", "budget_failed", budget(middleware.BudgetOptions{Key: func(context.Context, *securebedrock.Call) string { panic("a secret") }})},
		{"Estimate", "budget_failed", budget(middleware.BudgetOptions{Estimate: func(*securebedrock.Call) securebedrock.Usage { panic("a secret") }})},
		{"Reserve", "budget_store", budget(middleware.BudgetOptions{Store: broken{reserve: true}, OnError: tell})},
		{"Reserve, with FailOpen", "", budget(middleware.BudgetOptions{Store: broken{reserve: true}, OnError: tell, FailOpen: "availability"})},
		{"Settle", "", budget(middleware.BudgetOptions{Store: broken{settle: true}, OnError: tell})},
		{"Settle and OnError", "", budget(middleware.BudgetOptions{Store: broken{settle: true}, OnError: func(err error) { tell(err); panic("a secret") }})},
		{"Client", "input_unchecked", func() (securebedrock.Middleware, error) {
			return middleware.InputCheck(middleware.InputCheckOptions{Client: func() middleware.Checker { panic("a secret") }})
		}},
		{"ApplyGuardrail", "input_unchecked", func() (securebedrock.Middleware, error) {
			return middleware.InputCheck(middleware.InputCheckOptions{Client: func() middleware.Checker {
				return checker(func(*bedrockruntime.ApplyGuardrailInput) (*bedrockruntime.ApplyGuardrailOutput, error) {
					panic("a secret")
				})
			}})
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			told = nil
			server := bedrocktest.NewServer(t)
			_, err := newClient(t, server, must(t)(row.make())).Converse(t.Context(), converse("hello"))
			if got := securebedrock.RuleName(err); got != row.want || err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%v is named %q, want %q", err, got, row.want)
			}
			if row.want == "" && (len(told) != 1 || strings.Contains(errors.Join(told...).Error(), "secret")) {
				t.Errorf("told %v", told)
			}
			if n := arrived(server, "Converse"); (n == 1) != (row.want == "") {
				t.Errorf("%d calls were sent", n)
			}
		})
	}
}
