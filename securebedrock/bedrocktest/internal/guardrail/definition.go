// Package guardrail evaluates guardrails over words and patterns, and reports
// the result in Bedrock's own form.
package guardrail

import (
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Definition is a guardrail as a test defines it.
type Definition struct {
	ID, Version string // an empty version is "1"

	Words     []string            // these block
	Profanity []string            // these block, as words of the managed list
	Topics    map[string][]string // by name, the words that betray a topic; these block
	PII       []PII
	Filters   []Filter
	Grounding *Grounding

	BlockedInput, BlockedOutput string // empty: a default message
}

// PII is personal data to look for.
type PII struct {
	Name    string         // one of Bedrock's entity types; any other name makes a regex filter
	Pattern *regexp.Regexp // nil finds nothing
	Blocks  bool           // false: matches are masked
}

// isEntity reports whether the name is one of Bedrock's entity types.
func (p PII) isEntity() bool {
	entity := types.GuardrailPiiEntityType(p.Name)
	return slices.Contains(entity.Values(), entity)
}

// Filter is a content filter.
type Filter struct {
	Type       types.GuardrailContentFilterType
	Words      []string
	Strength   types.GuardrailContentFilterStrength // empty: HIGH
	DetectOnly bool
}

// Grounding holds the thresholds of contextual grounding; 0 leaves a check out.
type Grounding struct{ Grounding, Relevance float64 }

// Guardrail is a definition with its defaults filled in and its patterns compiled.
type Guardrail struct {
	Definition
	arn              string // set on the copy that Find returns
	wordPhrases      []phrase
	profanityPhrases []phrase
	topicPhrases     []topic
	contentFilters   []contentFilter
}

// topic is a denied topic.
type topic struct {
	name    string
	phrases []phrase
}

// contentFilter is a filter with its patterns compiled.
type contentFilter struct {
	Filter
	phrases []phrase
}

// newGuardrail fills in what a definition leaves out.
func newGuardrail(d Definition) *Guardrail {
	if d.Version == "" {
		d.Version = "1"
	}
	if d.BlockedInput == "" {
		d.BlockedInput = "Sorry, the model cannot answer this question."
	}
	if d.BlockedOutput == "" {
		d.BlockedOutput = "Sorry, the model's answer was withheld."
	}
	g := &Guardrail{Definition: d, wordPhrases: phrases(d.Words), profanityPhrases: phrases(d.Profanity), contentFilters: contentFilters(d.Filters)}
	for _, name := range slices.Sorted(maps.Keys(d.Topics)) {
		g.topicPhrases = append(g.topicPhrases, topic{name: name, phrases: phrases(d.Topics[name])})
	}
	return g
}

// contentFilters returns the filters that can find something.
func contentFilters(defs []Filter) []contentFilter {
	var out []contentFilter
	for _, def := range defs {
		if def.Strength == "" {
			def.Strength = types.GuardrailContentFilterStrengthHigh
		}
		if def.Strength != types.GuardrailContentFilterStrengthNone {
			out = append(out, contentFilter{Filter: def, phrases: phrases(def.Words)})
		}
	}
	return out
}
