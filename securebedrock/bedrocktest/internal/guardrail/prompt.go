package guardrail

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
)

// Marked sorts texts by their qualifiers.
type Marked struct {
	all     []*string
	plain   []*string // without a qualifier
	guarded []*string // guard_content
	Source  []*string // grounding_source
	Query   []*string
}

// Add adds a text under its qualifiers.
func (m *Marked) Add(text *string, qualifiers []string) {
	m.all = append(m.all, text)
	if len(qualifiers) == 0 {
		m.plain = append(m.plain, text)
	}
	for name, list := range map[types.GuardrailContentQualifier]*[]*string{
		types.GuardrailContentQualifierGuardContent: &m.guarded, types.GuardrailContentQualifierGroundingSource: &m.Source, types.GuardrailContentQualifierQuery: &m.Query,
	} {
		if slices.Contains(qualifiers, string(name)) {
			*list = append(*list, text)
		}
	}
}

// Evaluated returns the texts for every policy but contextual grounding: those marked
// guard_content, or all texts if none is marked
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-contextual-grounding-check.html).
func (m *Marked) Evaluated() []*string {
	if len(m.guarded) > 0 {
		return m.guarded
	}
	return m.all
}

// Answer returns the texts that contextual grounding compares with the source.
func (m *Marked) Answer() []*string {
	if len(m.guarded) > 0 {
		return m.guarded
	}
	return m.plain
}

// Names returns the names as plain strings.
func Names[T ~string](names []T) []string {
	var out []string
	for _, name := range names {
		out = append(out, string(name))
	}
	return out
}

// Prompt returns what a guardrail evaluates of a prompt. Of the messages: the
// guardContent blocks, or all texts if there is no such block. Of the system prompt:
// the guardContent blocks, and everything in an InvokeModel without input tags. Tool
// results, tool definitions and tool arguments are never evaluated
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-converse-api.html).
// Prompt attacks are looked for in an InvokeModel only between input tags
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-prompt-attack.html).
func Prompt(in *bedrockruntime.ConverseInput, invoke, tags bool) Subject {
	var messages, system Marked
	guard := func(m *Marked, block types.GuardrailConverseContentBlock) {
		g := conversation.GuardedText(block)
		if g == nil {
			return
		}
		qualifiers := Names(g.Qualifiers)
		if len(qualifiers) == 0 {
			qualifiers = []string{string(types.GuardrailContentQualifierGuardContent)}
		}
		m.Add(g.Text, qualifiers)
	}
	for _, block := range in.System {
		switch b := block.(type) {
		case *types.SystemContentBlockMemberText:
			system.Add(&b.Value, nil)
		case *types.SystemContentBlockMemberGuardContent:
			guard(&system, b.Value)
		}
	}
	for _, m := range in.Messages {
		for _, block := range m.Content {
			switch b := block.(type) {
			case *types.ContentBlockMemberText:
				messages.Add(&b.Value, nil)
			case *types.ContentBlockMemberGuardContent:
				guard(&messages, b.Value)
			}
		}
	}
	texts := system.guarded
	if invoke && len(system.guarded)+len(messages.guarded) == 0 {
		texts = system.all
	}
	switch {
	case len(messages.guarded) > 0:
		texts = slices.Concat(texts, messages.guarded)
	case !invoke || len(system.guarded) == 0:
		texts = slices.Concat(texts, messages.all)
	}
	return Subject{
		Texts:   texts,
		Source:  slices.Concat(system.Source, messages.Source),
		Query:   slices.Concat(system.Query, messages.Query),
		Attacks: !invoke || tags,
	}
}
