package bedrocktest

import (
	"strings"
	"sync"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// guardrails are the guardrails of a region.
type guardrails struct {
	region string

	mu   sync.Mutex
	byID map[string]map[string]*guardrail // ID → version
}

// newGuardrails returns an empty registry.
func newGuardrails(region string) *guardrails {
	return &guardrails{region: region, byID: make(map[string]map[string]*guardrail)}
}

// add adds a guardrail, in place of one with the same ID and version.
func (g *guardrails) add(d definition) {
	ready := newGuardrail(d)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byID[d.id] == nil {
		g.byID[d.id] = make(map[string]*guardrail)
	}
	g.byID[d.id][ready.version] = ready
}

// find returns the guardrail that a request names, nil if it names none.
func (g *guardrails) find(identifier, version string) (*guardrail, error) {
	if identifier == "" && version == "" {
		return nil, nil
	}
	if identifier == "" || version == "" {
		return nil, wire.Invalid("Both guardrailIdentifier and guardrailVersion must be provided.")
	}
	prefix := "arn:aws:bedrock:" + g.region + ":" + accountID + ":guardrail/"
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
