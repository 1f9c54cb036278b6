package middleware

import (
	"context"
	"sync"
	"time"
)

// Memory is a Store in this process. It forgets windows that are over.
type Memory struct {
	mu    sync.Mutex
	keys  map[string]*spending
	swept time.Time
}

type spending struct {
	window Window
	spent  Amount
}

// NewMemory is an empty Memory.
func NewMemory() *Memory { return &Memory{keys: map[string]*spending{}} }

// WindowAt is the window of a time, for Stores.
func WindowAt(now time.Time, window time.Duration) Window {
	id := now.UnixNano() / int64(window)
	return Window{ID: id, Ends: time.Unix(0, (id+1)*int64(window))}
}

// Reserve implements Store.
func (m *Memory) Reserve(_ context.Context, key string, window time.Duration, limit, amount Amount) (Window, bool, error) {
	now := time.Now()
	w := WindowAt(now, window)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(now)
	s := m.keys[key]
	if s == nil || s.window != w {
		s = &spending{window: w}
		m.keys[key] = s
	}
	if limit.Tokens > 0 && s.spent.Tokens+amount.Tokens > limit.Tokens || limit.Cost > 0 && s.spent.Cost+amount.Cost > limit.Cost {
		return w, false, nil
	}
	s.spent.Tokens += amount.Tokens
	s.spent.Cost += amount.Cost
	return w, true, nil
}

// Settle implements Store.
func (m *Memory) Settle(_ context.Context, key string, _ time.Duration, w Window, amount Amount) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.keys[key]; s != nil && s.window == w {
		s.spent.Tokens += amount.Tokens
		s.spent.Cost += amount.Cost
	}
	return nil
}

// sweep forgets, once a minute, the keys whose windows are over.
func (m *Memory) sweep(now time.Time) {
	if now.Sub(m.swept) < time.Minute {
		return
	}
	m.swept = now
	for k, s := range m.keys {
		if now.After(s.window.Ends) {
			delete(m.keys, k)
		}
	}
}
