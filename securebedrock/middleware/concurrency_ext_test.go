package middleware_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

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

// A stream holds its place to its end, however it ends, and no longer.
func TestConcurrencyOfStreams(t *testing.T) {
	type stream = *bedrockruntime.ConverseStreamEventStream
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		leave func(cancel func(), c *securebedrock.Client, s stream)
	}{
		{"read to its end", bedrocktest.Fault{}, func(_ func(), _ *securebedrock.Client, s stream) {
			for range s.Events() {
			}
		}},
		{"closed", bedrocktest.StallStream(2), func(_ func(), _ *securebedrock.Client, s stream) { s.Close() }},
		{"closed twice", bedrocktest.StallStream(2), func(_ func(), _ *securebedrock.Client, s stream) { s.Close(); s.Close() }},
		{"cancelled", bedrocktest.StallStream(2), func(cancel func(), _ *securebedrock.Client, _ stream) { cancel() }},
		{"cancelled and closed", bedrocktest.StallStream(2), func(cancel func(), _ *securebedrock.Client, s stream) { cancel(); s.Close() }},
		{"broken off", bedrocktest.Exception(2, "modelStreamErrorException", "no"), func(_ func(), _ *securebedrock.Client, s stream) {
			for range s.Events() {
			}
		}},
		{"left to the client's Close", bedrocktest.StallStream(2), func(_ func(), c *securebedrock.Client, _ stream) { c.Close() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			server.Fail("ConverseStream", row.fault)
			limit := must(t)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 1, Refuse: true}))
			c, other := newClient(t, server, limit), newClient(t, server, limit)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out, err := c.ConverseStream(ctx, converseStream("one two three"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := other.Converse(t.Context(), converse("x")); !errors.Is(err, middleware.ErrConcurrency) {
				t.Errorf("beside an open stream: %v", err)
			}
			row.leave(cancel, c, out.GetStream())
			eventually(t, "the place is free", func() bool {
				_, err := other.Converse(t.Context(), converse("x"))
				return err == nil
			})
			c.Close()
			noGoroutines(t)
		})
	}
}

// A call that fails, is refused further in or panics gives its place back.
func TestConcurrencyOfFailures(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var f securebedrock.Handler
	c := newClient(t, server, must(t)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 1, Refuse: true})),
		inner(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			if f != nil {
				return f(ctx, call)
			}
			return next(ctx, call)
		}))
	for name, failing := range map[string]securebedrock.Handler{
		"a refusal": func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) {
			return nil, errors.New("no")
		},
		"a panic":  func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { panic("no") },
		"an error": nil,
	} {
		f = failing
		server.Fail("Converse", bedrocktest.Error(400, "ValidationException", "no"))
		func() {
			defer func() { _ = recover() }()
			if _, err := c.Converse(t.Context(), converse("x")); err == nil {
				t.Errorf("%s: no error", name)
			}
		}()
		f = nil
		if failing != nil {
			_, _ = c.Converse(t.Context(), converse("x")) // takes the fault
		}
		if _, err := c.Converse(t.Context(), converse("x")); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

// A caller who invents models fills no memory.
func TestLimitsAreBounded(t *testing.T) {
	next := func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { return nil, nil }
	for name, mw := range map[string]securebedrock.Middleware{
		"Concurrency": must(t)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 1})),
		"Rate":        must(t)(middleware.Rate(middleware.RateOptions{PerSecond: 0.001, Refuse: true})),
	} {
		h := mw(next)
		before := heap()
		for i := range 200_000 {
			_, _ = h(t.Context(), call("anthropic.invented-"+strconv.Itoa(i)))
		}
		if grown := int64(heap()) - int64(before); grown > 2<<20 {
			t.Errorf("%s holds %d bytes", name, grown)
		}
		runtime.KeepAlive(h)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What runs no model is neither counted nor held up.
func TestLimitsLetOtherOperationsPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := must(t)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 1, Refuse: true}))(must(t)(middleware.Rate(middleware.RateOptions{PerSecond: 0.001, Refuse: true}))(
			func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) {
				time.Sleep(time.Second)
				return nil, nil
			}))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := h(t.Context(), &securebedrock.Call{Operation: "ApplyGuardrail"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}
