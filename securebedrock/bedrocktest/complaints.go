package bedrocktest

import (
	"sync"
	"testing"
)

// complaints are the faults that the test has been told of. A client repeats a
// call that ends with an InternalServerException; the test reads of it once.
type complaints struct {
	tb   testing.TB // nil for a server of Start
	mu   sync.Mutex
	told map[string]bool
}

func (c *complaints) tell(m *misuse) {
	if c.tb == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told[m.what] {
		return
	}
	if c.told == nil {
		c.told = make(map[string]bool)
	}
	c.told[m.what] = true
	if m.stack != nil {
		c.tb.Errorf("bedrocktest: %s\n\n%s", m.what, m.stack)
		return
	}
	c.tb.Errorf("bedrocktest: %s", m.what)
}
