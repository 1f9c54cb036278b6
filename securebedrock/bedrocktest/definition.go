package bedrocktest

import (
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// definition is a guardrail as it is defined.
type definition struct {
	id, version string // an empty version is "1"

	words     []string            // block
	profanity []string            // block, as words of the managed list
	topics    map[string][]string // by name, the words that betray a topic; block
	pii       []pii
	filters   []filter
	grounding *grounding

	blockedInput, blockedOutput string // empty: a message of that sense
}

// pii is personal data to look for.
type pii struct {
	name    string         // one of Bedrock's entity types, or any other: the name of a regex filter
	pattern *regexp.Regexp // nil finds nothing
	blocks  bool           // or masks
}

// isEntity reports whether the name is one of Bedrock's entity types.
func (p pii) isEntity() bool {
	entity := types.GuardrailPiiEntityType(p.name)
	return slices.Contains(entity.Values(), entity)
}

// filter is a content filter.
type filter struct {
	Type       types.GuardrailContentFilterType
	Words      []string
	Strength   types.GuardrailContentFilterStrength // empty: HIGH
	DetectOnly bool
}

// grounding holds the thresholds of contextual grounding; 0 leaves a check out.
type grounding struct{ Grounding, Relevance float64 }

// guardrail is a definition made ready.
type guardrail struct {
	definition
	arn              string // set on the copy that find returns
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

// contentFilter is a filter made ready.
type contentFilter struct {
	filter
	phrases []phrase
}

// newGuardrail fills in what a definition leaves out.
func newGuardrail(d definition) *guardrail {
	if d.version == "" {
		d.version = "1"
	}
	if d.blockedInput == "" {
		d.blockedInput = "Sorry, the model cannot answer this question."
	}
	if d.blockedOutput == "" {
		d.blockedOutput = "Sorry, the model's answer was withheld."
	}
	g := &guardrail{definition: d, wordPhrases: phrases(d.words), profanityPhrases: phrases(d.profanity), contentFilters: contentFilters(d.filters)}
	for _, name := range slices.Sorted(maps.Keys(d.topics)) {
		g.topicPhrases = append(g.topicPhrases, topic{name: name, phrases: phrases(d.topics[name])})
	}
	return g
}

// contentFilters returns the filters that can find something.
func contentFilters(defs []filter) []contentFilter {
	var out []contentFilter
	for _, def := range defs {
		if def.Strength == "" {
			def.Strength = types.GuardrailContentFilterStrengthHigh
		}
		if def.Strength != types.GuardrailContentFilterStrengthNone {
			out = append(out, contentFilter{filter: def, phrases: phrases(def.Words)})
		}
	}
	return out
}
