package policycases

import (
	"math/rand/v2"

	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// RandomLayers picks documents that can stand together for one request: any number of
// identity policies and service control policies, at most one of each other kind. An
// identity policy is always among them.
func RandomLayers(r *rand.Rand, all []policy.Document) []policy.Document {
	kinds := make(map[policy.Kind][]policy.Document)
	for _, d := range all {
		kinds[d.Kind] = append(kinds[d.Kind], d)
	}
	var docs []policy.Document
	identity := false
	for _, d := range kinds[policy.KindManaged] {
		if chance(r, 2) {
			docs, identity = append(docs, d), true
		}
	}
	if !identity || chance(r, 4) {
		docs = append(docs, Everything())
	}
	for _, d := range kinds[policy.KindSCP] {
		if chance(r, 3) {
			docs = append(docs, d)
		}
	}
	for _, kind := range []policy.Kind{policy.KindBoundary, policy.KindSession, policy.KindEndpoint} {
		if list := kinds[kind]; len(list) > 0 && chance(r, 3) {
			docs = append(docs, pick(r, list...))
		}
	}
	return docs
}
