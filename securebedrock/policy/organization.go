package policy

import (
	"maps"
	"slices"
)

// OrganizationPolicy is the organisation's Bedrock policy: every account under it has the
// guardrail applied to its inference, whatever a call asks for. It is attached to the
// root, to an organisational unit or to an account, in AWS Organizations, as type
// BEDROCK_POLICY. It mirrors ErrGuardrailRequired.
//
// The guardrail is of the management account; AWS refuses another one. Without
// Account.Enforced, the guardrail of Options is taken, which is right where Account.ID is
// the management account. Everything is guarded, tagged content or not: comprehensive for
// system and messages. The models of Account.Unguardable are excluded. The guardrail
// needs ShareGuardrail, and every caller bedrock:ApplyGuardrail; without them every call
// fails.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_bedrock_syntax.html
func OrganizationPolicy(s *Spec) ([]Document, error) {
	enforced := s.enforced()
	if len(enforced) == 0 {
		return nil, nil
	}
	unguardable := slices.Sorted(maps.Keys(s.acct.Unguardable))
	for i := range enforced {
		for _, id := range unguardable {
			if !slices.Contains(enforced[i].ExcludedModels, id) {
				enforced[i].ExcludedModels = append(enforced[i].ExcludedModels, id)
			}
		}
	}
	purpose := "Applies the organisation's guardrail to all inference of the accounts under the policy, besides the guardrail of each call."
	if len(unguardable) > 0 {
		purpose += " Excluded: " + reasons(s.acct.Unguardable) + "."
	}
	return fit(Document{
		Name:        "organization-guardrail",
		Kind:        KindBedrock,
		Purpose:     purpose,
		Attach:      "the organisation's root, an organisational unit or an account, as a policy of type BEDROCK_POLICY in the management account, which owns the guardrail",
		Mirrors:     "ErrGuardrailRequired",
		Declarative: &GuardrailInference{Guardrails: enforced},
	})
}

// enforced are the guardrails that the organisation enforces; none without an
// organisation.
func (s *Spec) enforced() []EnforcedGuardrail {
	switch {
	case s.acct.Organization == "":
		return nil
	case len(s.acct.Enforced) > 0:
		return cloneEnforced(s.acct.Enforced)
	case s.guardrail == "":
		return nil
	}
	return []EnforcedGuardrail{{Region: s.region, ARN: s.guardrail, Version: s.version}}
}

// ShareGuardrail is the resource policy of each guardrail that the organisation enforces. It
// lets every principal of the organisation apply the guardrail, which an enforced
// guardrail demands of every caller. It is attached to the guardrail with
// PutResourcePolicy.
//
// A guardrail of Options that is evaluated through Account.GuardrailProfile needs a second
// policy, on the profile in each region where it is evaluated. Options cannot tell the
// profile of a guardrail in Account.Enforced.
//
// The language of these policies is restricted to a few forms. The forms here are AWS's own
// for an organisation, which have no Sid.
// https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-resource-based-policies.html
func ShareGuardrail(s *Spec) ([]Document, error) {
	var docs []Document
	enforced := s.enforced()
	for _, e := range enforced {
		name := "guardrail-sharing"
		if len(enforced) > 1 {
			name += "-" + e.Region
		}
		docs = append(docs, s.shared(name, e.ARN, applyGuardrail, "bedrock:GetGuardrail"))
	}
	if profile := s.acct.GuardrailProfile; profile != "" && len(enforced) > 0 && len(s.acct.Enforced) == 0 {
		for _, r := range s.regions {
			arn := s.serviceARN("bedrock", r, "guardrail-profile/"+profile)
			docs = append(docs, s.shared("guardrail-profile-sharing-"+r, arn, applyGuardrail))
		}
	}
	return fitAll(docs...)
}

// shared lets the organisation use one resource of its management account.
func (s *Spec) shared(name, arn string, actions ...string) Document {
	return Document{
		Name:    name,
		Kind:    KindGuardrail,
		Purpose: "Lets every principal of the organisation " + s.acct.Organization + " apply the guardrail that the organisation enforces.",
		Attach:  arn + ", with PutResourcePolicy in the management account, before the organisation's Bedrock policy is attached",
		Mirrors: "ErrGuardrailRequired",
		Statements: []Statement{{
			Effect:    Allow,
			Principal: &Principal{Any: true},
			Action:    actions,
			Resource:  []string{arn},
			Condition: when("StringEquals", "aws:PrincipalOrgID", s.acct.Organization),
		}},
	}
}
