package policy

import (
	"slices"
	"strings"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// shortness is how much of a document is abbreviated. Each abbreviation means the same
// calls, which TestShortFormsAdmitTheSameCalls proves.
type shortness int

const (
	// spelledOut names every model in every region.
	spelledOut shortness = iota
	// shortRegions writes '*' for the region of a leg, under a list of regions in
	// aws:RequestedRegion, where that takes fewer characters; and one pattern for the
	// profiles to which the legs belong, since each profile is authorized by itself.
	shortRegions
	// shortProfiles writes one pattern for the profiles of a prefix, and names the profiles
	// once, in the condition of their legs: the legs of a profile that is not meant are
	// those of no profile in the list.
	shortProfiles
)

// group are the legs that share their destinations and what they are tied to.
type group struct {
	key      string   // the condition key of the tie
	ties     []string // the profiles' ARNs
	pattern  string   // one pattern for ties; empty where there is none
	places   []string // the regions of the models' ARNs; "" for the region-less one
	anywhere bool     // any region at all
	models   []string
}

// legs groups the models behind profiles.
func (s *Spec) legs(models []allowed) []group {
	var groups []group
	for _, a := range models {
		if a.profile == "" || a.kind == securebedrock.KindPrompt {
			continue
		}
		g := group{key: keyProfile, ties: []string{a.profile}, places: a.destinations}
		prefix, system := a.systemPrefix()
		switch {
		case a.kind == securebedrock.KindPromptRouter:
			g.key = keyRouter
		case system:
			g.pattern = prefix + ".*"
		}
		if slices.Contains(a.destinations, regions.Anywhere) {
			// A global profile has a leg in the region that is called and one without a
			// region (Bedrock User Guide, global-cross-region-inference). Where nothing is
			// known of a profile, its legs can be anywhere.
			g.places = []string{"", s.region}
			g.anywhere = system && !strings.HasSuffix(prefix, "/global") || !system && a.kind == securebedrock.KindInferenceProfile
		}
		i := slices.IndexFunc(groups, func(o group) bool {
			return o.key == g.key && o.pattern == g.pattern && (g.pattern != "" || o.ties[0] == g.ties[0]) &&
				o.anywhere == g.anywhere && slices.Equal(o.places, g.places)
		})
		if i < 0 {
			groups = append(groups, g)
			i = len(groups) - 1
		} else if !slices.Contains(groups[i].ties, a.profile) {
			groups[i].ties = append(groups[i].ties, a.profile)
		}
		for _, m := range a.models {
			if !slices.Contains(groups[i].models, m) {
				groups[i].models = append(groups[i].models, m)
			}
		}
	}
	return groups
}

// leg is the resources of a group, and what a request for them must say.
type leg struct {
	resources []string
	condition Condition
}

// write gives the group's resources. A model's own region and the region-less ARN of a
// global profile differ in what aws:RequestedRegion is.
func (g group) write(s *Spec, short shortness) []leg {
	tie := when("ArnLike", g.key, g.ties...)
	switch several := g.pattern != "" && len(g.ties) > 1; {
	case several && short == shortRegions:
		tie = when("ArnLike", g.key, g.pattern)
	case several && short == shortProfiles:
		g.models = []string{"*"}
		tie = when("StringLike", g.key, lastParts(g.ties)...)
	}
	if g.anywhere {
		return []leg{{s.modelARNs(regions.Anywhere, g.models), tie}}
	}
	requested := slices.Clone(g.places)
	for i, r := range requested {
		if r == "" {
			requested[i] = unspecified
		}
	}
	one := leg{s.modelARNs(regions.Anywhere, g.models), tie.and(when("StringEquals", keyRegion, requested...))}
	spelled := leg{condition: tie}
	for _, r := range g.places {
		spelled.resources = append(spelled.resources, s.modelARNs(r, g.models)...)
	}
	if slices.Contains(g.places, "") {
		// Both legs are tied to their region; the ARN does it for the other lists.
		spelled.condition = tie.and(when("StringEquals", keyRegion, requested...))
	}
	if short > spelledOut && one.size() < spelled.size() {
		return []leg{one}
	}
	return []leg{spelled}
}

// lastParts are patterns of ARNs by their names alone. The profile's own authorization
// compares the rest.
func lastParts(arns []string) []string {
	list := make([]string, len(arns))
	for i, arn := range arns {
		list[i] = "*" + arn[strings.LastIndexByte(arn, '/'):]
	}
	return list
}

func (l leg) size() int {
	return len((&Statement{Resource: l.resources, Condition: l.condition}).appendJSON(nil))
}

// modelARNs are the ARNs of foundation models in a region.
func (s *Spec) modelARNs(region string, models []string) []string {
	list := make([]string, len(models))
	for i, m := range models {
		list[i] = s.arnOf("bedrock", region, "", "foundation-model/"+m)
	}
	return list
}
