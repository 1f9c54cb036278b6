package middleware_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

func reserve(t *testing.T, m middleware.Store, key string, window time.Duration, limit, n int64) (middleware.Reservation, bool) {
	t.Helper()
	r, ok, err := m.Reserve(t.Context(), key, window, middleware.Amount{Tokens: limit}, middleware.Amount{Tokens: n})
	if err != nil {
		t.Error(err)
	}
	return r, ok
}

func TestMemoryOfWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := middleware.NewMemory()
		old, _ := reserve(t, m, "k", time.Minute, 10, 10)
		if _, ok := reserve(t, m, "k", time.Hour, 10, 10); !ok {
			t.Error("a window of another length is not another budget")
		}
		if _, ok := reserve(t, m, "k", time.Minute, 10, 0); ok {
			t.Error("a budget that is spent lets an amount of zero pass")
		}
		time.Sleep(time.Minute)
		if _, ok := reserve(t, m, "k", time.Minute, 10, 6); !ok {
			t.Error("the next window is not empty")
		}
		if err := m.Settle(t.Context(), old, middleware.Amount{}); err != nil { // a long stream
			t.Error(err)
		}
		if _, ok := reserve(t, m, "k", time.Minute, 10, 5); ok {
			t.Error("an old window's refund was given to the new one")
		}
		if _, ok := reserve(t, m, "k", time.Minute, 10, 4); !ok {
			t.Error("the limit itself cannot be spent")
		}
	})
}

// At the change of a window no more is granted than each window has.
func TestMemoryOfManyGoroutines(t *testing.T) {
	m := middleware.NewMemory()
	var granted sync.Map // window → *atomic.Int64
	var wg sync.WaitGroup
	stop := time.Now().Add(50 * time.Millisecond)
	for range 8 {
		wg.Go(func() {
			for time.Now().Before(stop) {
				if r, ok := reserve(t, m, "k", time.Millisecond, 100, 7); ok {
					n, _ := granted.LoadOrStore(r.Ends.UnixNano(), new(atomic.Int64))
					n.(*atomic.Int64).Add(7)
				}
			}
		})
	}
	wg.Wait()
	granted.Range(func(_, n any) bool {
		if got := n.(*atomic.Int64).Load(); got > 98 {
			t.Errorf("%d tokens of 100, by sevens, were granted in one window", got)
		}
		return true
	})
}
