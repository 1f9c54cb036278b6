package middleware_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// Spellings of one model share its budget, its price and its limits; a profile and
// the model that it runs do not.
func TestSpellingsOfOneModel(t *testing.T) {
	never := func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { panic("sent") }
	budget := func(prices ...middleware.Price) securebedrock.Middleware {
		o := middleware.BudgetOptions{Window: century, Tokens: 10, Estimate: tokens(10), Key: middleware.PerModel}
		if prices != nil {
			o.Cost, o.Prices = 1000, prices
		}
		return must(t)(middleware.Budget(o))
	}
	for name, mw := range map[string]func() securebedrock.Middleware{
		"PerModel": func() securebedrock.Middleware { return budget() },
		"PerModel with prices of IDs": func() securebedrock.Middleware {
			return budget(middleware.Price{Model: haiku}, middleware.Price{Model: profile})
		},
		"PerModel with prices of ARNs": func() securebedrock.Middleware {
			return budget(middleware.Price{Model: haikuARN}, middleware.Price{Model: profileARN})
		},
		"Rate": func() securebedrock.Middleware {
			return must(t)(middleware.Rate(middleware.RateOptions{PerSecond: 1e-9, Refuse: true}))
		},
		"Concurrency": func() securebedrock.Middleware {
			return must(t)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 1, Refuse: true}))
		},
		"Concurrency's Models with ARN": func() securebedrock.Middleware {
			return must(t)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 9, Models: map[string]int64{haikuARN: 1, profileARN: 1}, Refuse: true}))
		},
	} {
		for _, spellings := range [][2]string{{haiku, haikuARN}, {haikuARN, haiku}, {profile, profileARN}, {profileARN, profile}} {
			next := securebedrock.Handler(never)
			held := make(chan struct{})
			var wg sync.WaitGroup
			if strings.HasPrefix(name, "Concurrency") {
				entered := make(chan struct{}, 2)
				next = func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) {
					entered <- struct{}{}
					<-held
					return nil, nil
				}
				h := mw()(next)
				wg.Go(func() { _, _ = h(t.Context(), call(spellings[0])) })
				<-entered
				refused := make(chan error, 1)
				wg.Go(func() {
					_, err := h(t.Context(), call(spellings[1]))
					refused <- err
				})
				select {
				case err := <-refused:
					if !errors.Is(err, middleware.ErrConcurrency) {
						t.Errorf("%s: %s beside %s: %v", name, spellings[1], spellings[0], err)
					}
				case <-entered:
					t.Errorf("%s: %s passes beside %s", name, spellings[1], spellings[0])
				}
				wg.Go(func() { _, _ = h(t.Context(), call("meta.llama3-8b-instruct-v1:0")) })
				<-entered
				close(held)
				wg.Wait()
				continue
			}
			h := mw()(next)
			passes := func(model string) (ok bool) {
				defer func() { ok = recover() != nil }()
				_, _ = h(t.Context(), call(model))
				return false
			}
			other := map[string]string{haiku: profile, haikuARN: profileARN, profile: haiku, profileARN: haikuARN}[spellings[0]]
			if first, second, apart := passes(spellings[0]), passes(spellings[1]), passes(other); !first || second || !apart {
				t.Errorf("%s: %s passes %t, %s then %t, %s %t", name, spellings[0], first, spellings[1], second, other, apart)
			}
		}
	}
	if _, err := middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 1, Models: map[string]int64{haiku: 1, haikuARN: 2}}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("two limits of one model: %v", err)
	}
}
