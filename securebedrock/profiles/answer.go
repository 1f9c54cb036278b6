package profiles

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// destinations reads the regions out of an answer about profile, given in
// region. Everything about the answer must fit the question.
func destinations(profile securebedrock.Model, region string, out *bedrock.GetInferenceProfileOutput) ([]string, error) {
	if out == nil {
		return nil, fmt.Errorf("the answer is empty")
	}
	own, err := sameProfile(profile, region, out)
	if err != nil {
		return nil, err
	}
	if out.Status != types.InferenceProfileStatusActive {
		return nil, fmt.Errorf("its status is %q and not ACTIVE", out.Status)
	}
	if len(out.Models) == 0 {
		return nil, fmt.Errorf("it lists no models")
	}
	var list []string
	if profile.Prefix == "global" {
		list = append(list, regions.Anywhere)
	}
	for _, m := range out.Models {
		a, ok := regions.ParseARN(aws.ToString(m.ModelArn))
		if !ok || a.Partition != own.Partition || a.Service != "bedrock" || a.Account != "" ||
			!strings.HasPrefix(a.Resource, "foundation-model/") || a.Region != "" && !regions.Valid(a.Region) {
			return nil, fmt.Errorf("%q is not the ARN of a foundation model", aws.ToString(m.ModelArn))
		}
		if a.Region == "" {
			// Global profiles list their model once without a region.
			if profile.Kind == securebedrock.KindInferenceProfile && profile.Prefix != "global" {
				return nil, fmt.Errorf("%q names no region, which only a global profile may leave open", aws.ToString(m.ModelArn))
			}
			a.Region = regions.Anywhere
		}
		list = append(list, a.Region)
	}
	return distinct(list), nil
}

// sameProfile returns the ARN of the profile that the answer is about, which
// must be the one that was asked for.
func sameProfile(profile securebedrock.Model, region string, out *bedrock.GetInferenceProfileOutput) (regions.ARN, error) {
	kind := types.InferenceProfileTypeSystemDefined
	if profile.Kind == securebedrock.KindApplicationProfile {
		kind = types.InferenceProfileTypeApplication
	}
	if out.Type != kind {
		return regions.ARN{}, fmt.Errorf("its type is %q and not %s", out.Type, kind)
	}
	own, ok := regions.ParseARN(aws.ToString(out.InferenceProfileArn))
	if !ok || own.Service != "bedrock" {
		return regions.ARN{}, fmt.Errorf("its own ARN %q does not parse", aws.ToString(out.InferenceProfileArn))
	}
	if own.Region != region {
		return regions.ARN{}, fmt.Errorf("the answer is about %s, of another region than %s", aws.ToString(out.InferenceProfileArn), region)
	}
	id := profile.ID
	if asked, ok := regions.ParseARN(profile.ID); ok {
		if asked != own {
			return regions.ARN{}, fmt.Errorf("the answer is about another profile, %s", aws.ToString(out.InferenceProfileArn))
		}
		_, id, _ = strings.Cut(asked.Resource, "/")
	}
	if aws.ToString(out.InferenceProfileId) != id || own.Resource != string(profile.Kind)+"/"+id {
		return regions.ARN{}, fmt.Errorf("the answer is about another profile, %s", aws.ToString(out.InferenceProfileArn))
	}
	return own, nil
}
