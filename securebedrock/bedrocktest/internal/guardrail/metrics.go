package guardrail

import (
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// metrics counts as Bedrock bills: one unit per policy and started thousand of
// characters. Regexes are free.
func (g *Guardrail) metrics(in Subject) *types.GuardrailInvocationMetrics {
	chars := characters(in.Texts)
	count := aws.Int32(int32(chars))
	return &types.GuardrailInvocationMetrics{
		GuardrailProcessingLatency: aws.Int64(1),
		GuardrailCoverage:          &types.GuardrailCoverage{TextCharacters: &types.GuardrailTextCharactersCoverage{Guarded: count, Total: count}},
		Usage:                      g.usage(units(chars), in),
	}
}

func characters(texts []*string) int {
	n := 0
	for _, text := range texts {
		n += utf8.RuneCountInString(*text)
	}
	return n
}

func units(chars int) int { return (chars + 999) / 1000 }

func (g *Guardrail) usage(n int, in Subject) *types.GuardrailUsage {
	when := func(used bool) *int32 {
		if !used {
			return aws.Int32(0)
		}
		return aws.Int32(int32(n))
	}
	regex := func(p PII) bool { return !p.isEntity() }
	grounding := 0
	if g.Grounding != nil && in.grounded() {
		grounding = units(characters(in.Answer) + characters(in.Source) + characters(in.Query))
	}
	return &types.GuardrailUsage{
		TopicPolicyUnits:                    when(len(g.topicPhrases) > 0),
		ContentPolicyUnits:                  when(len(g.contentFilters) > 0),
		WordPolicyUnits:                     when(len(g.wordPhrases)+len(g.profanityPhrases) > 0),
		SensitiveInformationPolicyUnits:     when(slices.ContainsFunc(g.PII, PII.isEntity)),
		SensitiveInformationPolicyFreeUnits: when(slices.ContainsFunc(g.PII, regex)),
		ContextualGroundingPolicyUnits:      aws.Int32(int32(grounding)),
	}
}
