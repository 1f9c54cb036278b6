package policy

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

func TestEndpointLanguage(t *testing.T) {
	t.Parallel()
	st := func(change func(*Statement)) Document {
		s := Statement{Sid: "Some", Effect: Allow, Principal: &Principal{Any: true}, Action: []string{"bedrock:InvokeModel"}, Resource: []string{"*"}}
		change(&s)
		return Document{Kind: KindEndpoint, Statements: []Statement{s}}
	}
	on := func(operator, key string, values ...string) Document {
		return st(func(s *Statement) { s.Condition = when(operator, key, values...) })
	}
	for _, c := range []struct {
		about string
		d     Document
		want  string // "" for a document that is fine
	}{
		{"a principal by its ARN", on("ArnEquals", "aws:PrincipalArn", appRole), ""},
		{"no principal", st(func(s *Statement) { s.Principal = nil }), "Document.Statements \"Some\": Principal: an endpoint policy needs one"},

		{"a whole account", on("StringEquals", "aws:PrincipalAccount", account), ""},
		{"part of an account", on("StringLike", "aws:PrincipalAccount", "111122*"), "no wildcard in a system-generated identifier"},
		{"part of a VPC, in another case", on("StringLike", "AWS:sourceVPC", "vpc-0123456789?"), "no wildcard in a system-generated identifier"},
		{"part of a VPC, if it exists", on("StringLikeIfExists", "aws:SourceVpc", "vpc-0123456789*"), "no wildcard in a system-generated identifier"},
		{"a numeric account", on("NumericEquals", "aws:PrincipalAccount", account), "no numeric operator"},
		{"a numeric account, if it exists", on("NumericEqualsIfExists", "aws:PrincipalAccount", account), "no numeric operator"},
		{"a number elsewhere", on("NumericLessThan", "aws:MultiFactorAuthAge", "3600"), ""},

		{"six characters before a wildcard", on("StringLike", "aws:RequestedRegion", "eu-cen*"), ""},
		{"six characters after a wildcard", on("StringLike", "aws:RequestedRegion", "*entral"), ""},
		{"six characters between two wildcards", on("StringLike", "aws:RequestedRegion", "*centra*"), ""},
		{"five characters before a wildcard", on("StringLike", "aws:RequestedRegion", "eu-ce*"), "six consecutive characters"},
		{"five characters after a wildcard", on("StringLike", "aws:RequestedRegion", "*ntral"), "six consecutive characters"},
		{"one wildcard of two", on("StringLike", "aws:RequestedRegion", "eu-central*-*"), "six consecutive characters"},
		{"a lone wildcard", on("StringLike", "aws:RequestedRegion", "*"), "six consecutive characters"},
		{"any of several values", on("ForAnyValue:StringLike", "aws:CalledVia", "bed*"), "six consecutive characters"},
		{"the second value", on("StringNotLike", "aws:RequestedRegion", "eu-central-1", "us*"), "six consecutive characters"},
		{"a short wildcard in an ARN operator", on("ArnLike", "aws:PrincipalArn", "arn:*:iam::"+account+":role/a*"), ""},

		{"any account in an ARN", st(func(s *Statement) { s.Resource = []string{"arn:aws:bedrock:eu-central-1:*:guardrail/abc"} }), ""},
		{"a foundation model, without an account", st(func(s *Statement) { s.Resource = []string{haiku} }), ""},
		{"part of an account in an ARN", st(func(s *Statement) { s.Resource = []string{"arn:aws:bedrock:eu-central-1:1111*:guardrail/abc"} }), "part ID and part wildcard"},
		{"part of an account in what is excluded", st(func(s *Statement) {
			s.Resource, s.NotResource = nil, []string{"arn:aws:bedrock:eu-central-1:11112222333?:guardrail/abc"}
		}), "part ID and part wildcard"},
		{"part of an account in a condition", on("ArnLike", "aws:PrincipalArn", "arn:aws:iam::1111*:role/application"), "part ID and part wildcard"},
	} {
		err := endpointLanguage(&c.d)
		if found := slices.ContainsFunc(Lint(c.d), func(f Finding) bool {
			return f.Rule == RuleEndpointLanguage && strings.Contains(f.Detail, c.want)
		}); found != (c.want != "") {
			t.Errorf("%s: Lint reports it: %v", c.about, found)
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.about, err)
		case c.want != "" && (!errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.about, err, c.want)
		}
	}
}
