package runtimemodel

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Model is an API model, as far as requests need it.
type Model struct {
	Operations map[string]Operation `json:"operations"`
	Shapes     map[string]Shape     `json:"shapes"`
}

// Operation names the shape of its request.
type Operation struct {
	Input Ref `json:"input"`
}

// Shape is a type of the API with its constraints.
type Shape struct {
	Type     string         `json:"type"`
	Union    bool           `json:"union"`
	Document bool           `json:"document"`
	Stream   bool           `json:"eventstream"`
	Payload  string         `json:"payload"`
	Required []string       `json:"required"`
	Min      *float64       `json:"min"`
	Max      *float64       `json:"max"`
	Pattern  string         `json:"pattern"`
	Enum     []string       `json:"enum"`
	Members  map[string]Ref `json:"members"`
	Member   *Ref           `json:"member"`
	Key      *Ref           `json:"key"`
	Value    *Ref           `json:"value"`
}

// Ref is a reference to a shape. Location is empty for a member of the body.
type Ref struct {
	Shape        string `json:"shape"`
	Location     string `json:"location"`
	LocationName string `json:"locationName"`
}

// Parse reads an API model. It refuses a constraint that Render would lose.
func Parse(data []byte) (*Model, error) {
	m := &Model{}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("bedrock-runtime.json: %w", err)
	}
	if len(m.Operations) == 0 {
		return nil, fmt.Errorf("bedrock-runtime.json holds no operations")
	}
	for _, name := range m.requested() {
		s, ok := m.Shapes[name]
		if !ok {
			return nil, fmt.Errorf("shape %s is referred to and not there", name)
		}
		// A constraint on the whole value, which is how AWS's services take it.
		if _, err := regexp.Compile("^(?:" + s.Pattern + ")$"); err != nil {
			return nil, fmt.Errorf("shape %s: %w", name, err)
		}
		switch s.Type {
		case "structure", "list", "map", "string", "blob", "integer", "long", "float", "double", "boolean", "timestamp":
		default:
			return nil, fmt.Errorf("shape %s is of the unknown type %q", name, s.Type)
		}
	}
	return m, nil
}

// requested lists the shapes that a request can hold, sorted.
func (m *Model) requested() []string {
	seen := make(map[string]bool)
	var walk func(string)
	walk = func(name string) {
		if name == "" || seen[name] {
			return
		}
		seen[name] = true
		s := m.Shapes[name]
		for _, ref := range s.Members {
			walk(ref.Shape)
		}
		for _, ref := range []*Ref{s.Member, s.Key, s.Value} {
			if ref != nil {
				walk(ref.Shape)
			}
		}
	}
	for _, op := range m.Operations {
		walk(op.Input.Shape)
	}
	return slices.Sorted(maps.Keys(seen))
}
