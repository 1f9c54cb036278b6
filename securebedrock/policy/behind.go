package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// settleBehind reads Account.ProfileModels: which models are behind an ARN, and where.
func (s *Spec) settleBehind(faults *refusal.Faults) map[string][]allowed {
	all := make(map[string][]allowed, len(s.acct.ProfileModels))
	for key, models := range sorted(s.acct.ProfileModels) {
		m, err := securebedrock.ParseModel(key)
		switch {
		case err != nil || m.Region == "" || m.Kind != securebedrock.KindApplicationProfile &&
			m.Kind != securebedrock.KindPromptRouter && m.Kind != securebedrock.KindPrompt:
			faults.Add("Account.ProfileModels", "%s is not the ARN of an application inference profile, a prompt router or a prompt", refusal.Quoted(key))
			continue
		case m.Region != s.region:
			faults.Add("Account.ProfileModels", "%s is of another region than Region", refusal.Quoted(key))
			continue
		case len(models) == 0:
			faults.Add("Account.ProfileModels", "%s has no models; name what is behind it", refusal.Quoted(key))
			continue
		}
		where := make(map[string][]string, len(models)) // model → regions
		for _, id := range models {
			model, region, err := s.behind(id)
			if err != nil {
				faults.Add("Account.ProfileModels", "%s: %s %w", refusal.Quoted(key), refusal.Quoted(id), err)
				continue
			}
			where[model] = append(where[model], region)
		}
		all[key] = grouped(m.Kind, key, where)
	}
	return all
}

// behind reads one model behind a profile: an ID, which runs in the region, or an ARN.
func (s *Spec) behind(id string) (model, region string, err error) {
	model, region = id, s.region
	if strings.HasPrefix(id, "arn:") {
		arn, ok := regions.ParseARN(id)
		name, isModel := strings.CutPrefix(arn.Resource, "foundation-model/")
		switch {
		case !ok || arn.Service != "bedrock" || arn.Account != "" || !isModel || name == "":
			return "", "", fmt.Errorf("is not the ARN of a foundation model")
		case arn.Region == "" && arn.Partition == s.partition:
			region = regions.Anywhere
		case regions.PartitionOf(arn.Region) != s.partition || arn.Partition != s.partition:
			return "", "", fmt.Errorf("is of another partition than Region")
		default:
			region = arn.Region
		}
		model = name
	}
	if m, err := securebedrock.ParseModel(model); err != nil || m.Kind == securebedrock.KindInferenceProfile || m.Region != "" {
		return "", "", fmt.Errorf("is not a foundation model; name each model by its ID, or by its ARN with the region")
	}
	return model, region, nil
}

// grouped puts models with the same regions together, so that no model is paired with a
// region that only another one has.
func grouped(kind securebedrock.ModelKind, arn string, where map[string][]string) []allowed {
	var list []allowed
	for model, places := range sorted(where) {
		slices.Sort(places)
		places = slices.Compact(places)
		if slices.Contains(places, regions.Anywhere) {
			places = []string{regions.Anywhere}
		}
		i := slices.IndexFunc(list, func(a allowed) bool { return slices.Equal(a.destinations, places) })
		if i < 0 {
			list = append(list, allowed{kind: kind, profile: arn, destinations: places})
			i = len(list) - 1
		}
		list[i].models = append(list[i].models, model)
	}
	return list
}
