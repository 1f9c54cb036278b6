package policy

import "testing"

func TestTarget(t *testing.T) {
	of := func(name string, kind Kind, resources ...string) Document {
		return Document{Name: name, Kind: kind, Statements: []Statement{{Resource: resources}}}
	}
	const guardrail = "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:guardrail/abc"
	for _, row := range []struct {
		says string
		doc  Document
		want string
	}{
		{"a bucket and its objects", of("b", KindBucket, "arn:aws:s3:::logs", "arn:aws:s3:::logs/*"), "logs"},
		{"a bucket of GovCloud", of("b", KindBucket, "arn:aws-us-gov:s3:::logs/*"), "logs"},
		{"two buckets", of("b", KindBucket, "arn:aws:s3:::logs", "arn:aws:s3:::trail"), ""},
		{"a pattern", of("b", KindBucket, "arn:aws:s3:::logs-*"), ""},
		{"any resource", of("b", KindBucket, "*"), ""},
		{"no resource", of("b", KindBucket), ""},
		{"a bucket among others", of("b", KindBucket, "arn:aws:s3:::logs", "*"), ""},
		{"a guardrail", of("g", KindGuardrail, guardrail), guardrail},
		{"every guardrail", of("g", KindGuardrail, "arn:aws:bedrock:us-east-1:123456789012:guardrail/*"), ""},
		{"another resource", of("g", KindGuardrail, "arn:aws:bedrock:us-east-1:123456789012:agent/abc"), ""},
		{"an endpoint", of("endpoint-sts", KindEndpoint, "*"), "sts"},
		{"an endpoint of another name", of("sts", KindEndpoint, "*"), ""},
		{"an identity", of("endpoint-sts", KindManaged, "arn:aws:s3:::logs"), ""},
	} {
		if got := row.doc.Target(); got != row.want {
			t.Errorf("%s: %q", row.says, got)
		}
	}
}
