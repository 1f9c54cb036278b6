package bedrocktest

import (
	"sync"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/misuse"
)

// complaints are the faults that the test has been told of. A client repeats a call
// that ends with an InternalServerException, so each fault is told once.
type complaints struct {
	tb   testing.TB // nil for a server of Start
	mu   sync.Mutex
	told map[string]bool
}

func (c *complaints) tell(m *misuse.Error) {
	if c.tb == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told[m.What] {
		return
	}
	if c.told == nil {
		c.told = make(map[string]bool)
	}
	c.told[m.What] = true
	if m.Stack != nil {
		c.tb.Errorf("bedrocktest: %s\n\n%s", m.What, m.Stack)
		return
	}
	c.tb.Errorf("bedrocktest: %s", m.What)
}
