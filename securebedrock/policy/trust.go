package policy

import (
	"maps"
	"slices"
)

// RoleTrust is the trust policy of Options.Role: who may assume it, and with what. It is
// the role's one trust policy. The client has no such rule.
//
// The principals are Account.Resources.Trusted. External ID, source identity and session
// tags are demanded where Options.Role has them, so that a program without them cannot
// assume the role. sts:SetSourceIdentity and sts:TagSession are authorized apart
// from sts:AssumeRole and know no external ID, hence the separate statements. No other
// tag can be passed: a tag may decide elsewhere what its principal may do.
//
// STS asks for sts:TagSession on inherited transitive tags, too. Every tag of EKS Pod
// Identity is transitive. https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
//
// A source identity that a principal brings along from an earlier session cannot be
// changed, and STS refuses the role unless Options.Role.SourceIdentity is the same.
func RoleTrust(s *Spec) ([]Document, error) {
	r, role := &s.acct.Resources, s.opts.Role
	if role == nil || len(r.Trusted) == 0 {
		return nil, nil
	}
	who := func() *Principal { return &Principal{AWS: sortedSet(r.Trusted)} }
	demanded, tagged := Condition{}, Condition{}
	if role.ExternalID != "" {
		demanded = demanded.and(when("StringEquals", "sts:ExternalId", role.ExternalID))
	}
	if role.SourceIdentity != "" {
		demanded = demanded.and(when("StringEquals", "sts:SourceIdentity", role.SourceIdentity))
	}
	for key, value := range role.Tags {
		tagged = tagged.and(when("StringEquals", "aws:RequestTag/"+key, value))
	}
	d := Document{
		Name: "trust-role", Kind: KindTrust,
		Purpose: "Lets the named principals assume the client's role, with what the client sends.",
		Attach:  "to the role " + role.ARN + ", as its trust policy",
		Mirrors: "ErrAuth",
		Statements: []Statement{{
			Sid: "AssumeClientRole", Effect: Allow, Principal: who(),
			Action: []string{"sts:AssumeRole"}, Condition: demanded.and(tagged),
		}},
	}
	if role.SourceIdentity != "" {
		d.Statements = append(d.Statements, Statement{
			Sid: "SetSourceIdentity", Effect: Allow, Principal: who(),
			Action: []string{"sts:SetSourceIdentity"}, Condition: when("StringEquals", "sts:SourceIdentity", role.SourceIdentity),
		})
	}
	inherited := slices.Clone(r.InheritedTags)
	if len(r.Pods) > 0 {
		inherited = append(inherited, podTags()...)
	}
	keys := sortedSet(slices.AppendSeq(inherited, maps.Keys(role.Tags)))
	if len(keys) > 0 {
		passed := tagged.and(when("ForAllValues:StringEquals", "aws:TagKeys", keys...))
		if transitive := sortedSet(slices.Concat(inherited, role.TransitiveTagKeys)); len(transitive) > 0 {
			passed = passed.and(when("ForAllValues:StringEquals", "sts:TransitiveTagKeys", transitive...))
		} else {
			passed = passed.and(when("Null", "sts:TransitiveTagKeys", "true"))
		}
		d.Statements = append(d.Statements, Statement{
			Sid: "PassSessionTags", Effect: Allow, Principal: who(),
			Action: []string{"sts:TagSession"}, Condition: passed,
		})
	}
	return fit(d)
}

// ServiceTrust are the trust policies of Bedrock's service roles: of knowledge bases,
// agents and batch jobs. Each is a role's one trust policy. The client has no such rule.
//
// A knowledge base without an ID is trusted by any ID: its role is needed before it
// exists. The same holds for a batch job, which has a new ID each time.
// https://docs.aws.amazon.com/bedrock/latest/userguide/kb-permissions.html
// https://docs.aws.amazon.com/bedrock/latest/userguide/agents-permissions.html
// https://docs.aws.amazon.com/bedrock/latest/userguide/batch-iam-sr.html
func ServiceTrust(s *Spec) ([]Document, error) {
	var docs []Document
	add := func(role, what, resource string) {
		if role != "" {
			docs = append(docs, serviceTrust(s, role, "Lets Bedrock assume this role for "+what+".", "bedrock.amazonaws.com", s.arn(resource)))
		}
	}
	r := &s.acct.Resources
	for i := range r.KnowledgeBases {
		id, what := r.KnowledgeBases[i].ID, "the knowledge base "+r.KnowledgeBases[i].ID
		if id == "" {
			id, what = "*", "any knowledge base of the account; name its ID once it exists"
		}
		add(r.KnowledgeBases[i].Role, what, "knowledge-base/"+id)
	}
	for i := range r.Agents {
		add(r.Agents[i].Role, "the agent "+r.Agents[i].ID, "agent/"+r.Agents[i].ID)
	}
	batch := "batch inference jobs of the account, whose calls carry no guardrail"
	if _, spared := s.sparedBatch(); !spared && s.guardrail != "" {
		batch += "; scp-guarded-routes or its twin denies them until Account.ExceptPrincipals name the role"
	}
	add(r.BatchRole, batch, "model-invocation-job/*")
	return fitAll(docs...)
}

// serviceTrust lets an AWS service assume a role for one resource of the account.
func serviceTrust(s *Spec, role, purpose, principal, arn string) Document {
	return Document{
		Name: fileName("service-trust", lastWord(role)), Kind: KindTrust,
		Purpose: purpose,
		Attach:  "to the role " + role + ", as its trust policy",
		Statements: []Statement{{
			Sid: "AssumeServiceRole", Effect: Allow, Principal: service(principal),
			Action: []string{"sts:AssumeRole"}, Condition: s.forResource(arn),
		}},
	}
}
