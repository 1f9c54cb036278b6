package guardrail

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

func (g *Guardrail) checkContent(e *Evaluation, in Subject) {
	var found []types.GuardrailContentFilter
	for _, f := range g.contentFilters {
		attack := f.Type == types.GuardrailContentFilterTypePromptAttack
		detected := (!attack || in.Attacks) && anyFound(f.phrases, in.Texts)
		if !detected && (!in.Full || attack && !in.Attacks) {
			continue
		}
		filter := types.GuardrailContentFilter{
			Type: f.Type, FilterStrength: f.Strength, Detected: aws.Bool(detected),
			Action: types.GuardrailContentPolicyActionNone, Confidence: types.GuardrailContentFilterConfidenceNone,
		}
		if detected {
			filter.Confidence = types.GuardrailContentFilterConfidenceHigh
			if !f.DetectOnly {
				filter.Action, e.Blocked = types.GuardrailContentPolicyActionBlocked, true
			}
		}
		found = append(found, filter)
	}
	if len(found) > 0 {
		e.Assessment.ContentPolicy = &types.GuardrailContentPolicyAssessment{Filters: found}
	}
}
