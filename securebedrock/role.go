package securebedrock

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/internal/session"
)

// sessionName returns the session name that AssumeRole is given.
func (r *Role) sessionName() string {
	if r.SessionName != "" {
		return r.SessionName
	}
	return session.DefaultName()
}

// check reports what STS would refuse (API_AssumeRole).
func (r *Role) check(region string, all *refusal.Faults) {
	faults := refusal.Faults{Scope: "Role."}
	defer func() { all.Join(faults.Err()) }()
	arn, ok := regions.ParseARN(r.ARN)
	switch name, isRole := strings.CutPrefix(arn.Resource, "role/"); {
	case !ok || arn.Service != "iam" || arn.Region != "" || !regions.IsAccount(arn.Account) || !isRole || name == "":
		faults.Add("ARN", "%q is not the ARN of an IAM role; use arn:PARTITION:iam::ACCOUNT:role/NAME", r.ARN)
	case arn.Partition != regions.PartitionOf(region):
		faults.Add("ARN", "the role is of partition %s and Region is in %s; name a role of the region's partition", arn.Partition, regions.PartitionOf(region))
	}
	word := func(field, s string, low, high int, extra string) {
		if s == "" {
			return
		}
		if len(s) < low || len(s) > high || strings.ContainsFunc(s, func(c rune) bool { return !session.IsNameRune(c) && !strings.ContainsRune(extra, c) }) {
			faults.Add(field, "it must be %d to %d characters of A-Z a-z 0-9 _ + = , . @ -%s", low, high, extra)
		}
	}
	word("SessionName", r.SessionName, 2, 64, "")
	word("ExternalID", r.ExternalID, 2, 1224, ":/")
	word("SourceIdentity", r.SourceIdentity, 2, 64, "")
	if d := r.Duration; d != 0 && (d < 15*time.Minute || d > 12*time.Hour) {
		faults.Add("Duration", "%v is not between 15m and 12h; zero means an hour", d)
	}
	if len(r.Tags) > 50 {
		faults.Add("Tags", "there are %d and STS takes 50; take some out", len(r.Tags))
	}
	seen := make(map[string]string)
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		if twin, ok := seen[strings.ToLower(k)]; ok {
			faults.Add("Tags", "keys %q and %q differ only in case, which STS refuses; take one out", twin, k)
		}
		seen[strings.ToLower(k)] = k
		if k == "" || len([]rune(k)) > 128 || len([]rune(r.Tags[k])) > 256 {
			faults.Add("Tags", "key %q is empty, or the key or its value is too long; a key has up to 128 characters and a value up to 256", k)
		}
	}
	for _, k := range r.TransitiveTagKeys {
		if _, ok := r.Tags[k]; !ok {
			faults.Add("TransitiveTagKeys", "%q is not a key of Tags; add the tag, or take the key out", k)
		}
	}
	if r.Policy != "" {
		if len(r.Policy) > 2048 {
			faults.Add("Policy", "the policy has %d characters and STS takes 2048; shorten it", len(r.Policy))
		}
		if !json.Valid([]byte(r.Policy)) {
			faults.Add("Policy", "the policy is not JSON")
		}
	}
}
