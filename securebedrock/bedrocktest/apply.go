package bedrocktest

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/guardrail"
)

// applyGuardrail answers an ApplyGuardrail.
func applyGuardrail(guardrails *guardrail.Registry) func(*responder, *request) error {
	return func(w *responder, r *request) error {
		in, _ := r.call.Input.(*bedrockruntime.ApplyGuardrailInput)
		if in.Source != types.GuardrailContentSourceInput && in.Source != types.GuardrailContentSourceOutput {
			return wire.Invalid("The source must be INPUT or OUTPUT.")
		}
		guard, err := guardrails.Find(aws.ToString(in.GuardrailIdentifier), aws.ToString(in.GuardrailVersion))
		if err != nil || guard == nil {
			return notFound()
		}
		// Evaluation masks texts in place, and the call keeps what was received.
		output := in.Source == types.GuardrailContentSourceOutput
		marks := guardrail.Marked{}
		for _, block := range in.Content {
			if text, ok := block.(*types.GuardrailContentBlockMemberText); ok {
				marks.Add(aws.String(aws.ToString(text.Value.Text)), guardrail.Names(text.Value.Qualifiers))
			}
		}
		texts := marks.Evaluated()
		if len(in.Content) == 0 {
			return wire.Invalid("The content must not be empty.")
		}
		look := guardrail.Subject{Texts: texts, Attacks: !output, Full: in.OutputScope == types.GuardrailOutputScopeFull}
		if output {
			look.Source, look.Query, look.Answer = marks.Source, marks.Query, marks.Answer()
		}
		e := guard.Evaluate(look)
		out := &bedrockruntime.ApplyGuardrailOutput{
			Action:            types.GuardrailActionNone,
			ActionReason:      aws.String(e.Reason()),
			Assessments:       []types.GuardrailAssessment{e.Assessment},
			Outputs:           []types.GuardrailOutputContent{},
			Usage:             e.Assessment.InvocationMetrics.Usage,
			GuardrailCoverage: e.Assessment.InvocationMetrics.GuardrailCoverage,
		}
		switch {
		case e.Blocked:
			message := guard.BlockedInput
			if in.Source == types.GuardrailContentSourceOutput {
				message = guard.BlockedOutput
			}
			out.Action = types.GuardrailActionGuardrailIntervened
			out.Outputs = append(out.Outputs, types.GuardrailOutputContent{Text: aws.String(message)})
		case e.Masked:
			out.Action = types.GuardrailActionGuardrailIntervened
			for _, text := range texts {
				out.Outputs = append(out.Outputs, types.GuardrailOutputContent{Text: text})
			}
		}
		return w.respond(out)
	}
}

// notFound returns ApplyGuardrail's error for a guardrail that does not exist.
func notFound() *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: "The guardrail identifier or version provided in the request does not exist."}
}
