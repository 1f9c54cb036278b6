package profiles

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

func TestDestinationsOfAnAnswer(t *testing.T) {
	const (
		region = "eu-central-1"
		suffix = "::foundation-model/amazon.nova-lite-v1:0"
		system = "eu.amazon.nova-lite-v1:0"
		global = "global.amazon.nova-lite-v1:0"
		own    = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3"
		good   = "arn:aws:bedrock:eu-west-1" + suffix
	)
	for _, row := range []struct {
		name, profile string
		models        []string
		want          []string // nil: refused
	}{
		{"one region", system, []string{good}, []string{"eu-west-1"}},
		{"sorted, and each once", system, []string{good, "arn:aws:bedrock:eu-central-1" + suffix, good}, []string{"eu-central-1", "eu-west-1"}},
		{"a global profile", global, []string{"arn:aws:bedrock:::foundation-model/amazon.nova-lite-v1:0", good}, []string{"*", "eu-west-1"}},
		{"a global profile that lists regions alone", global, []string{good}, []string{"*", "eu-west-1"}},
		{"an application profile of a global one", own, []string{"arn:aws:bedrock:::foundation-model/amazon.nova-lite-v1:0", good}, []string{"*", "eu-west-1"}},
		{"a geographic profile with a model without a region", system, []string{"arn:aws:bedrock:::foundation-model/amazon.nova-lite-v1:0", good}, nil},
		{"no models", system, nil, nil},
		{"an empty ARN beside a good one", system, []string{good, ""}, nil},
		{"not an ARN", system, []string{"eu-west-1"}, nil},
		{"five parts", system, []string{"arn:aws:bedrock:eu-west-1:"}, nil},
		{"another scheme", system, []string{"urn:aws:bedrock:eu-west-1" + suffix}, nil},
		{"no partition", system, []string{"arn::bedrock:eu-west-1" + suffix}, nil},
		{"another partition", system, []string{"arn:aws-cn:bedrock:eu-west-1" + suffix}, nil},
		{"another service", system, []string{"arn:aws:sagemaker:eu-west-1" + suffix}, nil},
		{"an account", system, []string{"arn:aws:bedrock:eu-west-1:123456789012:foundation-model/amazon.nova-lite-v1:0"}, nil},
		{"another resource", system, []string{"arn:aws:bedrock:eu-west-1::custom-model/amazon.nova-lite-v1:0"}, nil},
		{"a star for a region", own, []string{"arn:aws:bedrock:*" + suffix}, nil},
		{"a space for a region", own, []string{"arn:aws:bedrock: " + suffix}, nil},
		{"a word for a region", own, []string{"arn:aws:bedrock:europe" + suffix}, nil},
	} {
		m, err := securebedrock.ParseModel(row.profile)
		if err != nil {
			t.Fatal(err)
		}
		out := &bedrock.GetInferenceProfileOutput{Status: types.InferenceProfileStatusActive}
		if m.Kind == securebedrock.KindApplicationProfile {
			out.InferenceProfileArn, out.InferenceProfileId, out.Type = aws.String(own), aws.String("a1b2c3"), types.InferenceProfileTypeApplication
		} else {
			out.InferenceProfileArn = aws.String("arn:aws:bedrock:eu-central-1:123456789012:inference-profile/" + row.profile)
			out.InferenceProfileId, out.Type = aws.String(row.profile), types.InferenceProfileTypeSystemDefined
		}
		for _, a := range row.models {
			out.Models = append(out.Models, types.InferenceProfileModel{ModelArn: aws.String(a)})
		}
		got, err := destinations(m, region, out)
		if !slices.Equal(got, row.want) || (err == nil) != (row.want != nil) {
			t.Errorf("%s: got %v, %v", row.name, got, err)
		}
		if _, err := destinations(m, "eu-west-1", out); err == nil {
			t.Errorf("%s: an answer about another region passed", row.name)
		}
	}
	m, err := securebedrock.ParseModel(system)
	if err != nil {
		t.Fatal(err)
	}
	for _, arn := range []string{"", system, "arn:aws:s3:eu-central-1:123456789012:inference-profile/" + system, "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/other",
		"arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/" + system} {
		if _, err := destinations(m, region, &bedrock.GetInferenceProfileOutput{
			InferenceProfileArn: aws.String(arn), InferenceProfileId: aws.String(system), Type: types.InferenceProfileTypeSystemDefined,
			Status: types.InferenceProfileStatusActive, Models: []types.InferenceProfileModel{{ModelArn: aws.String(good)}},
		}); err == nil {
			t.Errorf("an answer of %q passed", arn)
		}
	}
	if _, err := destinations(securebedrock.Model{}, region, nil); err == nil {
		t.Error("no answer passed")
	}
}
