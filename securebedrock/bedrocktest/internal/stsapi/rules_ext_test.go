package stsapi_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestAssumeRoleRules(t *testing.T) {
	s := bedrocktest.NewServer(t)
	for name, test := range map[string]struct {
		change func(*sts.AssumeRoleInput)
		code   string
	}{
		"short name":      {func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("x") }, "ValidationError"},
		"long name":       {func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String(strings.Repeat("x", 65)) }, "ValidationError"},
		"odd name":        {func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError"},
		"short duration":  {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, "ValidationError"},
		"long duration":   {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) }, "ValidationError"},
		"no role":         {func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::1:user/me-and-others") }, "ValidationError"},
		"external id":     {func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("a b") }, "ValidationError"},
		"source identity": {func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("a/b") }, "ValidationError"},
		"tag key":         {func(in *sts.AssumeRoleInput) { in.Tags = []types.Tag{{Key: aws.String("a*"), Value: aws.String("")}} }, "ValidationError"},
		"twin tags": {func(in *sts.AssumeRoleInput) {
			in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("")}, {Key: aws.String("A"), Value: aws.String("")}}
		}, "InvalidParameterValue"},
		"transitive": {func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"a"} }, "InvalidParameterValue"},
		"policy":     {func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{") }, "MalformedPolicyDocument"},
	} {
		t.Run(name, func(t *testing.T) {
			in := assume()
			test.change(in)
			_, err := stsClient(s).AssumeRole(t.Context(), in)
			probe.WantCode(t, err, 400, test.code)
		})
	}
	t.Run("chained", func(t *testing.T) {
		out, err := stsClient(s).AssumeRole(t.Context(), assume())
		if err != nil {
			t.Fatal(err)
		}
		in := assume()
		in.DurationSeconds = aws.Int32(7200)
		_, err = stsClient(s).AssumeRole(t.Context(), in, func(o *sts.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
		})
		probe.WantCode(t, err, 400, "ValidationError")
	})
}
