package guardrail

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
)

// checkGrounding scores an answer. The assessment has the scores even where they are
// high enough.
func (g *Guardrail) checkGrounding(e *Evaluation, in Subject) {
	limits := g.Grounding
	if limits == nil || !in.grounded() {
		return
	}
	answer := wordsOf(in.Answer)
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
			filter.Action, e.Blocked = types.GuardrailContextualGroundingPolicyActionBlocked, true
		}
		filters = append(filters, filter)
	}
	check(types.GuardrailContextualGroundingFilterTypeGrounding, limits.Grounding, conversation.Share(answer, wordsOf(in.Source)))
	check(types.GuardrailContextualGroundingFilterTypeRelevance, limits.Relevance, conversation.Share(wordsOf(in.Query), answer))
	if len(filters) > 0 {
		e.Assessment.ContextualGroundingPolicy = &types.GuardrailContextualGroundingPolicyAssessment{Filters: filters}
	}
}

// wordsOf returns the words of all texts.
func wordsOf(texts []*string) []string {
	var words []string
	for _, text := range texts {
		words = append(words, conversation.WordsIn(*text)...)
	}
	return words
}
