package bedrocktest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

func (g *guardrail) checkContent(e *evaluation, in evaluated) {
	var found []types.GuardrailContentFilter
	for _, f := range g.contentFilters {
		attack := f.Type == types.GuardrailContentFilterTypePromptAttack
		detected := (!attack || in.attacks) && anyFound(f.phrases, in.texts)
		if !detected && (!in.full || attack && !in.attacks) {
			continue
		}
		filter := types.GuardrailContentFilter{
			Type: f.Type, FilterStrength: f.Strength, Detected: aws.Bool(detected),
			Action: types.GuardrailContentPolicyActionNone, Confidence: types.GuardrailContentFilterConfidenceNone,
		}
		if detected {
			filter.Confidence = types.GuardrailContentFilterConfidenceHigh
			if !f.DetectOnly {
				filter.Action, e.blocked = types.GuardrailContentPolicyActionBlocked, true
			}
		}
		found = append(found, filter)
	}
	if len(found) > 0 {
		e.assessment.ContentPolicy = &types.GuardrailContentPolicyAssessment{Filters: found}
	}
}
