package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Difference is something that one of two documents allows and the other does not.
type Difference struct {
	// Beyond: the existing document allows it and the wanted one does not. Otherwise the
	// existing document lacks it.
	Beyond bool
	// Statement names the statement that makes the difference, and its document.
	Statement string
	// Actions and Resources are what it is about, as the documents write them. "<other>"
	// stands for what no statement names.
	Actions, Resources []string
	// Condition says which requests, by their condition keys; empty means all.
	Condition string
	// Request is one such request, its principal left out.
	Request Request

	how [2]string // what the existing document does, and the wanted one
}

// String tells the difference in words.
func (d Difference) String() string {
	text := "the existing document " + d.how[0] + " " + listed(d.Actions) + " on " + listed(d.Resources)
	if d.Condition != "" {
		text += " " + d.Condition
	}
	return text + "; the wanted one " + d.how[1] + " (" + d.Statement + ")"
}

// Diff says in words what the existing document allows beyond the wanted one, and what it
// lacks. It compares what the documents do and not how they are written: statements in
// another order, split, joined, or abbreviated by a wildcard are no difference.
//
// Both documents are of one layer: identity policies, boundaries, session policies, service
// control policies or endpoint policies. A Deny of an identity policy counts even where
// nothing is allowed, since another document can allow it.
//
// Diff asks both documents about a finite set of requests, made of what they name: each
// action of AWS's table that a pattern matches, the values in each part of each resource,
// the values around each condition value, the absent key, what two patterns have in
// common, and one of each that no statement names. A request for an ARN with a region
// goes to that region. Where the documents are equal on all of these and differ
// elsewhere, Diff does not see it: on a resource that only three patterns together
// tell apart, on more than two values of a key at a time, and on resources of services that
// the table does not have, which neither document names. An empty list is no proof.
//
// What Decide does not understand is ErrUnsupported here, too, and so is a policy
// variable, whose value only a request has.
func Diff(existing, wanted Document) ([]Difference, error) {
	c := &comparing{docs: [2]*Document{&existing, &wanted}}
	if err := c.read(); err != nil {
		return nil, err
	}
	if existing.sameStatements(wanted) {
		return nil, nil
	}
	return c.compare()
}

func (d Document) sameStatements(other Document) bool {
	return slices.EqualFunc(d.Statements, other.Statements, func(a, b Statement) bool {
		return string(a.appendJSON(nil)) == string(b.appendJSON(nil))
	})
}

// read checks that both documents can be compared.
func (c *comparing) read() error {
	if at := layerOf(c.docs[0].Kind); at < 0 || at != layerOf(c.docs[1].Kind) {
		return fmt.Errorf("%w: a policy of kind %s cannot be compared with one of kind %s; compare two identity policies, or two boundary, session, scp or endpoint policies",
			ErrUnsupported, refusal.Quoted(string(c.docs[0].Kind)), refusal.Quoted(string(c.docs[1].Kind)))
	}
	for i, d := range c.docs {
		if i == 1 {
			c.split = len(c.statements)
		}
		for j := range d.Statements {
			s := &d.Statements[j]
			name := statementName(d, j)
			fault := s.fault(d.Kind)
			if fault == "" {
				fault = s.incomparable()
			}
			if fault != "" {
				return fmt.Errorf("%w: %s: %s", ErrUnsupported, name, fault)
			}
			c.statements = append(c.statements, s)
			c.names = append(c.names, name+[2]string{", existing", ", wanted"}[i])
		}
	}
	return nil
}

// incomparable names what only a request decides, or what Diff does not compare.
func (s *Statement) incomparable() string {
	if s.Principal != nil && !s.Principal.Any && !slices.Contains(s.Principal.AWS, "*") {
		return `Principal names principals; Diff compares Principal "*" with conditions on aws:PrincipalArn`
	}
	texts := slices.Concat(s.Resource, s.NotResource)
	for _, keys := range s.Condition {
		for _, values := range keys {
			texts = append(texts, values...)
		}
	}
	for _, text := range texts {
		if strings.Contains(text, "${") {
			return fmt.Sprintf("%s has a policy variable, and only a request has its value", refusal.Quoted(text))
		}
	}
	return ""
}
