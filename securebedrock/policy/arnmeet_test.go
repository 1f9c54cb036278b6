package policy

import "testing"

func TestMeets(t *testing.T) {
	const guardrail = "arn:${Partition}:bedrock:${Region}:${Account}:guardrail/${GuardrailId}"
	const model = "arn:${Partition}:bedrock:${Region}::foundation-model/${ResourceId}"
	for _, row := range []struct {
		pattern, form string
		want          bool
	}{
		{"*", guardrail, true},
		{"arn:aws:bedrock:*", guardrail, true},
		{"arn:aws:bedrock:*:*:guardrail/*", guardrail, true},
		{"arn:aws:bedrock:us-east-1:111122223333:guardrail/abc", guardrail, true},
		{"arn:aws:bedrock:us-east-1:111122223333:guardrail/abc:1", guardrail, true},
		{"arn:aws:bedrock:us-east-1:11112222????:guardrail/a?c", guardrail, true},
		{"arn:aws:bedrock:us-east-1:111122223333:*", guardrail, true},
		{"arn:${aws:partition}:bedrock:us-east-1:111122223333:guardrail/${aws:PrincipalTag/g}", guardrail, true},
		{"*guardrail*", guardrail, true},
		{"arn:aws:bedrock:us-east-1:111122223333:guardrail/", guardrail, false},
		{"arn:aws:bedrock:us-east-1::guardrail/abc", guardrail, false},
		{"arn:aws:bedrock::111122223333:guardrail/abc", guardrail, false},
		{"arn:aws:bedrock:us-east-1:111122223333:guardrails/abc", guardrail, false},
		{"arn:aws:s3:::bucket", guardrail, false},
		{"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2:1", model, true},
		{"arn:aws:bedrock:*:*:foundation-model/*", model, true},
		{"arn:aws:bedrock:us-east-1:1:foundation-model/x", model, false},
		{"arn:aws:bedrock:us-east-1:*", model, true},
		{"arn:aws:bedrock:*:1:foundation-model/x", model, false},
		{"arn:aws:bedrock:*:*:async-invoke/*", model, false},
		{"arn:aws:bedrock:?:1:guardrail/x", guardrail, true},
		{"arn:aws:bedrock:us-east-1??foundation-model/*", model, true},
		{"", model, false},
		{"${", model, true}, // a variable without an end can be anything
	} {
		if got := meets(row.pattern, row.form); got != row.want {
			t.Errorf("meets(%q, %q) = %t", row.pattern, row.form, got)
		}
	}
}
