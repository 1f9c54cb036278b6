package policy

import "strings"

// Target names what a document is put to, where the document tells: the name of the
// bucket of a bucket policy, the ARN of the guardrail of a guardrail's resource policy,
// the service of an endpoint policy, such as "bedrock-runtime". Target is empty for
// other kinds, and where the statements name several targets or a pattern.
func (d Document) Target() string {
	switch d.Kind {
	case KindBucket:
		return single(d, func(arn string) string {
			rest, ok := cutPartition(arn, ":s3:::")
			name, _, _ := strings.Cut(rest, "/")
			if !ok || strings.ContainsAny(name, wildcards) {
				return ""
			}
			return name
		})
	case KindGuardrail:
		return single(d, func(arn string) string {
			_, ok := cutPartition(arn, ":bedrock:")
			if !ok || !strings.Contains(arn, ":guardrail/") && !strings.Contains(arn, ":guardrail-profile/") || strings.ContainsAny(arn, wildcards) {
				return ""
			}
			return arn
		})
	case KindEndpoint:
		// The policy of bedrock-runtime and that of bedrock name actions with the same
		// prefix, so that the statements do not tell the service.
		service, ok := strings.CutPrefix(d.Name, "endpoint-")
		if !ok {
			return ""
		}
		return service
	}
	return ""
}

// single returns what each resource of the document comes to, where all come to the
// same.
func single(d Document, read func(arn string) string) string {
	var one string
	for _, s := range d.Statements {
		for _, arn := range s.Resource {
			got := read(arn)
			if got == "" || one != "" && got != one {
				return ""
			}
			one = got
		}
	}
	return one
}

// cutPartition returns what follows the service of an ARN.
func cutPartition(arn, service string) (string, bool) {
	head, rest, ok := strings.Cut(arn, service)
	return rest, ok && (head == "arn:aws" || head == "arn:aws-us-gov" || head == "arn:aws-cn")
}
