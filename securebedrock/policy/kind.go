package policy

// Kind is a kind of policy.
type Kind string

// The kinds, each with the limit that Limit gives.
const (
	KindManaged   Kind = "managed"   // an identity policy of its own
	KindBoundary  Kind = "boundary"  // a managed policy as a permissions boundary
	KindInline    Kind = "inline"    // an identity policy inside a role
	KindSession   Kind = "session"   // AssumeRole's Policy
	KindTrust     Kind = "trust"     // a role's AssumeRolePolicyDocument
	KindSCP       Kind = "scp"       // a service control policy
	KindRCP       Kind = "rcp"       // a resource control policy
	KindEndpoint  Kind = "endpoint"  // a VPC endpoint's policy
	KindKey       Kind = "key"       // a KMS key's policy
	KindBucket    Kind = "bucket"    // an S3 bucket's policy
	KindGuardrail Kind = "guardrail" // a guardrail's resource policy
	KindLogs      Kind = "logs"      // a CloudWatch Logs resource policy
	KindBedrock   Kind = "bedrock"   // an organisation's BEDROCK_POLICY, a declarative policy
)

// kindFacts is what AWS says of a kind.
type kindFacts struct {
	limit      int
	whiteSpace bool // counts
	bytes      bool // count, and not characters
	attachable int  // how many can be attached to one target; 1: the document cannot be split
	resource   bool // statements name a Principal
}

// facts gives the limits. Sources, looked up 2026-11: IAM User Guide
// reference_iam-quotas (managed, inline, trust, session), Organizations User Guide
// orgs_reference_limits (SCP since 2026-05-15, RCP, declarative), PrivateLink guide
// vpc-limits-endpoints, KMS Developer Guide resource-limits, S3 User Guide
// BucketRestrictions and bucket-policies, CloudWatch Logs PutResourcePolicy, Bedrock
// PutResourcePolicy.
func (k Kind) facts() kindFacts {
	switch k {
	case KindManaged:
		return kindFacts{limit: 6144, attachable: 10}
	case KindBoundary:
		return kindFacts{limit: 6144, attachable: 1}
	case KindInline:
		return kindFacts{limit: 10240, attachable: 1}
	case KindSession:
		return kindFacts{limit: 2048, whiteSpace: true, attachable: 1}
	case KindTrust:
		return kindFacts{limit: 2048, attachable: 1, resource: true}
	case KindSCP:
		// Ten, of which FullAWSAccess is one.
		return kindFacts{limit: 10240, whiteSpace: true, attachable: 9}
	case KindRCP:
		return kindFacts{limit: 5120, whiteSpace: true, attachable: 5, resource: true}
	case KindEndpoint:
		return kindFacts{limit: 20480, whiteSpace: true, attachable: 1, resource: true}
	case KindKey:
		return kindFacts{limit: 32768, whiteSpace: true, bytes: true, attachable: 1, resource: true}
	case KindBucket:
		return kindFacts{limit: 20480, whiteSpace: true, bytes: true, attachable: 1, resource: true}
	case KindGuardrail:
		return kindFacts{limit: 20480, whiteSpace: true, attachable: 1, resource: true}
	case KindLogs:
		return kindFacts{limit: 5120, whiteSpace: true, attachable: 10, resource: true}
	case KindBedrock:
		return kindFacts{limit: 10000, whiteSpace: true, attachable: 1}
	}
	return kindFacts{}
}

// unit is what counts.
func (k Kind) unit() string {
	if k.facts().bytes {
		return "bytes"
	}
	return "characters"
}

// Limit is the size that AWS accepts for the document's kind: bytes for a key and a
// bucket, characters otherwise; zero for an unknown kind.
func (d Document) Limit() int { return d.Kind.facts().limit }
