package securebedrock

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// guardrailTrace reads what an answer tells of the guardrail.
type guardrailTrace struct {
	pinned Guardrail // zero where Options.Unguarded says why
	home   func(what, partition, region, account string) error
}

// read reads a guardrail trace, the same for every route.
func (g *guardrailTrace) read(t *types.GuardrailTraceAssessment, o *GuardrailOutcome) {
	if t == nil {
		return
	}
	for _, a := range t.InputAssessment {
		g.assessment(&a, o)
	}
	for _, list := range t.OutputAssessments {
		for i := range list {
			g.assessment(&list[i], o)
		}
	}
}

// assessment reads what one assessment tells.
func (g *guardrailTrace) assessment(a *types.GuardrailAssessment, o *GuardrailOutcome) {
	if d := a.AppliedGuardrailDetails; d != nil {
		o.Applied = true
		arn, version := aws.ToString(d.GuardrailArn), aws.ToString(d.GuardrailVersion)
		// The pinned guardrail is the one to name; enforced ones apply beside it.
		if o.ARN == "" || g.provenBy(arn, aws.ToString(d.GuardrailId), version) {
			o.ARN, o.Version = arn, version
			if arn == "" {
				o.ARN = aws.ToString(d.GuardrailId)
			}
		}
		for _, origin := range d.GuardrailOrigin {
			o.Origin = addWord(o.Origin, string(origin))
		}
	}
	if p := a.TopicPolicy; p != nil {
		acted(o, "topic", p.Topics, func(t *types.GuardrailTopic) types.GuardrailTopicPolicyAction { return t.Action })
	}
	if p := a.ContentPolicy; p != nil {
		acted(o, "content", p.Filters, func(f *types.GuardrailContentFilter) types.GuardrailContentPolicyAction { return f.Action })
	}
	if p := a.WordPolicy; p != nil {
		acted(o, "word", p.CustomWords, func(w *types.GuardrailCustomWord) types.GuardrailWordPolicyAction { return w.Action })
		acted(o, "word", p.ManagedWordLists, func(w *types.GuardrailManagedWord) types.GuardrailWordPolicyAction { return w.Action })
	}
	if p := a.SensitiveInformationPolicy; p != nil {
		acted(o, "sensitiveInformation", p.PiiEntities, func(e *types.GuardrailPiiEntityFilter) types.GuardrailSensitiveInformationPolicyAction {
			return e.Action
		})
		acted(o, "sensitiveInformation", p.Regexes, func(r *types.GuardrailRegexFilter) types.GuardrailSensitiveInformationPolicyAction { return r.Action })
	}
	if p := a.ContextualGroundingPolicy; p != nil {
		acted(o, "contextualGrounding", p.Filters, func(f *types.GuardrailContextualGroundingFilter) types.GuardrailContextualGroundingPolicyAction {
			return f.Action
		})
	}
}

// acted notes a policy of which one finding at least was blocked or masked. Every
// policy of the API writes "NONE" where it did nothing.
func acted[F any, A ~string](o *GuardrailOutcome, policy string, findings []F, action func(*F) A) {
	for i := range findings {
		if a := action(&findings[i]); a == "" || a == "NONE" {
			continue
		}
		o.Intervened = true
		if at, has := slices.BinarySearch(o.Policies, policy); !has {
			o.Policies = slices.Insert(o.Policies, at, policy)
		}
		return
	}
}

func addWord(list, word string) string {
	switch {
	case list == "":
		return word
	case slices.Contains(strings.Split(list, ","), word):
		return list
	}
	return list + "," + word
}

// provenBy reports whether an applied guardrail is the pinned one. Where the trace
// gives an ARN, it decides; an ID alone is of the calling account and region.
func (g *guardrailTrace) provenBy(arn, id, version string) bool {
	if arn == "" {
		arn = id
	}
	return version == g.pinned.Version && sameGuardrail(arn, g.pinned.ID) && g.isHome(arn)
}

// isHome reports whether a guardrail that a trace names is of the pinned
// partition and region, and of a permitted account where an ID is pinned. The
// pinned ARN names its account itself.
func (g *guardrailTrace) isHome(name string) bool {
	if !strings.HasPrefix(name, "arn:") || name == g.pinned.ID {
		return true
	}
	arn, ok := regions.ParseARN(name)
	return ok && arn.Service == "bedrock" && arn.Resource == "guardrail/"+g.pinned.ID &&
		arn.Account != "" && g.home("", arn.Partition, arn.Region, arn.Account) == nil
}

// verify is Guardrail.Verify: the outcome of a guarded operation must name the pinned
// guardrail.
func (g *guardrailTrace) verify(o *GuardrailOutcome) error {
	if !g.pinned.Verify {
		return nil
	}
	switch {
	case !o.Applied:
		return refuse(ErrGuardrailUnverified, "its guardrail trace lists none as applied")
	case !g.provenBy(o.ARN, o.ARN, o.Version):
		return refuse(ErrGuardrailUnverified, "its guardrail trace names "+refusal.Quoted(o.ARN)+" version "+refusal.Quoted(o.Version)+", not the pinned one")
	}
	return nil
}
