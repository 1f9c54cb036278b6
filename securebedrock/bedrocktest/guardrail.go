package bedrocktest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
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

// AddGuardrail adds a guardrail, in place of one with the same ID and version.
// The server keeps g's slices and maps: leave them unchanged.
func (s *Server) AddGuardrail(g Guardrail) { s.guardrails.add(g) }

func defaultGuardrail() Guardrail {
	return Guardrail{
		ID:          DefaultGuardrailID,
		DeniedWords: []string{"build a bomb"},
		PII:         []PII{{Type: string(types.GuardrailPiiEntityTypeEmail), Pattern: regexp.MustCompile(`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`)}},
		Topics:      map[string][]string{"Investment advice": {"investment advice", "which stocks should i buy", "should i buy stocks"}},
	}
}

// guardrails are those that the server has.
type guardrails struct {
	mu   sync.Mutex
	byID map[string]map[string]*guardrail // ID → version
}

// guardrail is a Guardrail made ready: its defaults filled in.
type guardrail struct {
	Guardrail
	words     []phrase
	profanity []phrase
	topics    []topic
	filters   []contentFilter
	arn       string // set on the copy that find returns
}

type phrase struct {
	word    string
	pattern *regexp.Regexp
}

type topic struct {
	name    string
	phrases []phrase
}

func (g *guardrails) add(def Guardrail) {
	if def.Version == "" {
		def.Version = "1"
	}
	if def.BlockedInput == "" {
		def.BlockedInput = "Sorry, the model cannot answer this question."
	}
	if def.BlockedOutput == "" {
		def.BlockedOutput = "Sorry, the model's answer was withheld."
	}
	made := &guardrail{
		Guardrail: def, words: phrases(def.DeniedWords), profanity: phrases(def.Profanity), filters: contentFilters(def.ContentFilters),
	}
	for _, name := range slices.Sorted(maps.Keys(def.Topics)) {
		made.topics = append(made.topics, topic{name, phrases(def.Topics[name])})
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byID == nil {
		g.byID = make(map[string]map[string]*guardrail)
	}
	if g.byID[def.ID] == nil {
		g.byID[def.ID] = make(map[string]*guardrail)
	}
	g.byID[def.ID][def.Version] = made
}

func phrases(words []string) []phrase {
	var out []phrase
	for _, word := range words {
		if word != "" {
			// Quoted, it always compiles.
			out = append(out, phrase{word, regexp.MustCompile(`(?i)(?:^|[^\pL\pN])(` + regexp.QuoteMeta(word) + `)(?:$|[^\pL\pN])`)})
		}
	}
	return out
}

// find returns the guardrail that a request names, nil if it names none.
func (g *guardrails) find(region, identifier, version string) (*guardrail, error) {
	if identifier == "" && version == "" {
		return nil, nil
	}
	if identifier == "" || version == "" {
		return nil, invalid("Both guardrailIdentifier and guardrailVersion must be provided.")
	}
	prefix := "arn:aws:bedrock:" + region + ":" + accountID + ":guardrail/"
	id := strings.TrimPrefix(identifier, prefix)
	g.mu.Lock()
	defer g.mu.Unlock()
	found, ok := g.byID[id][version]
	if !ok {
		return nil, invalid("The guardrail identifier or version provided in the request does not exist.")
	}
	copied := *found
	copied.arn = prefix + id
	return &copied, nil
}
