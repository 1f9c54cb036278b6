package bedrocktest

import (
	"net/http"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

func (s *Server) applyGuardrail(w http.ResponseWriter, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.ApplyGuardrailInput)
	if in.Source != types.GuardrailContentSourceInput && in.Source != types.GuardrailContentSourceOutput {
		return invalid("The source must be INPUT or OUTPUT.")
	}
	guard, err := s.guardrails.find(s.settings.region, aws.ToString(in.GuardrailIdentifier), aws.ToString(in.GuardrailVersion))
	if err != nil || guard == nil {
		return notFound()
	}
	// The evaluation masks in place; the call keeps what was received.
	output := in.Source == types.GuardrailContentSourceOutput
	marks := marked{}
	for _, block := range in.Content {
		if text, ok := block.(*types.GuardrailContentBlockMemberText); ok {
			marks.add(aws.String(aws.ToString(text.Value.Text)), namesOf(text.Value.Qualifiers))
		}
	}
	texts := marks.evaluated()
	if len(in.Content) == 0 {
		return invalid("The content must not be empty.")
	}
	look := evaluated{texts: texts, attacks: !output, full: in.OutputScope == types.GuardrailOutputScopeFull}
	if output {
		look.source, look.query, look.answer = marks.source, marks.query, marks.answer()
	}
	e := guard.evaluate(look)
	out := &bedrockruntime.ApplyGuardrailOutput{
		Action:            types.GuardrailActionNone,
		ActionReason:      aws.String(e.reason()),
		Assessments:       []types.GuardrailAssessment{e.assessment},
		Outputs:           []types.GuardrailOutputContent{},
		Usage:             e.assessment.InvocationMetrics.Usage,
		GuardrailCoverage: e.assessment.InvocationMetrics.GuardrailCoverage,
	}
	switch {
	case e.blocked:
		message := guard.BlockedInput
		if in.Source == types.GuardrailContentSourceOutput {
			message = guard.BlockedOutput
		}
		out.Action = types.GuardrailActionGuardrailIntervened
		out.Outputs = append(out.Outputs, types.GuardrailOutputContent{Text: aws.String(message)})
	case e.masked:
		out.Action = types.GuardrailActionGuardrailIntervened
		for _, text := range texts {
			out.Outputs = append(out.Outputs, types.GuardrailOutputContent{Text: text})
		}
	}
	return s.respond(w, r, http.StatusOK, out)
}

// notFound is ApplyGuardrail's answer for a guardrail that does not exist.
func notFound() *apiError {
	return &apiError{status: http.StatusNotFound, code: "ResourceNotFoundException", message: "The guardrail identifier or version provided in the request does not exist."}
}

// guardrailChecks answers without any guardrail, as the operation has none:
// personal data are looked for with the patterns of the default guardrail, and
// every score of content and prompt attacks is 0.
func (s *Server) guardrailChecks(w http.ResponseWriter, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.InvokeGuardrailChecksInput)
	if len(in.Messages) == 0 || in.Checks == nil {
		return invalid("Both messages and checks are required.")
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
	return s.respond(w, r, http.StatusOK, out)
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
