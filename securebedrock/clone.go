package securebedrock

import (
	"maps"
	"slices"
)

// Clone copies all that a caller can write into later. What is behind a function
// or an interface (Middleware, Profiles, Role.STS) is the owner's and is shared.
func (o *Options) Clone() Options {
	// TestOptionsCloneSharesNothing fails for a field that is forgotten here.
	c := *o
	c.Residency = slices.Clone(o.Residency)
	c.Models = slices.Clone(o.Models)
	c.Accounts = slices.Clone(o.Accounts)
	c.Middleware = slices.Clone(o.Middleware)
	c.UnguardedOperations = maps.Clone(o.UnguardedOperations)
	if o.Role != nil {
		r := *o.Role
		r.Tags = maps.Clone(r.Tags)
		r.TransitiveTagKeys = slices.Clone(r.TransitiveTagKeys)
		c.Role = &r
	}
	return c
}
