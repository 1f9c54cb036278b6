package bedrocktest

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// marked are texts by what they are marked as.
type marked struct {
	all     []*string
	plain   []*string // not marked
	guarded []*string // guard_content
	source  []*string // grounding_source
	query   []*string
}

func (m *marked) add(text *string, qualifiers []string) {
	m.all = append(m.all, text)
	if len(qualifiers) == 0 {
		m.plain = append(m.plain, text)
	}
	for name, list := range map[types.GuardrailContentQualifier]*[]*string{
		types.GuardrailContentQualifierGuardContent: &m.guarded, types.GuardrailContentQualifierGroundingSource: &m.source, types.GuardrailContentQualifierQuery: &m.query,
	} {
		if slices.Contains(qualifiers, string(name)) {
			*list = append(*list, text)
		}
	}
}

// evaluated is what the policies other than contextual grounding look at: what is
// marked as guard_content or, if nothing is, everything
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-contextual-grounding-check.html).
func (m *marked) evaluated() []*string {
	if len(m.guarded) > 0 {
		return m.guarded
	}
	return m.all
}

// answer is what is held against the grounding source.
func (m *marked) answer() []*string {
	if len(m.guarded) > 0 {
		return m.guarded
	}
	return m.plain
}

func namesOf[T ~string](names []T) []string {
	var out []string
	for _, name := range names {
		out = append(out, string(name))
	}
	return out
}

// promptOf is what a guardrail evaluates of a prompt. In the messages: the
// guardContent blocks, or all texts if there is no such block. In the system
// prompt: the guardContent blocks, and of an InvokeModel without input tags
// everything. Tool results, tool definitions and tool arguments: never
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-converse-api.html).
// Prompt attacks: of an InvokeModel, only between input tags
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-prompt-attack.html).
func promptOf(in *bedrockruntime.ConverseInput, invoke, tags bool) evaluated {
	var messages, system marked
	guard := func(m *marked, block types.GuardrailConverseContentBlock) {
		g := guardedText(block)
		if g == nil {
			return
		}
		qualifiers := namesOf(g.Qualifiers)
		if len(qualifiers) == 0 {
			qualifiers = []string{string(types.GuardrailContentQualifierGuardContent)}
		}
		m.add(g.Text, qualifiers)
	}
	for _, block := range in.System {
		switch b := block.(type) {
		case *types.SystemContentBlockMemberText:
			system.add(&b.Value, nil)
		case *types.SystemContentBlockMemberGuardContent:
			guard(&system, b.Value)
		}
	}
	for _, m := range in.Messages {
		for _, block := range m.Content {
			switch b := block.(type) {
			case *types.ContentBlockMemberText:
				messages.add(&b.Value, nil)
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
	return evaluated{
		texts:   texts,
		source:  slices.Concat(system.source, messages.source),
		query:   slices.Concat(system.query, messages.query),
		attacks: !invoke || tags,
	}
}
