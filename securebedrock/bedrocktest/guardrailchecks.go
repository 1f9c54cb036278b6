package bedrocktest

import (
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// guardrailChecks answers without a guardrail, since the operation names none. It
// finds personal data with the patterns of the default guardrail. Every score of
// content and prompt attacks is 0.
func guardrailChecks(w *responder, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.InvokeGuardrailChecksInput)
	if len(in.Messages) == 0 || in.Checks == nil {
		return wire.Invalid("Both messages and checks are required.")
	}
	chars := 0
	for _, m := range in.Messages {
		for _, block := range m.Content {
			if text, ok := block.(*types.GuardrailChecksContentBlockMemberText); ok {
				chars += utf8.RuneCountInString(text.Value)
			}
		}
	}
	units := aws.Int32(int32((chars + 999) / 1000))
	out := &bedrockruntime.InvokeGuardrailChecksOutput{Results: &types.GuardrailChecksResults{}, Usage: &types.GuardrailChecksUsageResults{}}
	if c := in.Checks.ContentFilter; c != nil {
		result := &types.GuardrailChecksContentFilterResult{Results: []types.GuardrailChecksContentFilterResultEntry{}}
		for _, category := range c.Categories {
			result.Results = append(result.Results, types.GuardrailChecksContentFilterResultEntry{Category: category.Category, SeverityScore: aws.Float64(0)})
		}
		out.Results.ContentFilter, out.Usage.ContentFilter = result, &types.GuardrailChecksContentFilterUsage{TextUnits: units}
	}
	if c := in.Checks.PromptAttack; c != nil {
		result := &types.GuardrailChecksPromptAttackResult{Results: []types.GuardrailChecksPromptAttackResultEntry{}}
		for _, category := range c.Categories {
			result.Results = append(result.Results, types.GuardrailChecksPromptAttackResultEntry{Category: category.Category, SeverityScore: aws.Float64(0)})
		}
		out.Results.PromptAttack, out.Usage.PromptAttack = result, &types.GuardrailChecksPromptAttackUsage{TextUnits: units}
	}
	if c := in.Checks.SensitiveInformation; c != nil {
		out.Results.SensitiveInformation = findEntities(in.Messages, c.Entities)
		out.Usage.SensitiveInformation = &types.GuardrailChecksSensitiveInformationUsage{TextUnits: units}
	}
	return w.respond(out)
}

// findEntities locates personal data by offsets in characters.
func findEntities(messages []types.GuardrailChecksMessage, entities []types.GuardrailChecksSensitiveInformationEntityConfig) *types.GuardrailChecksSensitiveInformationResult {
	result := &types.GuardrailChecksSensitiveInformationResult{
		Results: []types.GuardrailChecksSensitiveInformationResultEntry{}, Truncated: aws.Bool(false),
	}
	for _, entity := range entities {
		for _, p := range defaultGuardrail().PII {
			if p.Type != string(entity.Type) {
				continue
			}
			for i, m := range messages {
				for j, block := range m.Content {
					text, ok := block.(*types.GuardrailChecksContentBlockMemberText)
					if !ok {
						continue
					}
					for _, at := range p.Pattern.FindAllStringIndex(text.Value, -1) {
						begin := utf8.RuneCountInString(text.Value[:at[0]])
						result.Results = append(result.Results, types.GuardrailChecksSensitiveInformationResultEntry{
							Type: entity.Type, MessageIndex: aws.Int32(int32(i)), ContentIndex: aws.Int32(int32(j)),
							BeginOffset: aws.Int32(int32(begin)), EndOffset: aws.Int32(int32(begin + utf8.RuneCountInString(text.Value[at[0]:at[1]]))),
							ConfidenceScore: aws.Float64(1),
						})
					}
				}
			}
		}
	}
	return result
}
