package policy

import "slices"

// Resources are the names that stand around a client and that Options cannot tell. Each
// field that is empty leaves its documents out. Every ARN is of Account.ID and of the
// account's partition, unless the field says otherwise. For reports every fault.
type Resources struct {
	// Trusted are the ARNs of the roles and users that may assume Options.Role. They
	// may be of another account; Options.Role.ExternalID is then wise.
	Trusted []string
	// InheritedTags are the keys of the transitive session tags that Trusted bring along,
	// and that Options.Role.Tags do not hold. STS asks for sts:TagSession on an inherited
	// tag, too. The tags of EKS Pod Identity are among them by themselves where Pods is
	// set.
	InheritedTags []string
	// Callers are the ARNs of the roles and users that call models, agents and knowledge
	// bases, besides Options.Role.
	Callers []string

	// Pods and OIDC say who may hold the application's own role: the role that assumes
	// Options.Role or, where Options have no Role, signs the calls.
	Pods []PodIdentity
	OIDC []OIDC

	// KnowledgeBases and Agents are the ones that the application asks.
	KnowledgeBases []KnowledgeBase
	Agents         []Agent
	// RetrieveAndGenerate is the reason for allowing that action. The action takes no
	// resource and carries no guardrail key, so that the call's own body chooses model
	// and guardrail. Empty means that knowledge bases can only be searched.
	RetrieveAndGenerate string
	// BatchRole is the ARN of the service role of batch inference jobs. GuardedRoutes denies
	// the jobs unless Account.ExceptPrincipals have the role, with the reason.
	BatchRole string

	// AdminTag is the principal tag that makes a guardrail administrator.
	AdminTag Tag

	// KeyAdministrators are the ARNs of the roles and users that manage the keys below and
	// cannot use them. Empty means whoever the account's own IAM policies let manage them.
	KeyAdministrators []string
	// GuardrailKey encrypts the guardrail, ModelKey the custom models.
	GuardrailKey Key
	ModelKey     Key

	// Logs is where the invocation logs go.
	Logs Logs
	// Trail is the CloudTrail trail.
	Trail Trail

	// Endpoints are the IDs of the VPC endpoints, such as "vpce-0123456789abcdef0".
	Endpoints []string
}

// Key is a KMS key and who encrypts with it. Who only decrypts are the callers:
// Options.Role and Resources.Callers.
type Key struct {
	// ARN is the key's ARN, "arn:aws:kms:REGION:ACCOUNT:key/ID", in Options.Region.
	ARN string
	// Creators are the ARNs of the roles and users that create what the key encrypts.
	Creators []string
}

// Tag is a tag of a principal.
type Tag struct{ Key, Value string }

// PodIdentity is a Kubernetes service account that holds a role through EKS Pod Identity.
type PodIdentity struct {
	Cluster        string // the cluster's ARN
	Namespace      string
	ServiceAccount string
}

// OIDC is an identity provider whose tokens are exchanged for a role, such as GitHub's,
// an EKS cluster's or a Cognito user pool's.
type OIDC struct {
	// Provider is the provider's ARN: "arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH".
	Provider string
	// Audience is the token's "aud" claim. Required.
	Audience string
	// Subjects are the permitted values of the token's "sub" claim. Required. A value
	// is compared as it stands.
	Subjects []string
	// SubjectPatterns are permitted values in which '*' stands for any characters, as in
	// "repo:example/app:*". A '*' stands at the end, after ':' or '/', and after the
	// part that names the owner: the GitHub organisation, the Kubernetes namespace.
	SubjectPatterns []string
}

// KnowledgeBase is a knowledge base of the account in Options.Region.
type KnowledgeBase struct {
	// ID is the knowledge base's ID. Empty while the knowledge base does not exist yet:
	// its service role is then trusted for any knowledge base of the account, and no
	// caller can ask it.
	ID string
	// Role is the ARN of its service role. Empty leaves that role's documents out.
	Role string
	// Bucket holds the data source. BucketAccount owns it; zero means Account.ID.
	Bucket        string
	BucketAccount string
	// BucketKey is the ARN of the key that encrypts the bucket's objects. The key may be
	// of BucketAccount.
	BucketKey string
	// Key is the ARN of the key that encrypts the data while it is ingested.
	Key string
}

// Agent is an agent of the account in Options.Region.
type Agent struct {
	// ID is the agent's ID.
	ID string
	// Aliases are the IDs of the aliases that the application asks. TSTALIASID, which
	// stands for the working draft, is refused.
	Aliases []string
	// Role is the ARN of its service role. Empty leaves that role's trust policy out.
	Role string
	// Key is the ARN of the key that encrypts the agent. Editors are the ARNs of the roles
	// and users that create and change agents under the key.
	Key     string
	Editors []string
}

// Logs is the destination of the invocation logs. Bedrock writes to the account and region
// of the call only.
type Logs struct {
	// Bucket is an S3 bucket. Prefix is the key prefix of the logging configuration,
	// without a slash at its ends. BucketKey is the ARN of the bucket's key.
	Bucket, Prefix, BucketKey string
	// Group is a CloudWatch log group. GroupKey is the ARN of its key. Role is the ARN
	// of the role with which Bedrock writes there.
	Group, GroupKey, Role string
	// Readers are the ARNs of the roles and users that read the logs in the bucket.
	Readers []string
}

// Trail is a trail of the account.
type Trail struct {
	// Name is the trail's name. Region is its home region; zero means Options.Region.
	Name, Region string
	// Bucket is the trail's S3 bucket, and Prefix the prefix of the trail, without a slash
	// at its ends. Key is the ARN of the key that encrypts the trail's files.
	Bucket, Prefix, Key string
	// Group is the CloudWatch log group to which the trail also delivers, in the trail's home
	// region. GroupKey is the ARN of its key. Role is the ARN of the role with which
	// CloudTrail writes there.
	Group, GroupKey, Role string
	// Readers are the ARNs of the roles and users that read the trail's files.
	Readers []string
}

func (r Resources) clone() Resources {
	for _, list := range []*[]string{
		&r.Trusted, &r.InheritedTags, &r.Callers, &r.KeyAdministrators, &r.GuardrailKey.Creators,
		&r.ModelKey.Creators, &r.Logs.Readers, &r.Trail.Readers, &r.Endpoints,
	} {
		*list = slices.Clone(*list)
	}
	r.Pods, r.OIDC = slices.Clone(r.Pods), slices.Clone(r.OIDC)
	for i := range r.OIDC {
		r.OIDC[i].Subjects = slices.Clone(r.OIDC[i].Subjects)
		r.OIDC[i].SubjectPatterns = slices.Clone(r.OIDC[i].SubjectPatterns)
	}
	r.KnowledgeBases, r.Agents = slices.Clone(r.KnowledgeBases), slices.Clone(r.Agents)
	for i := range r.Agents {
		r.Agents[i].Aliases = slices.Clone(r.Agents[i].Aliases)
		r.Agents[i].Editors = slices.Clone(r.Agents[i].Editors)
	}
	return r
}
