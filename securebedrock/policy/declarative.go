package policy

import (
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// GuardrailInference is the content of an organisation's Bedrock policy (type
// BEDROCK_POLICY): a guardrail that each region enforces on all inference of the
// accounts under the policy.
type GuardrailInference struct {
	Guardrails []EnforcedGuardrail // one a region
}

// EnforcedGuardrail is what one region enforces.
type EnforcedGuardrail struct {
	Region  string
	ARN     string // of Region
	Version string // a number; DRAFT cannot be enforced

	// IncludedModels and ExcludedModels are model IDs. Empty IncludedModels mean all
	// models. An excluded model takes precedence.
	IncludedModels, ExcludedModels []string
}

// faults notes what AWS refuses, and what would stop all inference under the policy: an
// identifier that is wrong does (Organizations User Guide,
// orgs_manage_policies_bedrock_best_practices).
func (g *GuardrailInference) faults(faults *refusal.Faults) {
	var seen []string
	account := ""
	for _, e := range g.Guardrails {
		arn, ok := regions.ParseARN(e.ARN)
		id, isGuardrail := strings.CutPrefix(arn.Resource, "guardrail/")
		switch {
		case !regions.Valid(e.Region):
			faults.Add("Enforced", "%s is not a region of AWS", refusal.Quoted(e.Region))
		case slices.Contains(seen, e.Region):
			faults.Add("Enforced", "%s has two guardrails; a region enforces one", e.Region)
		case !ok || arn.Service != "bedrock" || !regions.IsAccount(arn.Account) || !isGuardrail || !isGuardrailID(id):
			faults.Add("Enforced", "%s is not the ARN of a guardrail; use arn:PARTITION:bedrock:REGION:ACCOUNT:guardrail/ID", refusal.Quoted(e.ARN))
		case arn.Region != e.Region:
			faults.Add("Enforced", "the guardrail is of %s and is to be enforced in %s; a region enforces a guardrail of its own, so create one there", refusal.Quoted(arn.Region), e.Region)
		case arn.Partition != regions.PartitionOf(e.Region):
			faults.Add("Enforced", "%s is of another partition than %s", refusal.Quoted(e.ARN), e.Region)
		case account != "" && arn.Account != account:
			faults.Add("Enforced", "the guardrails are of the accounts %s and %s; all of them are of the management account", account, arn.Account)
		case !isPublished(e.Version):
			faults.Add("Enforced", "%s is not a published version of a guardrail; use \"1\", \"2\" and so on", refusal.Quoted(e.Version))
		}
		seen = append(seen, e.Region)
		account = arn.Account
		for _, id := range slices.Concat(e.IncludedModels, e.ExcludedModels) {
			if !consistsOf(id, 1, 2048, "-_.:/") {
				faults.Add("Enforced", "%s is not a model ID", refusal.Quoted(id))
			}
		}
	}
}

// isPublished follows the pattern of a guardrail's version without DRAFT
// (Bedrock API Reference, API_CreateGuardrailVersion: [1-9][0-9]{0,7}).
func isPublished(version string) bool {
	return version != "" && len(version) <= 8 && version[0] != '0' && strings.Trim(version, "0123456789") == ""
}

// isGuardrailID follows the pattern of a guardrail's ID: lower-case letters and digits.
func isGuardrailID(id string) bool {
	return consistsOf(id, 1, 64, "") && id == strings.ToLower(id)
}

func cloneEnforced(list []EnforcedGuardrail) []EnforcedGuardrail {
	list = slices.Clone(list)
	for i := range list {
		list[i].IncludedModels = slices.Clone(list[i].IncludedModels)
		list[i].ExcludedModels = slices.Clone(list[i].ExcludedModels)
	}
	return list
}
