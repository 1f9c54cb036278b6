package guardrail

import (
	"strings"
	"sync"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
)

// Registry holds the guardrails of a region.
type Registry struct {
	region string

	mu   sync.Mutex
	byID map[string]map[string]*Guardrail // ID → version
}

// NewRegistry returns an empty registry.
func NewRegistry(region string) *Registry {
	return &Registry{region: region, byID: make(map[string]map[string]*Guardrail)}
}

// Add adds a guardrail, in the place of one with the same ID and version.
func (g *Registry) Add(d Definition) {
	ready := newGuardrail(d)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byID[d.ID] == nil {
		g.byID[d.ID] = make(map[string]*Guardrail)
	}
	g.byID[d.ID][ready.Version] = ready
}

// Find returns the guardrail that a request names, nil if the request names none.
func (g *Registry) Find(identifier, version string) (*Guardrail, error) {
	if identifier == "" && version == "" {
		return nil, nil
	}
	if identifier == "" || version == "" {
		return nil, wire.Invalid("Both guardrailIdentifier and guardrailVersion must be provided.")
	}
	prefix := "arn:aws:bedrock:" + g.region + ":" + ids.Account + ":guardrail/"
	id := strings.TrimPrefix(identifier, prefix)
	g.mu.Lock()
	defer g.mu.Unlock()
	found, ok := g.byID[id][version]
	if !ok {
		return nil, wire.Invalid("The guardrail identifier or version provided in the request does not exist.")
	}
	copied := *found
	copied.arn = prefix + id
	return &copied, nil
}
