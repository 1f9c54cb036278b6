package policy

import (
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Spec is what the documents are made of: the Options of a client and the Account under
// it, checked by For. A Spec is immutable and safe for concurrent use.
type Spec struct {
	opts securebedrock.Options // a copy
	acct Account               // a copy

	region    string
	partition string
	account   string
	regions   []string // Region and Residency, sorted; "*" is not in it
	anywhere  bool     // "*" in Residency

	guardrail string // the guardrail's ARN; empty where Options are unguarded
	version   string // the guardrail's
	models    []allowed
	every     []allowed // what models are where Options.Models are empty
}

// For makes the Spec of a client's Options in an account. It needs no network. It reports
// every fault at once, each wrapped in securebedrock.ErrConfig and naming its field.
func For(opts securebedrock.Options, acct Account) (*Spec, error) {
	var faults refusal.Faults
	faults.Join(opts.Validate())
	s := &Spec{
		opts:      opts.Clone(),
		acct:      acct.clone(),
		region:    opts.Region,
		partition: regions.PartitionOf(opts.Region),
		account:   acct.ID,
		anywhere:  slices.Contains(opts.Residency, regions.Anywhere),
	}
	for _, r := range append([]string{opts.Region}, opts.Residency...) {
		if r != regions.Anywhere && !slices.Contains(s.regions, r) {
			s.regions = append(s.regions, r)
		}
	}
	slices.Sort(s.regions)
	s.acct.check(s, &faults)
	faults.Join(s.acct.Resources.faults(s.partition, s.account, s.region, s.opts.Role))
	s.settleGuardrail(&faults)
	s.settleModels(&faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// settleGuardrail names the guardrail as the condition key does, by its ARN.
//
// The key bedrock:GuardrailIdentifier works for a guardrail of the caller's own account
// only (Bedrock User Guide, guardrails-permissions-id).
func (s *Spec) settleGuardrail(faults *refusal.Faults) {
	g := s.opts.Guardrail
	if s.opts.Unguarded != "" || g.ID == "" {
		return
	}
	s.guardrail, s.version = g.ID, g.Version
	if !strings.HasPrefix(g.ID, "arn:") {
		s.guardrail = s.arn("guardrail/" + g.ID)
	} else if arn, ok := regions.ParseARN(g.ID); ok && arn.Account != s.account {
		faults.Add("Guardrail.ID", "the guardrail is of account %s and Account.ID is %s; IAM's key bedrock:GuardrailIdentifier works within one account, so enforce that guardrail by the organisation's Bedrock policy, and name a guardrail of the account here",
			refusal.Quoted(arn.Account), refusal.Quoted(s.account))
	}
	if g.Version == "DRAFT" {
		faults.Add("Guardrail.Version", "a policy cannot pin DRAFT, which changes with every edit; name a published version")
	}
}

// arn is the ARN of a resource of Bedrock in the account and the region.
func (s *Spec) arn(resource string) string {
	return s.arnOf("bedrock", s.region, s.account, resource)
}

// arnOf is an ARN of the partition.
func (s *Spec) arnOf(service, region, account, resource string) string {
	return "arn:" + s.partition + ":" + service + ":" + region + ":" + account + ":" + resource
}
