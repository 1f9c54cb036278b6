package bedrocktest

import (
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// ContentFilter is a content filter of a guardrail. What is found is found with
// high confidence, and blocks.
type ContentFilter struct {
	// Type is the category, such as types.GuardrailContentFilterTypeHate. A
	// PROMPT_ATTACK is looked for in prompts alone, and in an InvokeModel body only
	// between input tags, as Bedrock does.
	Type types.GuardrailContentFilterType
	// Words are words and phrases that betray the category.
	Words []string
	// Strength is what the trace says; empty: HIGH. With NONE nothing is found.
	Strength types.GuardrailContentFilterStrength
	// DetectOnly leaves what was found in place: the trace has it with the action
	// NONE.
	DetectOnly bool
}

// ContextualGrounding are the thresholds of a guardrail's contextual grounding
// check, from 0 to 0.99; 0 leaves a check out. An answer whose score is below a
// threshold is blocked. The scores are shares of words, in any case: grounding is
// the share of the answer's words that the grounding source has, relevance the
// share of the query's words that the answer has.
//
// The check looks at an answer only where the prompt marks both a grounding source
// and a query: with the qualifiers of guardContent blocks, or with input tags in an
// InvokeModel body.
type ContextualGrounding struct {
	Grounding, Relevance float64
}

type contentFilter struct {
	ContentFilter
	phrases []phrase
}

func contentFilters(defs []ContentFilter) []contentFilter {
	var out []contentFilter
	for _, def := range defs {
		if def.Strength == "" {
			def.Strength = types.GuardrailContentFilterStrengthHigh
		}
		if def.Strength != types.GuardrailContentFilterStrengthNone {
			out = append(out, contentFilter{def, phrases(def.Words)})
		}
	}
	return out
}

func (g *guardrail) checkContent(e *evaluation, in evaluated) {
	var found []types.GuardrailContentFilter
	for _, f := range g.filters {
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

// checkGrounding looks at an answer. The scores are in the trace whether or not
// they are too low.
func (g *guardrail) checkGrounding(e *evaluation, in evaluated) {
	limits := g.ContextualGrounding
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

// share is the share of words that are among others; 1 where there are none.
func share(words, others []string) float64 {
	have := make(map[string]bool, len(others))
	for _, word := range others {
		have[word] = true
	}
	n := 0
	for _, word := range words {
		if have[word] {
			n++
		}
	}
	if len(words) == 0 {
		return 1
	}
	return float64(n) / float64(len(words))
}

func wordsOf(texts []*string) []string {
	var words []string
	for _, text := range texts {
		words = append(words, wordsIn(*text)...)
	}
	return words
}

func wordsIn(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

func anyFound(phrases []phrase, texts []*string) bool {
	for _, p := range phrases {
		if _, ok := find(p, texts); ok {
			return true
		}
	}
	return false
}
