package redisbudget_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// between is a proxy before Redis. While it holds, the scripts that reserve, which
// alone have ten elements, come to Redis late, or their answers to nobody.
type between struct {
	net.Listener
	redis   string
	holds   atomic.Bool
	answers bool // that are lost, and not the scripts that are late
	free    chan struct{}
	held    atomic.Int64
	passed  sync.WaitGroup
}

func newBetween(t *testing.T, redis string, answers bool) *between {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &between{Listener: l, redis: redis, answers: answers, free: make(chan struct{})}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go b.serve(in)
		}
	}()
	return b
}

func (b *between) serve(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", b.redis)
	if err != nil {
		return
	}
	defer out.Close()
	var lost atomic.Bool
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := out.Read(buf)
			if err != nil {
				in.Close()
				return
			}
			if !lost.Load() {
				_, _ = in.Write(buf[:n])
			}
		}
	}()
	buf := make([]byte, 4096)
	for {
		n, err := in.Read(buf)
		if err != nil {
			return
		}
		if b.holds.Load() && bytes.HasPrefix(buf[:n], []byte("*10\r\n")) {
			b.held.Add(1)
			if lost.Store(true); !b.answers {
				b.passed.Add(1)
				<-b.free
				_, _ = out.Write(buf[:n])
				time.Sleep(50 * time.Millisecond) // Redis reads it before the connection ends
				b.passed.Done()
				return
			}
		}
		if _, err := out.Write(buf[:n]); err != nil {
			return
		}
	}
}

// A call that was given up while Redis reserved for it costs nothing, whether Redis
// had reserved by then or does so later, and OnError hears of it.
func TestReservationOfACallThatWasGivenUp(t *testing.T) {
	for name, answers := range map[string]bool{"its answer was lost": true, "the script came late": false} {
		t.Run(name, func(t *testing.T) {
			addr, _ := start(t)
			proxy := newBetween(t, addr, answers)
			through := redis.NewClient(&redis.Options{Addr: proxy.Addr().String(), ContextTimeoutEnabled: true, PoolSize: 64})
			defer through.Close()
			var released, other atomic.Int64
			server := bedrocktest.NewServer(t)
			c := guarded(t, server, middleware.BudgetOptions{Tokens: 20_000, Store: store(t, through), OnError: func(err error) {
				if strings.Contains(err.Error(), "is released") {
					released.Add(1)
				} else {
					other.Add(1)
					t.Log(err)
				}
			}})
			if _, err := c.Converse(t.Context(), hello()); err != nil { // Redis knows the script
				t.Fatal(err)
			}
			r := client(t, addr)
			key := r.Keys(t.Context(), "*").Val()[0]
			before := r.HGet(t.Context(), key, "t").Val()

			proxy.holds.Store(true)
			const calls = 30
			var wg sync.WaitGroup
			for range calls {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
					defer cancel()
					if _, err := c.Converse(ctx, hello()); !errors.Is(err, middleware.ErrBudget) || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("given up with %v", err)
					}
				})
			}
			wg.Wait()
			proxy.holds.Store(false)
			close(proxy.free)
			proxy.passed.Wait()
			if proxy.held.Load() == 0 || released.Load() != calls || other.Load() != 0 {
				t.Errorf("%d scripts were held; OnError heard of %d released calls of %d, and of %d others", proxy.held.Load(), released.Load(), calls, other.Load())
			}
			fields := r.HGetAll(t.Context(), key).Val()
			if fields["t"] != before {
				t.Errorf("%s tokens are counted, and %s before", fields["t"], before)
			}
			for f := range fields {
				if strings.HasPrefix(f, "r") {
					t.Errorf("%s is still reserved", f)
				}
			}
			if _, err := c.Converse(t.Context(), hello()); err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

// A call whose context is over before it asks reaches no Redis and is told nothing of.
func TestCallThatIsOverReservesNothing(t *testing.T) {
	addr, _ := start(t)
	c := client(t, addr)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, ok, err := store(t, c).Reserve(ctx, "k", long, amount{Tokens: 10}, amount{Tokens: 1})
	if ok || r.ID != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %t, %v", r, ok, err)
	}
	if keys := c.Keys(t.Context(), "*").Val(); len(keys) != 0 {
		t.Errorf("Redis holds %v", keys)
	}
}

// A Redis that cannot give back in time is reported, and the caller waits no longer
// than both of the store's timeouts.
func TestReservationThatCannotBeReleasedIsTold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn) }()
		}
	}()
	var told atomic.Int64
	c := guarded(t, bedrocktest.NewServer(t), middleware.BudgetOptions{Tokens: 20_000, Store: store(t, client(t, l.Addr().String())), OnError: func(err error) {
		if strings.Contains(err.Error(), "may stay counted") {
			told.Add(1)
		}
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := c.Converse(ctx, hello()); !errors.Is(err, middleware.ErrBudget) {
		t.Error(err)
	}
	if d := time.Since(began); told.Load() != 1 || d > 6*time.Second {
		t.Errorf("told %d times, after %v", told.Load(), d)
	}
}

// A refusal tells what the window has left.
func TestRefusalTellsWhatIsLeft(t *testing.T) {
	addr, _ := start(t)
	s := store(t, client(t, addr))
	if _, ok, err := s.Reserve(t.Context(), "k", long, amount{Tokens: 100}, amount{Tokens: 70, Cost: 5}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	r, ok, err := s.Reserve(t.Context(), "k", long, amount{Tokens: 100}, amount{Tokens: 40})
	if ok || err != nil || r.Spent != (amount{Tokens: 70, Cost: 5}) || !r.Ends.After(time.Now()) {
		t.Errorf("%+v, %t, %v", r, ok, err)
	}
}
