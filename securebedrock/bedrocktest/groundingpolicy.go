package bedrocktest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// checkGrounding looks at an answer. The scores are in the trace whether or not
// they are too low.
func (g *guardrail) checkGrounding(e *evaluation, in evaluated) {
	limits := g.grounding
	if limits == nil || !in.grounded() {
		return
	}
	answer := wordsOf(in.answer)
	var filters []types.GuardrailContextualGroundingFilter
	check := func(kind types.GuardrailContextualGroundingFilterType, threshold, score float64) {
		if threshold <= 0 {
			return
		}
		filter := types.GuardrailContextualGroundingFilter{
			Type: kind, Threshold: aws.Float64(threshold), Score: aws.Float64(score),
			Action: types.GuardrailContextualGroundingPolicyActionNone, Detected: aws.Bool(score < threshold),
		}
		if score < threshold {
			filter.Action, e.blocked = types.GuardrailContextualGroundingPolicyActionBlocked, true
		}
		filters = append(filters, filter)
	}
	check(types.GuardrailContextualGroundingFilterTypeGrounding, limits.Grounding, share(answer, wordsOf(in.source)))
	check(types.GuardrailContextualGroundingFilterTypeRelevance, limits.Relevance, share(wordsOf(in.query), answer))
	if len(filters) > 0 {
		e.assessment.ContextualGroundingPolicy = &types.GuardrailContextualGroundingPolicyAssessment{Filters: filters}
	}
}

func wordsOf(texts []*string) []string {
	var words []string
	for _, text := range texts {
		words = append(words, wordsIn(*text)...)
	}
	return words
}
