package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Account is what Options cannot tell of the account and the organisation. Nothing of it
// is guessed. Every fault is reported by For.
type Account struct {
	// ID is the account's number, twelve digits. Required. The client's calls, its
	// guardrail and its Role are of this account.
	ID string
	// Partition is "aws", "aws-us-gov" or "aws-cn". Zero means the partition of
	// Options.Region; another one is refused.
	Partition string
	// Organization is the organisation's ID, "o-" and 10 to 32 letters and digits. Empty
	// means that the account belongs to none: the documents of an organisation are left
	// out, and each has its twin as an identity policy or a permissions boundary.
	Organization string
	// ProfileModels maps the ARN of an application inference profile, or of a prompt
	// router, to what is behind it: foundation model IDs, which run in Options.Region, or
	// their ARNs, which name the region. The ARN without a region,
	// "arn:aws:bedrock:::foundation-model/M", stands for every region. A profile in
	// Options.Models that is not a key is a fault.
	ProfileModels map[string][]string
	// GuardrailProfile is the ID of the guardrail profile that the guardrail is evaluated
	// through, such as "eu.guardrail.v1:0". The evaluation then runs in other regions, and
	// the policies let it run in Region and Residency. Empty means Region alone.
	GuardrailProfile string
	// InputBuckets are the S3 buckets whose objects a call may name, such as the images of
	// a Converse. Bedrock reads them in the caller's name. OutputBuckets are those into which
	// StartAsyncInvoke writes. Empty means none.
	InputBuckets, OutputBuckets []string
	// Unguardable maps the ID of a model that takes no guardrail, such as an embedding
	// model, to the reason for using it all the same.
	Unguardable map[string]string
	// ExceptPrincipals maps the ARN of a role that the guardrail rule must spare to the
	// reason. Knowledge bases and agents call models with a service role and without
	// the guardrail key.
	ExceptPrincipals map[string]string
	// Administrators maps the ARN of a role that may change the logging, the guardrail, the
	// enforced configuration, the endpoints and the trail to the reason. Empty means that
	// DenyChanges spares nobody.
	Administrators map[string]string
	// DataRetention maps a mode of data retention that may be set besides "none" to the
	// reason: "default", "aws_review", "provider_data_share", "inherit".
	DataRetention map[string]string
	// Enforced are the guardrails that the organisation's Bedrock policy enforces, one a
	// region, all of the management account. A call under an enforced guardrail needs
	// ApplyGuardrail on it, which Invoke and Session allow. Empty means the guardrail of
	// Options, where the account is the management account.
	Enforced []EnforcedGuardrail
	// Resources are the knowledge bases, agents, keys, buckets and roles that stand
	// around the client.
	Resources Resources
}

func (a *Account) clone() Account {
	c := *a
	c.ProfileModels = maps.Clone(c.ProfileModels)
	for key, models := range c.ProfileModels {
		c.ProfileModels[key] = slices.Clone(models)
	}
	c.InputBuckets, c.OutputBuckets = slices.Clone(c.InputBuckets), slices.Clone(c.OutputBuckets)
	c.Unguardable = maps.Clone(c.Unguardable)
	c.ExceptPrincipals = maps.Clone(c.ExceptPrincipals)
	c.Administrators = maps.Clone(c.Administrators)
	c.DataRetention = maps.Clone(c.DataRetention)
	c.Enforced = cloneEnforced(c.Enforced)
	c.Resources = c.Resources.clone()
	return c
}

// check notes every fault of the account. What is behind a profile is settleModels's to
// check.
func (a *Account) check(s *Spec, all *refusal.Faults) {
	faults := refusal.Faults{Scope: "Account."}
	defer func() { all.Join(faults.Err()) }()
	switch {
	case a.ID == "":
		faults.Add("ID", "it is required; give the account's twelve digits")
	case !regions.IsAccount(a.ID):
		faults.Add("ID", "%s is not an account's twelve digits", refusal.Quoted(a.ID))
	}
	if a.Partition != "" && a.Partition != s.partition && s.partition != "" {
		faults.Add("Partition", "%s is not the partition of Region %s, which is %s; leave Partition out", refusal.Quoted(a.Partition), refusal.Quoted(s.region), s.partition)
	}
	if a.Organization != "" && !isOrganization(a.Organization) {
		faults.Add("Organization", "%s is not an organisation's ID; an ID is \"o-\" and 10 to 32 lower-case letters and digits", refusal.Quoted(a.Organization))
	}
	if p := a.GuardrailProfile; p != "" && !isGuardrailProfile(p) {
		faults.Add("GuardrailProfile", "%s is not the ID of a guardrail profile, such as \"eu.guardrail.v1:0\"", refusal.Quoted(p))
	}
	for _, list := range []struct {
		field   string
		buckets []string
	}{{"InputBuckets", a.InputBuckets}, {"OutputBuckets", a.OutputBuckets}} {
		for _, b := range list.buckets {
			if !isBucket(b) {
				faults.Add(list.field, "%s is not the name of a bucket; give the name alone, without s3:// and without a wildcard", refusal.Quoted(b))
			}
		}
	}
	if r := s.opts.Role; r != nil {
		// The client sends the ARN to STS, which refuses a pattern. A document would take it
		// as one: ArnEquals compares with wildcards, too.
		arn, ok := regions.ParseARN(r.ARN)
		if ok && regions.IsAccount(arn.Account) && !isPrincipal(arn) {
			all.Add("Role.ARN", "%s has a character that no role's name has; name one role, by its ARN", refusal.Quoted(r.ARN))
		}
		if ok && regions.IsAccount(arn.Account) && regions.IsAccount(a.ID) && arn.Account != a.ID {
			all.Add("Role.ARN", "the role is of account %s and Account.ID is %s; calls are made in the account of the role, so give that account", arn.Account, a.ID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(a.Unguardable)) {
		if m, err := securebedrock.ParseModel(id); err != nil || m.Region != "" || m.Kind != securebedrock.KindFoundationModel {
			faults.Add("Unguardable", "%s is not the ID of a foundation model; a profile's model goes by its own ID", refusal.Quoted(id))
		} else if strings.TrimSpace(a.Unguardable[id]) == "" {
			faults.Add("Unguardable", "%s has no reason", refusal.Quoted(id))
		}
	}
	a.rolesFaults("ExceptPrincipals", a.ExceptPrincipals, s.partition, &faults)
	a.rolesFaults("Administrators", a.Administrators, s.partition, &faults)
	retentionFaults(a.DataRetention, &faults)
	(&GuardrailInference{Guardrails: a.Enforced}).faults(&faults)
}

// rolesFaults notes the faults of a map of roles to reasons.
func (a *Account) rolesFaults(field string, roles map[string]string, partition string, faults *refusal.Faults) {
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		if fault := a.roleFault(role, partition); fault != "" {
			faults.Add(field, "%s %s", refusal.Quoted(role), fault)
		} else if strings.TrimSpace(roles[role]) == "" {
			faults.Add(field, "%s has no reason", refusal.Quoted(role))
		}
	}
}

// roleFault says why a text is not the ARN of one role. A pattern would spare roles that
// nobody gave a reason for.
func (a *Account) roleFault(role, partition string) string {
	arn, ok := regions.ParseARN(role)
	name, isRole := strings.CutPrefix(arn.Resource, "role/")
	switch {
	case !ok || arn.Service != "iam" || arn.Region != "" || !regions.IsAccount(arn.Account) || !isRole || name == "":
		return "is not the ARN of an IAM role; use arn:PARTITION:iam::ACCOUNT:role/NAME"
	case strings.ContainsAny(name, wildcards):
		return "has a wildcard; name one role"
	case !isPrincipal(arn):
		return "has a character that no role's name has; name one role"
	case partition != "" && arn.Partition != partition:
		return "is of another partition than Region"
	}
	return ""
}

// isOrganization follows the pattern of an organisation's ID
// (Organizations API Reference, API_Organization).
func isOrganization(s string) bool {
	id, ok := strings.CutPrefix(s, "o-")
	return ok && consistsOf(id, 10, 32, "") && id == strings.ToLower(id)
}

// isGuardrailProfile follows the pattern of a guardrail profile's ID
// (API_GuardrailCrossRegionConfig).
func isGuardrailProfile(s string) bool {
	return consistsOf(s, 15, 2048, "-.:") && s == strings.ToLower(s) && strings.Contains(s, ".guardrail.")
}
