package policy

import (
	"fmt"
	"maps"
	"slices"
)

// Relaxation is a field of the configuration that gives up a part of a rule.
type Relaxation struct {
	Field  string // "Options.Unguarded"
	Effect string // what is given up
	Reason string // as the configuration gives it; empty where the field has none
}

// Relaxations lists what the Spec gives up, in the order of the fields.
func Relaxations(s *Spec) []Relaxation {
	var all []Relaxation
	add := func(field, effect, reason string) {
		all = append(all, Relaxation{Field: field, Effect: effect, Reason: reason})
	}
	if s.anywhere {
		add(`Options.Residency "*"`, "inference may run in every region", "")
	}
	if s.opts.Unguarded != "" {
		add("Options.Unguarded", "no document demands a guardrail", s.opts.Unguarded)
	}
	if s.opts.Guardrail.AllowPartial {
		add("Options.Guardrail.AllowPartial", "a call may leave content unscanned, which no policy can see", "")
	}
	for _, operation := range slices.Sorted(maps.Keys(s.opts.UnguardedOperations)) {
		add(fmt.Sprintf("Options.UnguardedOperations[%q]", operation), "the operation carries no guardrail", s.opts.UnguardedOperations[operation])
	}
	for _, model := range slices.Sorted(maps.Keys(s.acct.Unguardable)) {
		add(fmt.Sprintf("Account.Unguardable[%q]", model), "the model is called without a guardrail", s.acct.Unguardable[model])
	}
	for _, arn := range slices.Sorted(maps.Keys(s.acct.ExceptPrincipals)) {
		add(fmt.Sprintf("Account.ExceptPrincipals[%q]", arn), "the principal calls models without the guardrail", s.acct.ExceptPrincipals[arn])
	}
	for _, arn := range slices.Sorted(maps.Keys(s.acct.Administrators)) {
		add(fmt.Sprintf("Account.Administrators[%q]", arn), "the principal may change logging, guardrails, endpoints and the trail", s.acct.Administrators[arn])
	}
	for _, mode := range slices.Sorted(maps.Keys(s.acct.DataRetention)) {
		add(fmt.Sprintf("Account.DataRetention[%q]", mode), "the mode of data retention may be set", s.acct.DataRetention[mode])
	}
	if reason := s.acct.Resources.RetrieveAndGenerate; reason != "" {
		add("Account.Resources.RetrieveAndGenerate", "the call's own body chooses the model and the guardrail", reason)
	}
	return all
}
