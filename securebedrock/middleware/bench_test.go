package middleware_test

import (
	"context"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// What Budget and Concurrency add to a call, with a prompt of 2 kB.
func BenchmarkBudgetAndConcurrency(b *testing.B) {
	in := converse(string(make([]byte, 2000)))
	h := must(b)(middleware.Budget(middleware.BudgetOptions{Window: century, Tokens: 1 << 60, Cost: 1 << 60, Prices: []middleware.Price{{Model: "anthropic.*", Input: 250_000, Output: 1_250_000}}}))(
		must(b)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 64}))(
			func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) {
				return new(securebedrock.Result), nil
			}))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		c := call(haiku)
		c.Input = in
		for pb.Next() {
			if _, err := h(context.Background(), c); err != nil {
				b.Error(err)
			}
		}
	})
}
