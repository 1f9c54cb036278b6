package policy

import "strings"

// facts is a Request, read once for all statements.
type facts struct {
	action, resource string
	principal        string
	account          string
	serviceLinked    bool // the principal is a service-linked role
	keys             []conditionKey
}

type conditionKey struct {
	name   string
	values []string
}

// values returns the request's values of a condition key; none where the key is absent.
// Names of keys are not case-sensitive.
func (f *facts) values(key string) []string {
	for i := range f.keys {
		if len(f.keys[i].name) == len(key) && strings.EqualFold(f.keys[i].name, key) {
			return f.keys[i].values
		}
	}
	return nil
}
