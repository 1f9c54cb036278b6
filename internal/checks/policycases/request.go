package policycases

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// Request is one request to AWS.
type Request = policy.Request

// Describe names a request in a line.
func Describe(r Request) string {
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
