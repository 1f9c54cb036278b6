package policycases

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// Regions are those of random configurations: sources of most geographies, two that are
// no destination of their own geography's profiles, and both of GovCloud.
func Regions() []string {
	return []string{"us-east-1", "us-west-1", "eu-central-1", "eu-west-2", "ca-central-1", "ap-northeast-1", "us-gov-west-1"}
}

// families are the foundation models of random configurations and calls.
func families() []string {
	return []string{Sonnet, Haiku, Nova, "amazon.nova-micro-v1:0", OtherModel, Embedding}
}

// pick returns one of list.
func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// chance is true once in n times.
func chance(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

// RandomConfig returns a configuration that policy.For accepts, and its Spec. The same
// source of random numbers gives the same configuration.
func RandomConfig(r *rand.Rand) (Config, *policy.Spec) {
	for {
		c := randomConfig(r)
		if spec, err := policy.For(c.Options, c.Account); err == nil {
			return c, spec
		}
	}
}

func randomConfig(r *rand.Rand) Config {
	source := pick(r, Regions()...)
	partition := region.PartitionOf(source)
	prefixes := prefixesOf(source)
	c := Config{
		Options: securebedrock.Options{
			Region:    source,
			Guardrail: securebedrock.Guardrail{ID: GuardrailID, Version: pick(r, "1", "1", "7")},
			Role:      &securebedrock.Role{ARN: "arn:" + partition + ":iam::" + AccountID + ":role/app"},
		},
		Account: policy.Account{ID: AccountID},
	}
	o, a := &c.Options, &c.Account
	switch r.IntN(4) {
	case 0: // Region alone
	case 1, 2:
		if p := pick(r, prefixes...); p != "global" {
			o.Residency = region.RoutedDestinations(p, source)
		}
	case 3:
		o.Residency = []string{"*"}
	}
	if chance(r, 3) {
		o.Guardrail.ID = "arn:" + partition + ":bedrock:" + source + ":" + AccountID + ":guardrail/" + GuardrailID
	}
	if chance(r, 8) {
		o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "a public demonstration"
	} else if chance(r, 5) {
		o.UnguardedOperations = map[string]string{pick(r, "StartAsyncInvoke", "InvokeModelWithBidirectionalStream"): "videos of the marketing team"}
	}
	if !chance(r, 4) {
		a.Organization = Organization
	}
	if chance(r, 3) {
		a.Unguardable = map[string]string{Embedding: embeddingTakes}
	}
	if chance(r, 4) {
		a.ExceptPrincipals = map[string]string{"arn:" + partition + ":iam::" + AccountID + ":role/knowledge-base": "the knowledge base's service role"}
	}
	if chance(r, 6) {
		o.Accounts = []string{AccountID, OtherAccount}
	}
	if chance(r, 8) { // any model
		return c
	}
	for range 1 + r.IntN(5) {
		c.randomEntry(r, prefixes)
	}
	slices.Sort(o.Models)
	o.Models = slices.Compact(o.Models)
	return c
}

// randomEntry adds an entry to Options.Models.
func (c *Config) randomEntry(r *rand.Rand, prefixes []string) {
	o := &c.Options
	partition, model := region.PartitionOf(o.Region), pick(r, families()...)
	own := "arn:" + partition + ":bedrock:" + o.Region + ":" + AccountID + ":"
	prefix := pick(r, prefixes...)
	add := func(entry string) { o.Models = append(o.Models, entry) }
	switch r.IntN(12) {
	case 0, 1, 2:
		add(model)
	case 3:
		add("arn:" + partition + ":bedrock:" + o.Region + "::foundation-model/" + model)
	case 4, 5, 6:
		add(prefix + "." + model)
	case 7:
		add(own + "inference-profile/" + prefix + "." + model)
	case 8:
		provider, _, _ := strings.Cut(model, ".")
		add(pick(r, "", prefix+".") + provider + ".*")
	case 9:
		add(own + "provisioned-model/" + pick(r, "p1q2r3s4t5u6", "*"))
	case 10, 11:
		profile := own + "application-inference-profile/a1b2c3d4e5f6"
		add(profile)
		models := []string{model}
		if destinations := region.RoutedDestinations(prefix, o.Region); chance(r, 2) && !slices.Contains(destinations, region.Anywhere) {
			models = nil
			for _, d := range destinations {
				models = append(models, "arn:"+partition+":bedrock:"+d+"::foundation-model/"+model)
			}
		}
		c.Account.ProfileModels = map[string][]string{profile: models}
		o.Profiles = Resolver{profile: destinationsOf(models, o.Region)}
	}
}

// prefixesOf are the prefixes of the profiles that can be called in a region.
func prefixesOf(source string) []string {
	var list []string
	for _, p := range append(region.Geographies(), "global") {
		if region.RoutedDestinations(p, source) != nil {
			list = append(list, p)
		}
	}
	return list
}

// destinationsOf are the regions of models: IDs, which run in source, and ARNs.
func destinationsOf(models []string, source string) []string {
	var list []string
	for _, m := range models {
		if arn, ok := region.ParseARN(m); ok {
			list = append(list, arn.Region)
		} else {
			list = append(list, source)
		}
	}
	return list
}
