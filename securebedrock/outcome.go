package securebedrock

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// readOutput takes from a unary answer what an Outcome may know of it.
func (g *guard) readOutput(out any, o *Outcome, t *tally) {
	switch out := out.(type) {
	case *bedrockruntime.ConverseOutput:
		o.StopReason = string(out.StopReason)
		o.converseUsage(out.Usage, out.ServiceTier)
		if out.Trace != nil {
			g.readTrace(out.Trace.Guardrail, &o.Guardrail)
		}
		if out.StopReason == types.StopReasonGuardrailIntervened {
			o.Guardrail.Intervened = true
		}
	case *bedrockruntime.InvokeModelOutput:
		g.readBody(out.Body, o, t)
	case *bedrockruntime.ApplyGuardrailOutput:
		for i := range out.Assessments {
			g.readAssessment(&out.Assessments[i], &o.Guardrail)
		}
		if out.Action == types.GuardrailActionGuardrailIntervened {
			o.Guardrail.Intervened = true
		}
	case *bedrockruntime.CountTokensOutput:
		o.Usage.InputTokens, o.Counted = int64(aws.ToInt32(out.InputTokens)), out.InputTokens != nil
	}
}

// readTrace reads a guardrail trace, the same for every route.
func (g *guard) readTrace(t *types.GuardrailTraceAssessment, o *GuardrailOutcome) {
	if t == nil {
		return
	}
	for _, a := range t.InputAssessment {
		g.readAssessment(&a, o)
	}
	for _, list := range t.OutputAssessments {
		for i := range list {
			g.readAssessment(&list[i], o)
		}
	}
}

func (g *guard) readAssessment(a *types.GuardrailAssessment, o *GuardrailOutcome) {
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
	acted := func(policy string, acts bool) {
		if !acts {
			return
		}
		o.Intervened = true
		if i, has := slices.BinarySearch(o.Policies, policy); !has {
			o.Policies = slices.Insert(o.Policies, i, policy)
		}
	}
	if p := a.TopicPolicy; p != nil {
		for _, t := range p.Topics {
			acted("topic", t.Action != "" && t.Action != types.GuardrailTopicPolicyActionNone)
		}
	}
	if p := a.ContentPolicy; p != nil {
		for _, f := range p.Filters {
			acted("content", f.Action != "" && f.Action != types.GuardrailContentPolicyActionNone)
		}
	}
	if p := a.WordPolicy; p != nil {
		for _, w := range p.CustomWords {
			acted("word", w.Action != "" && w.Action != types.GuardrailWordPolicyActionNone)
		}
		for _, w := range p.ManagedWordLists {
			acted("word", w.Action != "" && w.Action != types.GuardrailWordPolicyActionNone)
		}
	}
	if p := a.SensitiveInformationPolicy; p != nil {
		for _, e := range p.PiiEntities {
			acted("sensitiveInformation", e.Action != "" && e.Action != types.GuardrailSensitiveInformationPolicyActionNone)
		}
		for _, r := range p.Regexes {
			acted("sensitiveInformation", r.Action != "" && r.Action != types.GuardrailSensitiveInformationPolicyActionNone)
		}
	}
	if p := a.ContextualGroundingPolicy; p != nil {
		for _, f := range p.Filters {
			acted("contextualGrounding", f.Action != "" && f.Action != types.GuardrailContextualGroundingPolicyActionNone)
		}
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
func (g *guard) provenBy(arn, id, version string) bool {
	if arn == "" {
		arn = id
	}
	return version == g.guardrail.Version && sameGuardrail(arn, g.guardrail.ID) && g.isHome(arn)
}

// isHome reports whether a guardrail that a trace names is of the pinned
// partition and region, and of a permitted account where an ID is pinned. The
// pinned ARN names its account itself.
func (g *guard) isHome(name string) bool {
	if !strings.HasPrefix(name, "arn:") || name == g.guardrail.ID {
		return true
	}
	arn, ok := regions.ParseARN(name)
	return ok && arn.Service == "bedrock" && arn.Resource == "guardrail/"+g.guardrail.ID &&
		arn.Account != "" && g.home("", arn.Partition, arn.Region, arn.Account) == nil
}

// verify is Guardrail.Verify: the outcome must name the pinned guardrail.
func (g *guard) verify(op *operation, o *GuardrailOutcome) error {
	if !g.guardrail.Verify || !op.guarded || g.unguarded != "" {
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
