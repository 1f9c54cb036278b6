package securebedrock

import "testing"

// Equality is reflexive and symmetric, and never holds between different IDs.
func FuzzSameGuardrail(f *testing.F) {
	const arn = "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc"
	for _, pair := range [][2]string{{"abc", arn}, {arn, arn}, {"abc", "abd"}, {arn, arn + "x"}, {"", arn}, {"", ""},
		{arn, "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc"}, {"arn:x:guardrail/abc", "abc"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !sameGuardrail(a, a) || sameGuardrail(a, b) != sameGuardrail(b, a) {
			t.Errorf("%q and %q", a, b)
		}
		if sameGuardrail(a, b) && guardrailID(a) != guardrailID(b) {
			t.Errorf("%q equals %q", a, b)
		}
		if isGuardrailID(a) && isGuardrailID(b) && sameGuardrail(a, b) != (a == b) {
			t.Errorf("%q and %q", a, b)
		}
	})
}
