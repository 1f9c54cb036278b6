package policy

import (
	"maps"
	"slices"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// RequireGuardrail denies inference without the guardrail of Options in its version. It is
// attached to the account or to its organisational unit, and mirrors
// ErrGuardrailRequired. Where Options are Unguarded, there is no such document.
//
// The guardrail is compared by value. A call without a guardrail has no
// bedrock:GuardrailIdentifier at all, and StringNotEquals is true of an absent key, so
// that one condition denies the call without a guardrail, the one with another guardrail, with
// another version, and with DRAFT. A condition that asks only whether the key is there
// is passed with any lax guardrail of the account.
//
// Three calls carry no guardrail and are spared by name, each with its reason in Purpose: models
// of Account.Unguardable, roles of Account.ExceptPrincipals, and InvokeModel where
// Options.UnguardedOperations permit an operation that authorizes as InvokeModel. IAM
// cannot tell such an operation from an InvokeModel without a guardrail. A lax guardrail
// is denied even then, and the stream action keeps the whole rule.
//
// RetrieveAndGenerate and InvokeAgent call models for the caller without the key, and
// are denied under this document unless the service role is spared.
// https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html
func RequireGuardrail(s *Spec) ([]Document, error) {
	if s.guardrail == "" {
		return nil, nil
	}
	purpose := "Denies inference without the guardrail " + s.guardrail + " in version " + s.version + "."
	rule := Statement{
		Sid:       "DenyInferenceWithoutTheGuardrail",
		Effect:    Deny,
		Action:    modelActions(),
		Resource:  []string{"*"},
		Condition: s.guardrailIs("StringNotEquals"),
	}
	if len(s.acct.Unguardable) > 0 {
		rule.Resource, rule.NotResource = nil, s.unguardable()
		purpose += " Spared as models that take no guardrail: " + reasons(s.acct.Unguardable) + "."
	}
	if len(s.acct.ExceptPrincipals) > 0 {
		rule.Condition = rule.Condition.and(when("ArnNotEquals", keyPrincipal, slices.Sorted(maps.Keys(s.acct.ExceptPrincipals))...))
		purpose += " Spared as principals: " + reasons(s.acct.ExceptPrincipals) + "."
	}
	rules := []Statement{rule}
	if len(s.opts.UnguardedOperations) > 0 {
		purpose += " InvokeModel passes without any guardrail for the sake of Options.UnguardedOperations: " + reasons(s.opts.UnguardedOperations) + "."
		stream, other := rule.Clone(), rule.Clone()
		stream.Sid, stream.Action = "DenyStreamsWithoutTheGuardrail", modelActions()[1:]
		other.Sid, other.Action = "DenyOtherGuardrails", modelActions()[:1]
		other.Condition = other.Condition.and(when("Null", keyGuardrail, "false"))
		rules = []Statement{stream, other}
	}
	return denial("scp-guardrail", purpose, "ErrGuardrailRequired", rules...)
}

// unguardable are the resources of the models that take no guardrail: the model in every
// region, its system profiles, and the account's profiles that have nothing else behind
// them.
func (s *Spec) unguardable() []string {
	var list []string
	for _, id := range slices.Sorted(maps.Keys(s.acct.Unguardable)) {
		list = append(list, s.arnOf("bedrock", "*", "", "foundation-model/"+id), s.arn("inference-profile/*."+id))
	}
	guardable := make(map[string]bool)
	for _, m := range s.models {
		if m.kind != securebedrock.KindApplicationProfile && m.kind != securebedrock.KindPromptRouter {
			continue
		}
		for _, id := range m.models {
			_, spared := s.acct.Unguardable[id]
			guardable[m.profile] = guardable[m.profile] || !spared
		}
	}
	for _, profile := range slices.Sorted(maps.Keys(guardable)) {
		if !guardable[profile] {
			list = append(list, profile)
		}
	}
	return list
}
