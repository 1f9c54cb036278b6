package policy

import (
	"maps"
	"slices"
)

// Document is one policy: what AWS is given, and what a reader is told of it. A
// Document is plain data. The functions of this package return a new one each time.
type Document struct {
	// Name is a file name without its extension, such as "scp-regions". Name is unique
	// among the documents of All.
	Name string
	// Kind says which kind of policy this is. Kind decides the language's subset and
	// the limit.
	Kind Kind
	// Purpose says in a sentence what the document is for. A relaxation of Options, such
	// as Unguarded, stands here with its reason.
	Purpose string
	// Attach says where the document is attached.
	Attach string
	// Mirrors names the client's rule that says the same, such as "ErrResidency"; empty
	// where the client has no such rule.
	Mirrors string

	// ID is the element Id; empty in most documents.
	ID string
	// Statements are the document's statements in their order.
	Statements []Statement
	// Declarative is the content of a KindBedrock document, which has no Statements.
	Declarative *GuardrailInference
}

// Statement is one statement. An empty list leaves the element out.
type Statement struct {
	Sid          string
	Effect       Effect
	Principal    *Principal
	NotPrincipal *Principal
	Action       []string
	NotAction    []string
	Resource     []string
	NotResource  []string
	Condition    Condition
}

// Effect is "Allow" or "Deny".
type Effect string

// The two effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Principal is whom a statement of a resource policy is about.
type Principal struct {
	// Any is the principal "*". It excludes the other fields.
	Any bool

	AWS           []string // ARNs or account IDs; "*" is possible here, too
	Service       []string // "bedrock.amazonaws.com"
	Federated     []string // an OIDC provider's ARN
	CanonicalUser []string
}

// Condition maps an operator to condition keys, and each key to its values:
// {"StringEquals": {"aws:RequestedRegion": {"eu-central-1"}}}. Operators and keys are
// joined by AND, the values of a key by OR.
type Condition map[string]map[string][]string

// and returns a condition that demands both. Neither operand is changed. The operands name
// no key under the same operator: the other's values would stand in the place of c's.
func (c Condition) and(other Condition) Condition {
	both := make(Condition, len(c)+len(other))
	for _, part := range []Condition{c, other} {
		for operator, keys := range part {
			if both[operator] == nil {
				both[operator] = make(map[string][]string, len(keys))
			}
			maps.Copy(both[operator], keys)
		}
	}
	return both
}

// when makes a condition of one operator and one key.
func when(operator, key string, values ...string) Condition {
	return Condition{operator: {key: slices.Clone(values)}}
}

// Clone returns a deep copy.
func (d Document) Clone() Document {
	d.Statements = slices.Clone(d.Statements)
	for i := range d.Statements {
		d.Statements[i] = d.Statements[i].Clone()
	}
	if d.Declarative != nil {
		d.Declarative = &GuardrailInference{Guardrails: cloneEnforced(d.Declarative.Guardrails)}
	}
	return d
}

// Clone returns a deep copy.
func (s *Statement) Clone() Statement {
	c := *s
	c.Principal, c.NotPrincipal = s.Principal.clone(), s.NotPrincipal.clone()
	c.Action, c.NotAction = slices.Clone(s.Action), slices.Clone(s.NotAction)
	c.Resource, c.NotResource = slices.Clone(s.Resource), slices.Clone(s.NotResource)
	if s.Condition == nil {
		return c
	}
	c.Condition = make(Condition, len(s.Condition))
	for operator, keys := range s.Condition {
		c.Condition[operator] = make(map[string][]string, len(keys))
		for key, values := range keys {
			c.Condition[operator][key] = slices.Clone(values)
		}
	}
	return c
}

func (p *Principal) clone() *Principal {
	if p == nil {
		return nil
	}
	return &Principal{Any: p.Any, AWS: slices.Clone(p.AWS), Service: slices.Clone(p.Service),
		Federated: slices.Clone(p.Federated), CanonicalUser: slices.Clone(p.CanonicalUser)}
}
