package policy

import (
	"slices"
	"strings"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// variant is what is demanded of some actions.
type variant struct {
	name      string // ends a Sid
	actions   []string
	condition Condition
}

// variants say what IAM demands of a call's guardrail. Where an operation that carries no
// guardrail is excused, InvokeModel without one must pass, and with another one it must
// not: IAM cannot tell the excused operation from InvokeModel.
func (s *Spec) variants() []variant {
	both := modelActions()
	if s.guardrail == "" {
		return []variant{{actions: both}}
	}
	if len(s.opts.UnguardedOperations) == 0 {
		return []variant{{actions: both, condition: s.guardrailIs("StringEquals")}}
	}
	return []variant{
		{actions: both[:1], condition: s.guardrailIs("StringEqualsIfExists")},
		{name: "Stream", actions: both[1:], condition: s.guardrailIs("StringEquals")},
	}
}

// guardrailIs compares a call's guardrail with the one of Options, by value. A test for the
// key's presence would be passed with any lax guardrail of the account.
func (s *Spec) guardrailIs(operator string) Condition {
	return when(operator, keyGuardrail, s.guardrail+":"+s.version)
}

// guardrailResources are what ApplyGuardrail is authorized on: the guardrail and, where it
// is evaluated through a guardrail profile, the profile in each region
// (Bedrock User Guide, guardrail-profiles-permissions).
func (s *Spec) guardrailResources() []string {
	var list []string
	if s.guardrail != "" {
		list = append(list, s.guardrail)
	}
	if p := s.acct.GuardrailProfile; p != "" {
		places := s.regions
		if s.anywhere {
			places = []string{regions.Anywhere}
		}
		for _, r := range places {
			list = append(list, s.arnOf("bedrock", r, s.account, "guardrail-profile/"+p))
		}
	}
	return list
}

// enforcedHere are the guardrails that the organisation enforces in Region. Every call of
// the accounts is authorized for ApplyGuardrail on them, too, and denied without
// (Bedrock User Guide, guardrails-resource-based-policies).
func (s *Spec) enforcedHere() []string {
	var list []string
	for _, e := range s.acct.Enforced {
		if e.Region == s.region {
			list = append(list, e.ARN)
		}
	}
	return list
}

// parted splits what is allowed into what must carry the guardrail and what need not.
// Unguardable models within a pattern are named in the second list.
func (s *Spec) parted(models []allowed) (guarded, free []allowed) {
	if s.guardrail == "" {
		return nil, models
	}
	for _, a := range models {
		rest := slices.Clone(a.models)
		for id := range sorted(s.acct.Unguardable) {
			if !slices.ContainsFunc(a.models, func(pattern string) bool { return glob(pattern, id, false) }) {
				continue
			}
			one := a
			one.models = []string{id}
			if head, ok := a.systemPrefix(); ok {
				one.profile = head + "." + id
			} else if any, ok := strings.CutSuffix(a.profile, ":inference-profile/*"); ok {
				one.profile = any + ":inference-profile/*." + id
			}
			free = append(free, one)
			rest = slices.DeleteFunc(rest, func(pattern string) bool { return pattern == id })
		}
		if len(rest) > 0 || a.resource != "" {
			a.models = rest
			guarded = append(guarded, a)
		}
	}
	return guarded, free
}

// systemPrefix is the ARN of a system profile up to its prefix.
func (a allowed) systemPrefix() (string, bool) {
	if a.kind != securebedrock.KindInferenceProfile {
		return "", false
	}
	arn, name, _ := strings.Cut(a.profile, "/")
	prefix, _, ok := strings.Cut(name, ".")
	return arn + "/" + prefix, ok
}
