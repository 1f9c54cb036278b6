package bedrocktest

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/guardrail"
)

// DefaultGuardrailID is the ID of the guardrail that every server has, in version "1".
// It blocks the phrase "build a bomb" and the topic "Investment advice" (words such as
// "which stocks should i buy"), and masks e-mail addresses. AddGuardrail can replace
// it.
const DefaultGuardrailID = "gr0default000"

// Guardrail is a guardrail of the server's account and region. Requests name it by its
// ID, or by arn:aws:bedrock:REGION:123456789012:guardrail/ID. Words match whole words,
// in any case.
type Guardrail struct {
	ID      string // lower-case letters and digits, as Bedrock requires
	Version string // "1", "2", …, "DRAFT"; empty: "1"

	DeniedWords []string            // words and phrases that block
	PII         []PII               // personal data that blocks, or is masked
	Topics      map[string][]string // topic → words that betray the topic; topics block
	Profanity   []string            // words of the managed list PROFANITY; they block

	ContentFilters      []ContentFilter
	ContextualGrounding *ContextualGrounding // nil: no check

	BlockedInput  string // what the user reads when the prompt is blocked; empty: a default message
	BlockedOutput string // the same for the answer
}

// PII is personal data that the guardrail looks for.
type PII struct {
	// Type is one of Bedrock's entity types, such as "EMAIL". Any other name makes a
	// regex filter. A mask is the type in braces.
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

// ContentFilter is a content filter of a guardrail. A match has high confidence, and
// blocks.
type ContentFilter struct {
	// Type is the category, such as types.GuardrailContentFilterTypeHate. As with
	// Bedrock, PROMPT_ATTACK is looked for only in prompts, and in an InvokeModel body
	// only between input tags.
	Type types.GuardrailContentFilterType
	// Words are words and phrases that betray the category.
	Words []string
	// Strength is reported in the trace; empty: HIGH. A filter of strength NONE finds
	// nothing.
	Strength types.GuardrailContentFilterStrength
	// DetectOnly only reports a match: the trace has it with the action NONE.
	DetectOnly bool
}

// ContextualGrounding holds the thresholds of a guardrail's contextual grounding
// check, from 0 to 0.99. A threshold of 0 leaves its check out. An answer whose score
// is below a threshold is blocked. A score is a share of words, in any case. Grounding
// is the share of the answer's words that the grounding source has. Relevance is the
// share of the query's words that the answer has.
//
// The check evaluates an answer only if the prompt marks both a grounding source and a
// query: with the qualifiers of guardContent blocks, or with input tags in an
// InvokeModel body.
type ContextualGrounding struct {
	Grounding, Relevance float64
}

// definition returns g for the package that evaluates guardrails.
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
