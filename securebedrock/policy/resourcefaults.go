package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// resourceCheck finds the faults of Resources.
type resourceCheck struct {
	refusal.Faults

	partition, account, region string
	role                       *securebedrock.Role

	owners map[string]string // a service role's ARN to the field that has it
}

// faults reports every fault of r for a client's role in an account.
func (r Resources) faults(partition, account, region string, role *securebedrock.Role) error {
	c := &resourceCheck{partition: partition, account: account, region: region, role: role, owners: make(map[string]string)}
	c.Scope = "Account.Resources."
	if role != nil {
		c.owners[role.ARN] = "Options.Role"
	}
	c.trust(&r)
	for i := range r.KnowledgeBases {
		c.knowledgeBase(fmt.Sprintf("KnowledgeBases[%d].", i), &r.KnowledgeBases[i])
	}
	for i := range r.Agents {
		c.agent(fmt.Sprintf("Agents[%d].", i), &r.Agents[i])
	}
	if r.RetrieveAndGenerate != "" && (strings.TrimSpace(r.RetrieveAndGenerate) == "" || len(r.KnowledgeBases) == 0) {
		c.Add("RetrieveAndGenerate", "a reason and a knowledge base are needed; say why, and name the knowledge base in KnowledgeBases")
	}
	c.serviceRole("BatchRole", r.BatchRole)
	c.admin(&r)
	c.keys(&r)
	c.logs(&r.Logs)
	c.trail(&r.Trail)
	for i, id := range r.Endpoints {
		c.name(fmt.Sprintf("Endpoints[%d]", i), id, isEndpoint, `the ID of a VPC endpoint, "vpce-" and 8 to 17 hexadecimal digits`)
	}
	return c.Err()
}

// name refuses a value that is no such name. Empty is no fault.
func (c *resourceCheck) name(field, value string, valid func(string) bool, what string) {
	if value != "" && !valid(value) {
		c.Add(field, "%s is not %s; correct it", refusal.Quoted(value), what)
	}
}

// needs refuses a field whose companion is missing.
func (c *resourceCheck) needs(field string, set bool, companion string, there bool) {
	if set && !there {
		c.Add(field, "the field is set and %s is not; set both, or take it out", companion)
	}
}

// arn parses the ARN of a field and compares partition and account. An account of "" is any.
func (c *resourceCheck) arn(field, value, account, form string) (regions.ARN, bool) {
	arn, ok := regions.ParseARN(value)
	switch {
	case !ok || arn.Account != "" && !regions.IsAccount(arn.Account):
		c.Add(field, "%s is not an ARN of the form %s; name the resource so", refusal.Quoted(value), form)
	case arn.Partition != c.partition && c.partition != "":
		c.Add(field, "the ARN is of partition %s and the account is in %s; name a resource of the account's partition", refusal.Quoted(arn.Partition), c.partition)
	case account != "" && arn.Account != account && regions.IsAccount(account):
		c.Add(field, "the ARN is of account %s and account %s is meant; name a resource of that account", refusal.Quoted(arn.Account), account)
	default:
		return arn, true
	}
	return arn, false
}

// principals checks the ARNs of roles and users.
func (c *resourceCheck) principals(field string, arns []string, account string) {
	const form = "arn:PARTITION:iam::ACCOUNT:role/NAME"
	for i, value := range arns {
		one := fmt.Sprintf("%s[%d]", field, i)
		if strings.Contains(value, "*") {
			c.Add(one, "%s names more than one principal; name each role or user by its ARN, %s", refusal.Quoted(value), form)
			continue
		}
		if arn, ok := c.arn(one, value, account, form); ok && !isPrincipal(arn) {
			c.Add(one, "%s is not the ARN of one role or user; use %s, also for a session of the role, and not the account's root", refusal.Quoted(value), form)
		}
	}
}

// serviceRole checks a role that an AWS service assumes. A role has one trust policy, so
// that two of them cannot be the same.
func (c *resourceCheck) serviceRole(field, value string) {
	if value == "" {
		return
	}
	const form = "arn:PARTITION:iam::ACCOUNT:role/NAME"
	arn, ok := c.arn(field, value, c.account, form)
	if ok && (!isPrincipal(arn) || !strings.HasPrefix(arn.Resource, "role/")) {
		c.Add(field, "%s is not the ARN of a role; use %s", refusal.Quoted(value), form)
		return
	}
	if other, taken := c.owners[value]; ok && taken {
		c.Add(field, "%s has the same role, and a role has one trust policy; use a role of its own", other)
	}
	c.owners[value] = field
}

// key checks the ARN of a KMS key. A region of "" is any.
func (c *resourceCheck) key(field, value, account, region string) {
	if value == "" {
		return
	}
	const form = "arn:PARTITION:kms:REGION:ACCOUNT:key/ID"
	arn, ok := c.arn(field, value, account, form)
	if !ok {
		return
	}
	id, isKey := strings.CutPrefix(arn.Resource, "key/")
	switch {
	case arn.Service != "kms" || !isKey || !consistsOf(id, 1, 64, "-") || !regions.Valid(arn.Region):
		c.Add(field, "%s is not the ARN of a KMS key; use %s, and not an alias", refusal.Quoted(value), form)
	case region != "" && arn.Region != region && regions.Valid(region):
		c.Add(field, "the key is in %s and must be in %s; name a key, or a replica of a multi-Region key, in that region", refusal.Quoted(arn.Region), region)
	}
}

// admin refuses a tag of administrators that a caller's session would carry.
func (c *resourceCheck) admin(r *Resources) {
	key, value := r.AdminTag.Key, r.AdminTag.Value
	c.needs("AdminTag.Key", key != "", "AdminTag.Value", value != "")
	c.needs("AdminTag.Value", value != "", "AdminTag.Key", key != "")
	c.name("AdminTag.Key", key, isTagKey, "the key of a tag, 1 to 128 letters, digits, spaces and _ . : / = + - @, and not of AWS's own (aws:)")
	c.name("AdminTag.Value", value, isTagValue, "the value of a tag, 1 to 256 letters, digits, spaces and _ . : / = + - @")
	if key == "" {
		return
	}
	if c.role != nil {
		for tag := range c.role.Tags {
			if strings.EqualFold(tag, key) {
				c.Add("AdminTag.Key", "Options.Role.Tags have the same key, so that a caller's session could be an administrator's; use another key")
			}
		}
	}
	if slices.ContainsFunc(r.InheritedTags, func(tag string) bool { return strings.EqualFold(tag, key) }) {
		c.Add("AdminTag.Key", "InheritedTags have the same key, so that whoever brings the tag along is an administrator; use another key")
	}
}

// keys checks the keys that belong to no other resource, and keeps administrators from
// using any key.
func (c *resourceCheck) keys(r *Resources) {
	c.principals("KeyAdministrators", r.KeyAdministrators, c.account)
	callers := c.role != nil || len(r.Callers) > 0
	users := slices.Concat(r.Callers, r.Logs.Readers, r.Trail.Readers)
	if c.role != nil {
		users = append(users, c.role.ARN)
	}
	for _, own := range []struct {
		field string
		key   *Key
	}{{"GuardrailKey.", &r.GuardrailKey}, {"ModelKey.", &r.ModelKey}} {
		c.key(own.field+"ARN", own.key.ARN, c.account, c.region)
		c.principals(own.field+"Creators", own.key.Creators, c.account)
		c.needs(own.field+"Creators", len(own.key.Creators) > 0, own.field+"ARN", own.key.ARN != "")
		if own.key.ARN != "" && !callers {
			c.Add(own.field+"ARN", "nobody may call under the key; set Options.Role or Callers")
		}
		users = append(users, own.key.Creators...)
	}
	for i := range r.KnowledgeBases {
		users = append(users, r.KnowledgeBases[i].Role)
	}
	for i := range r.Agents {
		users = append(append(users, r.Agents[i].Role), r.Agents[i].Editors...)
	}
	for i, admin := range r.KeyAdministrators {
		if slices.Contains(users, admin) {
			c.Add(fmt.Sprintf("KeyAdministrators[%d]", i), "%s also uses a key; who manages a key must not be able to read with it, so use a role of its own", refusal.Quoted(admin))
		}
	}
}
