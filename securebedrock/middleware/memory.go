package middleware

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Memory is a Store in this process. Memory forgets windows that are over, and
// refuses to hold more than a million keys at once.
type Memory struct {
	mu    sync.Mutex
	most  int
	keys  map[memoryKey]*spending
	swept time.Time
}

type memoryKey struct {
	key    string
	window time.Duration
}

type spending struct {
	ends  time.Time
	spent Amount
}

const maxKeys = 1_000_000

var errKeys = errors.New("middleware: Memory holds no more keys in this window")

// NewMemory returns an empty Memory.
func NewMemory() *Memory { return &Memory{most: maxKeys, keys: map[memoryKey]*spending{}} }

// Reserve implements Store.
func (m *Memory) Reserve(_ context.Context, key string, window time.Duration, limit, amount Amount) (Reservation, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now() // under the lock, so that it does not go back
	m.sweep(now)
	id := memoryKey{key, window}
	s := m.keys[id]
	if s == nil {
		if len(m.keys) >= m.most {
			return Reservation{}, false, errKeys
		}
		s = new(spending)
		m.keys[id] = s
	}
	if ends := WindowEnd(now, window); s.ends.Before(ends) { // a clock that was set back empties no budget
		*s = spending{ends: ends}
	}
	r := Reservation{Key: key, Window: window, Ends: s.ends, Amount: amount}
	if !amount.fits(limit, s.spent) {
		r.Spent = s.spent
		return r, false, nil
	}
	s.spent = s.spent.plus(amount)
	return r, true, nil
}

// Settle implements Store.
func (m *Memory) Settle(_ context.Context, r Reservation, spent Amount) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.keys[memoryKey{r.Key, r.Window}]; s != nil && s.ends.Equal(r.Ends) {
		s.spent = s.spent.Minus(r.Amount).plus(spent)
	}
	return nil
}

// sweep removes, once a minute, the keys whose windows are over.
func (m *Memory) sweep(now time.Time) {
	if now.Sub(m.swept) < time.Minute {
		return
	}
	m.swept = now
	for k, s := range m.keys {
		if !now.Before(s.ends) {
			delete(m.keys, k)
		}
	}
}
