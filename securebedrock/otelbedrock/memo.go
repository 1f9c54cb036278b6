package otelbedrock

import (
	"sync"
	"sync/atomic"
)

// memoLimit bounds a memo: model identifiers come from callers. Past it, values
// are made for each call.
const memoLimit = 512

// limited keeps the first words of those that callers or servers choose, so that
// they make no more series than that.
type limited struct {
	most  int64
	words sync.Map
	count atomic.Int64
}

func (l *limited) has(word string) bool {
	_, ok := l.words.Load(word)
	return ok
}

// keep returns the word, or _OTHER for one that comes too late.
func (l *limited) keep(word string) string {
	if word == "" || l.has(word) {
		return word
	}
	if l.count.Add(1) > l.most {
		l.count.Add(-1)
		return kindOther
	}
	if _, loaded := l.words.LoadOrStore(word, nil); loaded {
		l.count.Add(-1)
	}
	return word
}

// memo keeps what was made for a key.
type memo[K comparable, V any] struct {
	values sync.Map
	count  atomic.Int64
}

func (m *memo[K, V]) get(key K, make func() V) V {
	if v, ok := m.values.Load(key); ok {
		return v.(V) // nothing else is stored
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
