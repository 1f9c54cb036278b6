package policy

// Account is what Options cannot tell of the account and the organisation. Nothing of it
// is guessed. Every fault is reported by For.
type Account struct {
	// ID is the account's number, twelve digits. Required.
	ID string
	// Partition is "aws", "aws-us-gov" or "aws-cn". Zero means the partition of
	// Options.Region; another one is refused.
	Partition string
	// Organization is the organisation's ID, "o-" and 10 to 32 letters and digits. Empty
	// means that the account belongs to none: the documents of an organisation are left
	// out, and each has its twin as an identity policy or a permissions boundary.
	Organization string
	// ProfileModels maps the ARN of an application inference profile to the foundation
	// model IDs, or their ARNs with regions, behind it. A profile in Options.Models that is not
	// a key is a fault.
	ProfileModels map[string][]string
	// Unguardable maps the ID of a model that takes no guardrail, such as an embedding
	// model, to the reason for using it all the same.
	Unguardable map[string]string
	// ExceptPrincipals maps the ARN of a role that the guardrail rule must spare to the
	// reason. Knowledge bases and agents call models with a service role and without
	// the guardrail key.
	ExceptPrincipals map[string]string
	// Resources are the knowledge bases, agents, keys, buckets and roles that stand
	// around the client.
	Resources Resources
}
