package otelbedrock

import (
	"sync"
	"sync/atomic"
)

// memoLimit bounds a memo: model identifiers come from callers. Past it, values
// are made for each call.
const memoLimit = 512

// memo keeps what was made for a key.
type memo[K comparable, V any] struct {
	values sync.Map
	count  atomic.Int64
}

func (m *memo[K, V]) get(key K, make func() V) V {
	if v, ok := m.values.Load(key); ok {
		return v.(V) //nolint:forcetypeassert // nothing else is stored
	}
	v := make()
	if m.count.Load() >= memoLimit {
		return v
	}
	if _, loaded := m.values.LoadOrStore(key, v); !loaded {
		m.count.Add(1)
	}
	return v
}
