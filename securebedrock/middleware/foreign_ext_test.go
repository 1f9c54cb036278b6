package middleware_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// strangeStore runs a function of the test's before each operation.
type strangeStore struct {
	middleware.Store
	reserve, settle, settled func()
}

func (s strangeStore) Reserve(ctx context.Context, key string, window time.Duration, limit, amount middleware.Amount) (middleware.Reservation, bool, error) {
	if s.reserve != nil {
		s.reserve()
	}
	return s.Store.Reserve(context.WithoutCancel(ctx), key, window, limit, amount)
}

func (s strangeStore) Settle(ctx context.Context, r middleware.Reservation, spent middleware.Amount) error {
	if s.settle != nil {
		s.settle()
	}
	if s.settled != nil {
		defer s.settled()
	}
	return s.Store.Settle(ctx, r, spent)
}

// A Store that panics, ends its goroutine or hangs refuses the call in the call's
// time, or with FailOpen lets it pass, and OnError hears of it, which may panic
// itself.
func TestStoreThatPanicsOrHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, f := range map[string]func(){
		"panics":             func() { panic("a secret") },
		"ends its goroutine": runtime.Goexit,
		"hangs":              func() { <-release },
	} {
		for _, in := range []string{"Reserve", "Settle"} {
			for _, failOpen := range []string{"", "risk 7"} {
				t.Run(in+" "+name+" "+failOpen, func(t *testing.T) {
					server := bedrocktest.NewServer(t)
					var told atomic.Int64
					store := strangeStore{Store: middleware.NewMemory()}
					if in == "Reserve" {
						store.reserve = f
					} else {
						store.settle = f
					}
					c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Window: time.Hour, Tokens: 1_000_000, Store: store, FailOpen: failOpen,
						OnError: func(err error) {
							told.Add(1)
							if strings.Contains(err.Error(), "secret") {
								t.Errorf("OnError was told %v", err)
							}
							panic("another secret")
						}})))
					ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
					if name != "hangs" || in == "Settle" {
						ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
					}
					defer cancel()
					start := time.Now()
					_, err := c.Converse(ctx, converse("hello"))
					if took := time.Since(start); took > 20*time.Second {
						t.Errorf("it took %v", took)
					}
					refused := in == "Reserve" && failOpen == ""
					if refused != errors.Is(err, middleware.ErrBudget) && name != "hangs" || err == nil == refused && name != "hangs" {
						t.Errorf("got %v", err)
					}
					if name == "hangs" && in == "Reserve" && (err == nil || len(server.Calls()) != 0) {
						t.Errorf("got %v, and %d requests arrived", err, len(server.Calls()))
					}
					if !refused && told.Load() == 0 {
						t.Error("OnError was not told")
					}
				})
			}
		}
	}
}

// What a Store reserves after it was given up is given back.
func TestLateReservationIsGivenBack(t *testing.T) {
	server := bedrocktest.NewServer(t)
	memory := middleware.NewMemory()
	release := make(chan struct{})
	hang := atomic.Bool{}
	hang.Store(true)
	settled := make(chan struct{}, 4)
	store := strangeStore{Store: memory, reserve: func() {
		if hang.Load() {
			<-release
		}
	}, settled: func() { settled <- struct{}{} }}
	c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Window: 24 * time.Hour, Tokens: 3000, Store: store, OnError: func(error) {}})))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Converse(ctx, converse("hello")); err == nil {
		t.Fatal("no error")
	}
	hang.Store(false)
	close(release)
	select {
	case <-settled:
	case <-time.After(20 * time.Second):
		t.Fatal("it is not given back")
	}
	for range 2 { // each may take two fifths of the budget
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Errorf("got %v", err)
		}
	}
}
