package middleware_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

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
