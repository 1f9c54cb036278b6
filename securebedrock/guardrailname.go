package securebedrock

import "strings"

// sameGuardrail compares two guardrails, each by ID or ARN. Two ARNs must agree
// wholly. An ID stands for a guardrail of the calling account, so an ARN agrees
// with it by its last part.
func sameGuardrail(a, b string) bool {
	aARN, bARN := strings.HasPrefix(a, "arn:"), strings.HasPrefix(b, "arn:")
	if aARN == bARN {
		return a == b
	}
	return guardrailID(a) == guardrailID(b)
}

func guardrailID(s string) string {
	if _, id, ok := strings.Cut(s, ":guardrail/"); ok && strings.HasPrefix(s, "arn:") {
		return id
	}
	return s
}
