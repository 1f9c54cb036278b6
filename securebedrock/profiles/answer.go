package profiles

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// anywhere stands for every commercial region, as in securebedrock.Model.Regions.
const anywhere = "*"

// arn is an ARN in its parts.
type arn struct{ partition, service, region, account, resource string }

func parseARN(s string) (arn, bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[5] == "" {
		return arn{}, false
	}
	return arn{p[1], p[2], p[3], p[4], p[5]}, true
}

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
	var regions []string
	if profile.Prefix == "global" {
		regions = append(regions, anywhere)
	}
	for _, m := range out.Models {
		a, ok := parseARN(aws.ToString(m.ModelArn))
		if !ok || a.partition != own.partition || a.service != "bedrock" || a.account != "" ||
			!strings.HasPrefix(a.resource, "foundation-model/") || a.region != "" && !isRegion(a.region) {
			return nil, fmt.Errorf("%q is not the ARN of a foundation model", aws.ToString(m.ModelArn))
		}
		if a.region == "" {
			// Global profiles list their model once without a region.
			if profile.Kind == securebedrock.KindInferenceProfile && profile.Prefix != "global" {
				return nil, fmt.Errorf("%q names no region, which only a global profile may leave open", aws.ToString(m.ModelArn))
			}
			a.region = anywhere
		}
		regions = append(regions, a.region)
	}
	slices.Sort(regions)
	return slices.Compact(regions), nil
}

// sameProfile returns the ARN of the profile that the answer is about, which
// must be the one that was asked for.
func sameProfile(profile securebedrock.Model, region string, out *bedrock.GetInferenceProfileOutput) (arn, error) {
	kind := types.InferenceProfileTypeSystemDefined
	if profile.Kind == securebedrock.KindApplicationProfile {
		kind = types.InferenceProfileTypeApplication
	}
	if out.Type != kind {
		return arn{}, fmt.Errorf("its type is %q and not %s", out.Type, kind)
	}
	own, ok := parseARN(aws.ToString(out.InferenceProfileArn))
	if !ok || own.service != "bedrock" {
		return arn{}, fmt.Errorf("its own ARN %q does not parse", aws.ToString(out.InferenceProfileArn))
	}
	if own.region != region {
		return arn{}, fmt.Errorf("the answer is about %s, of another region than %s", aws.ToString(out.InferenceProfileArn), region)
	}
	id := profile.ID
	if asked, ok := parseARN(profile.ID); ok {
		if asked != own {
			return arn{}, fmt.Errorf("the answer is about another profile, %s", aws.ToString(out.InferenceProfileArn))
		}
		_, id, _ = strings.Cut(asked.resource, "/")
	}
	if aws.ToString(out.InferenceProfileId) != id || own.resource != string(profile.Kind)+"/"+id {
		return arn{}, fmt.Errorf("the answer is about another profile, %s", aws.ToString(out.InferenceProfileArn))
	}
	return own, nil
}
