package bedrocktest

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/guardrail"
)

// DefaultGuardrailID is the guardrail that every server has, in version "1". It
// blocks the phrase "build a bomb" and the topic "Investment advice" (words
// such as "which stocks should i buy"), and masks e-mail addresses. AddGuardrail
// can put another in its place.
const DefaultGuardrailID = "gr0default000"

// Guardrail is a guardrail of the server's account and region. Requests name it
// by its ID, or by arn:aws:bedrock:REGION:123456789012:guardrail/ID. Words are
// found whole, in any case.
type Guardrail struct {
	ID      string // lower-case letters and digits, as Bedrock wants it
	Version string // "1", "2", …, "DRAFT"; empty: "1"

	DeniedWords []string            // words and phrases that block
	PII         []PII               // personal data that blocks, or is masked
	Topics      map[string][]string // topic → words that betray it; a topic blocks
	Profanity   []string            // words that the managed list PROFANITY is to have; they block

	ContentFilters      []ContentFilter
	ContextualGrounding *ContextualGrounding // nil: no check

	BlockedInput  string // what the user reads when the prompt is blocked; empty: a message of that sense
	BlockedOutput string // the same for the answer
}

// PII is personal data to look for.
type PII struct {
	// Type is one of Bedrock's entity types, such as "EMAIL", or a name of your
	// own, which makes it a regex filter. A mask is the type in braces.
	Type    string
	Pattern *regexp.Regexp // nil finds nothing
	Action  PIIAction      // zero: Mask
}

// PIIAction is what a guardrail does with personal data.
type PIIAction string

const (
	Mask  PIIAction = "mask"
	Block PIIAction = "block"
)

func defaultGuardrail() Guardrail {
	return Guardrail{
		ID:          DefaultGuardrailID,
		DeniedWords: []string{"build a bomb"},
		PII:         []PII{{Type: string(types.GuardrailPiiEntityTypeEmail), Pattern: regexp.MustCompile(`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`)}},
		Topics:      map[string][]string{"Investment advice": {"investment advice", "which stocks should i buy", "should i buy stocks"}},
	}
}

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

// definition is g for the package that evaluates guardrails.
func (g Guardrail) definition() guardrail.Definition {
	d := guardrail.Definition{
		ID: g.ID, Version: g.Version, Words: g.DeniedWords, Profanity: g.Profanity, Topics: g.Topics,
		Grounding: (*guardrail.Grounding)(g.ContextualGrounding), BlockedInput: g.BlockedInput, BlockedOutput: g.BlockedOutput,
	}
	for _, p := range g.PII {
		d.PII = append(d.PII, guardrail.PII{Name: p.Type, Pattern: p.Pattern, Blocks: p.Action == Block})
	}
	for _, f := range g.ContentFilters {
		d.Filters = append(d.Filters, guardrail.Filter(f))
	}
	return d
}
