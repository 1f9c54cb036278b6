package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Size is the document's size as AWS counts for its kind. Bytes count for a key and a
// bucket, characters otherwise. JSON writes no white space but that within strings,
// which IAM does not count for managed, inline and trust policies.
func (d Document) Size() int { return d.Kind.measure(d.JSON()) }

// measure counts a text as AWS does for a kind.
func (k Kind) measure(text string) int {
	if k.facts().bytes {
		return len(text)
	}
	n := utf8.RuneCountInString(text)
	if !k.facts().whiteSpace {
		n -= strings.Count(text, " ") + strings.Count(text, "\n") + strings.Count(text, "\t") + strings.Count(text, "\r")
	}
	return n
}

// SizeError is a document that AWS would refuse for its size, and that cannot be split.
// Nothing of it is widened to make it fit.
type SizeError struct {
	Name        string
	Kind        Kind
	Size, Limit int    // as AWS counts for Kind
	Largest     string // what takes the room: a statement and the size of its parts
}

// Error says the size, the limit, and what takes the room.
func (e *SizeError) Error() string {
	remedy := "allow fewer models, or name them by a pattern"
	if e.Kind.facts().resource && e.Kind != KindEndpoint {
		remedy = "name fewer principals and resources in it"
	}
	return fmt.Sprintf("policy: %s has %d %s and a policy of kind %s takes %d; most of it is %s; %s",
		e.Name, e.Size, e.Kind.unit(), e.Kind, e.Limit, e.Largest, remedy)
}

// fit returns the document where it is within its limit. A larger one is split by its
// statements, where its kind can be attached more than once to the same target, and the
// statements mean the same apart. Otherwise the error is a *SizeError.
func fit(d Document) ([]Document, error) {
	if d.Size() <= d.Limit() {
		return []Document{d}, nil
	}
	tooLarge := func(d Document) error {
		return &SizeError{Name: d.Name, Kind: d.Kind, Size: d.Size(), Limit: d.Limit(), Largest: largest(d)}
	}
	if d.Kind.facts().attachable == 1 {
		return nil, tooLarge(d)
	}
	var parts []Document
	part := d
	part.Statements = nil
	for _, s := range d.Statements {
		grown := part
		grown.Statements = append(slices.Clone(part.Statements), s)
		if grown.Size() > grown.Limit() {
			if len(part.Statements) == 0 {
				return nil, tooLarge(grown)
			}
			parts = append(parts, part)
			grown.Statements = []Statement{s}
			if grown.Size() > grown.Limit() {
				return nil, tooLarge(grown)
			}
		}
		part = grown
	}
	parts = append(parts, part)
	if len(parts) > d.Kind.facts().attachable {
		return nil, tooLarge(d)
	}
	for i := range parts {
		parts[i].Name = fmt.Sprintf("%s-%d", d.Name, i+1)
	}
	return parts, nil
}

// fitAll fits several documents.
func fitAll(all ...Document) ([]Document, error) {
	var docs []Document
	for _, d := range all {
		fitted, err := fit(d)
		if err != nil {
			return nil, err
		}
		docs = append(docs, fitted...)
	}
	return docs, nil
}

// largest names the statement that takes the most room.
func largest(d Document) string {
	if d.Declarative != nil {
		return fmt.Sprintf("the list of %d regions with their models", len(d.Declarative.Guardrails))
	}
	var name string
	most := -1
	for i := range d.Statements {
		s := &d.Statements[i]
		if n := d.Kind.measure(string(s.appendJSON(nil))); n > most {
			most = n
			name = fmt.Sprintf("statement %d (%s): %d %s, %d resources", i+1, s.Sid, n, d.Kind.unit(), len(s.Resource)+len(s.NotResource))
		}
	}
	return name
}
