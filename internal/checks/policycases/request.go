package policycases

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Request is one request to AWS, as policy.Request has it.
type Request struct {
	Principal, Action, Resource string
	Context                     map[string][]string
	ThroughEndpoint             bool
}

// String names the request in a line.
func (r Request) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s by %s", r.Action, r.Resource, r.Principal)
	for _, key := range slices.Sorted(maps.Keys(r.Context)) {
		fmt.Fprintf(&b, ", %s %s", key, strings.Join(r.Context[key], " "))
	}
	if r.ThroughEndpoint {
		b.WriteString(", through the endpoint")
	}
	return b.String()
}
