package securebedrock

import (
	"maps"
	"sync/atomic"
)

// modelCache holds the models that the rules admitted, by identifier. An application
// calls few models, and parsing an identifier costs more than finding it. A cache is
// safe for many goroutines. Its Models share their Regions, which nobody writes to.
type modelCache struct {
	known atomic.Pointer[map[string]Model] // a map is never changed
}

// maxCachedModels bounds the cache: identifiers may come from a caller's own callers.
const maxCachedModels = 64

func (c *modelCache) get(id string) (Model, bool) {
	if c == nil {
		return Model{}, false
	}
	known := c.known.Load()
	if known == nil {
		return Model{}, false
	}
	m, ok := (*known)[id]
	return m, ok
}

func (c *modelCache) put(m Model) {
	if c == nil {
		return
	}
	known := c.known.Load()
	next := make(map[string]Model)
	if known != nil {
		if len(*known) >= maxCachedModels {
			return
		}
		maps.Copy(next, *known)
	}
	next[m.ID] = m
	c.known.CompareAndSwap(known, &next) // where another call was first, the next call tries again
}
