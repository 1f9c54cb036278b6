package policy

import (
	"fmt"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// trust checks who may assume the client's role and the application's own.
func (c *resourceCheck) trust(r *Resources) {
	c.principals("Trusted", r.Trusted, "")
	c.principals("Callers", r.Callers, c.account)
	c.needs("Trusted", len(r.Trusted) > 0, "Options.Role", c.role != nil)
	c.needs("InheritedTags", len(r.InheritedTags) > 0, "Trusted", len(r.Trusted) > 0)
	for i, tag := range r.InheritedTags {
		if !isTagKey(tag) {
			c.Add(fmt.Sprintf("InheritedTags[%d]", i), "%s is not the key of a tag; use 1 to 128 letters, digits, spaces and _ . : / = + - @", refusal.Quoted(tag))
		}
	}
	if c.role != nil && len(r.Trusted) > 0 {
		c.tags(c.role.Tags)
	}
	// The application's own role may be of another account where it only assumes
	// Options.Role.
	account := c.account
	if c.role != nil {
		account = ""
	}
	for i := range r.Pods {
		c.pod(fmt.Sprintf("Pods[%d].", i), &r.Pods[i], account)
	}
	for i := range r.OIDC {
		c.oidc(fmt.Sprintf("OIDC[%d].", i), &r.OIDC[i], account)
	}
}

// tags refuses session tags that the trust policy of Options.Role cannot hold. STS takes
// letters of every script; a policy does not, and takes '$' for a variable.
func (c *resourceCheck) tags(tags map[string]string) {
	for key, value := range sorted(tags) {
		if !isTagKey(key) || value != "" && !isTagValue(value) {
			c.Add("Trusted", "Options.Role.Tags hold %s with a character that a trust policy cannot hold; use letters and digits of ASCII, spaces and _ . : / = + - @ for key and value", refusal.Quoted(key))
		}
	}
}

func (c *resourceCheck) pod(field string, p *PodIdentity, account string) {
	const form = "arn:PARTITION:eks:REGION:ACCOUNT:cluster/NAME"
	arn, ok := c.arn(field+"Cluster", p.Cluster, account, form)
	name, isCluster := strings.CutPrefix(arn.Resource, "cluster/")
	if ok && (arn.Service != "eks" || !isCluster || !consistsOf(name, 1, 100, "_-") || !regions.Valid(arn.Region) || arn.Account == "") {
		c.Add(field+"Cluster", "%s is not the ARN of an EKS cluster; use %s", refusal.Quoted(p.Cluster), form)
	}
	for _, part := range []struct{ field, value string }{{"Namespace", p.Namespace}, {"ServiceAccount", p.ServiceAccount}} {
		if !isKubernetesName(part.value) {
			c.Add(field+part.field, "%s is not a name of Kubernetes; without it every pod of the cluster that is given the role could hold it, so name it", refusal.Quoted(part.value))
		}
	}
}

func (c *resourceCheck) oidc(field string, o *OIDC, account string) {
	const form = "arn:PARTITION:iam::ACCOUNT:oidc-provider/HOST"
	arn, ok := c.arn(field+"Provider", o.Provider, account, form)
	host, isProvider := strings.CutPrefix(arn.Resource, "oidc-provider/")
	if ok && (arn.Service != "iam" || arn.Region != "" || arn.Account == "" || !isProvider || !consistsOf(host, 1, 255, "._/-") || !strings.Contains(host, ".")) {
		c.Add(field+"Provider", "%s is not the ARN of an OIDC provider; use %s", refusal.Quoted(o.Provider), form)
	}
	if !isClaim(o.Audience, "") {
		c.Add(field+"Audience", "%s is no audience; without one a token that was made for another service is accepted, so name the client ID of the provider, such as sts.amazonaws.com", refusal.Quoted(o.Audience))
	}
	if len(o.Subjects)+len(o.SubjectPatterns) == 0 {
		c.Add(field+"Subjects", "there is no subject; without one every user of the provider can hold the role, so name the subjects")
	}
	for i, subject := range o.Subjects {
		if !isClaim(subject, "") {
			c.Add(fmt.Sprintf("%sSubjects[%d]", field, i), "%s is no subject; name one value of the claim, or put a pattern with '*' into SubjectPatterns", refusal.Quoted(subject))
		}
	}
	for i, pattern := range o.SubjectPatterns {
		if !isClaim(pattern, "*") || !isPattern(pattern) {
			c.Add(fmt.Sprintf("%sSubjectPatterns[%d]", field, i), "%s is no bounded pattern; name the owner and end with ':*' or '/*', as in repo:ORGANISATION/* or system:serviceaccount:NAMESPACE:*", refusal.Quoted(pattern))
		}
	}
}

func (c *resourceCheck) knowledgeBase(field string, k *KnowledgeBase) {
	c.name(field+"ID", k.ID, isID, "the ID of a knowledge base, ten letters and digits")
	c.serviceRole(field+"Role", k.Role)
	c.name(field+"Bucket", k.Bucket, isBucket, "the name of a bucket")
	if k.ID == "" && k.Role == "" {
		c.Add(field+"ID", "neither ID nor Role is set; set ID for callers, and Role for the service role's documents")
	}
	c.needs(field+"Bucket", k.Bucket != "", field+"Role", k.Role != "")
	c.needs(field+"Key", k.Key != "", field+"Role", k.Role != "")
	c.needs(field+"BucketKey", k.BucketKey != "", field+"Bucket", k.Bucket != "")
	c.needs(field+"BucketAccount", k.BucketAccount != "", field+"Bucket", k.Bucket != "")
	c.name(field+"BucketAccount", k.BucketAccount, regions.IsAccount, "an account, twelve digits")
	c.key(field+"Key", k.Key, c.account, c.region)
	owner := c.account
	if k.BucketAccount != "" {
		owner = k.BucketAccount
	}
	c.key(field+"BucketKey", k.BucketKey, owner, c.region)
}

func (c *resourceCheck) agent(field string, a *Agent) {
	if !isID(a.ID) {
		c.Add(field+"ID", "%s is not the ID of an agent; use its ten letters and digits", refusal.Quoted(a.ID))
	}
	for i, alias := range a.Aliases {
		one := fmt.Sprintf("%sAliases[%d]", field, i)
		switch {
		case alias == "TSTALIASID":
			c.Add(one, "TSTALIASID is the agent's working draft, which changes while the application runs; create an alias of a version")
		case !isID(alias):
			c.Add(one, "%s is not the ID of an agent's alias; use its ten letters and digits", refusal.Quoted(alias))
		}
	}
	if len(a.Aliases) == 0 && a.Role == "" {
		c.Add(field+"Aliases", "neither Aliases nor Role is set; set Aliases for callers, and Role for the service role's trust policy")
	}
	c.serviceRole(field+"Role", a.Role)
	c.key(field+"Key", a.Key, c.account, c.region)
	c.principals(field+"Editors", a.Editors, c.account)
	c.needs(field+"Editors", len(a.Editors) > 0, field+"Key", a.Key != "")
}

func (c *resourceCheck) logs(l *Logs) {
	c.name("Logs.Bucket", l.Bucket, isBucket, "the name of a bucket")
	c.name("Logs.Prefix", l.Prefix, isPrefix, "a key prefix without a slash at its ends")
	c.name("Logs.Group", l.Group, isLogGroup, "the name of a log group")
	c.needs("Logs.Prefix", l.Prefix != "", "Logs.Bucket", l.Bucket != "")
	c.needs("Logs.BucketKey", l.BucketKey != "", "Logs.Bucket", l.Bucket != "")
	c.needs("Logs.Readers", len(l.Readers) > 0, "Logs.Bucket", l.Bucket != "")
	c.needs("Logs.Group", l.Group != "", "Logs.Role", l.Role != "")
	c.needs("Logs.Role", l.Role != "", "Logs.Group", l.Group != "")
	c.needs("Logs.GroupKey", l.GroupKey != "", "Logs.Group", l.Group != "")
	c.key("Logs.BucketKey", l.BucketKey, c.account, c.region)
	c.key("Logs.GroupKey", l.GroupKey, c.account, c.region)
	c.serviceRole("Logs.Role", l.Role)
	c.principals("Logs.Readers", l.Readers, c.account)
}

func (c *resourceCheck) trail(t *Trail) {
	home := c.region
	if t.Region != "" {
		home = t.Region
		if regions.PartitionOf(t.Region) != c.partition {
			c.Add("Trail.Region", "%s is no region of partition %s; name the trail's home region", refusal.Quoted(t.Region), c.partition)
		}
	}
	c.name("Trail.Name", t.Name, isTrail, "the name of a trail, 3 to 128 letters, digits and . _ -")
	c.name("Trail.Bucket", t.Bucket, isBucket, "the name of a bucket")
	c.name("Trail.Prefix", t.Prefix, isPrefix, "a key prefix without a slash at its ends")
	c.name("Trail.Group", t.Group, isLogGroup, "the name of a log group")
	for _, part := range []struct {
		field string
		set   bool
	}{
		{"Region", t.Region != ""}, {"Bucket", t.Bucket != ""}, {"Prefix", t.Prefix != ""}, {"Key", t.Key != ""},
		{"Group", t.Group != ""}, {"GroupKey", t.GroupKey != ""}, {"Role", t.Role != ""}, {"Readers", len(t.Readers) > 0},
	} {
		c.needs("Trail."+part.field, part.set, "Trail.Name", t.Name != "")
	}
	c.needs("Trail.Name", t.Name != "", "Trail.Bucket", t.Bucket != "")
	c.needs("Trail.Group", t.Group != "", "Trail.Role", t.Role != "")
	c.needs("Trail.Role", t.Role != "", "Trail.Group", t.Group != "")
	c.needs("Trail.GroupKey", t.GroupKey != "", "Trail.Group", t.Group != "")
	c.key("Trail.Key", t.Key, c.account, "") // the key is in the region of the bucket
	c.key("Trail.GroupKey", t.GroupKey, c.account, home)
	c.serviceRole("Trail.Role", t.Role)
	c.principals("Trail.Readers", t.Readers, c.account)
}
