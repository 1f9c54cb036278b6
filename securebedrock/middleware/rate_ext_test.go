package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		next := func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { sent++; return nil, nil }
		h := must(t)(middleware.Rate(middleware.RateOptions{PerSecond: 2, Burst: 2}))(next)
		start := time.Now()
		for range 6 {
			if _, err := h(t.Context(), call("a")); err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("six calls at two a second, two at once, took %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := h(ctx, call("a")); !errors.Is(err, middleware.ErrRate) {
			t.Errorf("a call whose turn comes too late: %v", err)
		}
		if _, err := h(t.Context(), call("b")); err != nil {
			t.Errorf("another model: %v", err)
		}
		h = must(t)(middleware.Rate(middleware.RateOptions{PerSecond: 1, Refuse: true}))(next)
		_, first := h(t.Context(), call("a"))
		_, second := h(t.Context(), call("a"))
		if first != nil || !errors.Is(second, middleware.ErrRate) {
			t.Errorf("%v, %v", first, second)
		}
		// A caller who invents models gets no more for it than 1024 of them would.
		sent = 0
		for i := range 3000 {
			_, _ = h(t.Context(), call(fmt.Sprint(i)))
		}
		if sent > 1025 {
			t.Errorf("%d calls passed", sent)
		}
		time.Sleep(10 * time.Second)
		if _, err := h(t.Context(), call("new")); err != nil {
			t.Errorf("after a rest: %v", err)
		}
	})
}
