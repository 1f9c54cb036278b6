package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

func call(model string) *securebedrock.Call {
	return &securebedrock.Call{Operation: "Converse", Model: securebedrock.Model{ID: model}}
}

func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		h := must(t)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 3, Models: map[string]int64{"b": 1}}))(
			func(_ context.Context, c *securebedrock.Call) (*securebedrock.Result, error) {
				if c.Model.ID == "a" {
					most.Store(max(most.Load(), now.Add(1)))
					defer now.Add(-1)
				}
				time.Sleep(time.Second)
				if c.Model.ID == "panics" {
					panic("no")
				}
				return nil, errors.New("no")
			})
		start := time.Now()
		var wg sync.WaitGroup
		for range 9 {
			wg.Go(func() { _, _ = h(t.Context(), call("a")) })
		}
		wg.Wait()
		if most.Load() != 3 || time.Since(start) != 3*time.Second {
			t.Errorf("%d at once, in %v", most.Load(), time.Since(start))
		}
		wg.Go(func() { _, _ = h(t.Context(), call("b")) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := h(ctx, call("b")); !errors.Is(err, middleware.ErrConcurrency) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call that waits too long: %v", err)
		}
		wg.Wait()
		for range 5 { // each gives its place back
			func() {
				defer func() { _ = recover() }()
				_, _ = h(t.Context(), call("panics"))
			}()
		}
	})
}

// A stream holds its place to its end, and no longer.
func TestConcurrencyOfStreams(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, must(t)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 1, Refuse: true})))
	for range 3 {
		out, err := c.ConverseStream(t.Context(), converseStream("one two three"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Converse(t.Context(), converse("x")); !errors.Is(err, middleware.ErrConcurrency) {
			t.Errorf("beside an open stream: %v", err)
		}
		out.GetStream().Close()
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if _, err = c.Converse(t.Context(), converse("x")); err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("after the stream: %v", err)
			}
		}
	}
}

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
