package policy

import (
	"maps"
	"slices"
)

// denial makes a service control policy of Deny statements. An SCP without an Allow
// statement stands beside FullAWSAccess, which every organisation's root has from the
// start.
func denial(name, purpose, mirrors string, statements ...Statement) ([]Document, error) {
	return fit(Document{
		Name:       name,
		Kind:       KindSCP,
		Purpose:    purpose,
		Attach:     "the organisational unit or the account whose programs all run under these Options; an SCP never binds the management account",
		Mirrors:    mirrors,
		Statements: statements,
	})
}

// reasons writes a map of reasons as a sentence's end: "A (why), B (why)".
func reasons(m map[string]string) string {
	var text string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if text != "" {
			text += ", "
		}
		text += key + " (" + m[key] + ")"
	}
	return text
}
