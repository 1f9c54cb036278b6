package bedrocktest

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// applyGuardrail answers an ApplyGuardrail.
func applyGuardrail(guardrails *guardrails) func(*responder, *request) error {
	return func(w *responder, r *request) error {
		in, _ := r.call.Input.(*bedrockruntime.ApplyGuardrailInput)
		if in.Source != types.GuardrailContentSourceInput && in.Source != types.GuardrailContentSourceOutput {
			return wire.Invalid("The source must be INPUT or OUTPUT.")
		}
		guard, err := guardrails.find(aws.ToString(in.GuardrailIdentifier), aws.ToString(in.GuardrailVersion))
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
			return wire.Invalid("The content must not be empty.")
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
			message := guard.blockedInput
			if in.Source == types.GuardrailContentSourceOutput {
				message = guard.blockedOutput
			}
			out.Action = types.GuardrailActionGuardrailIntervened
			out.Outputs = append(out.Outputs, types.GuardrailOutputContent{Text: aws.String(message)})
		case e.masked:
			out.Action = types.GuardrailActionGuardrailIntervened
			for _, text := range texts {
				out.Outputs = append(out.Outputs, types.GuardrailOutputContent{Text: text})
			}
		}
		return w.respond(out)
	}
}

// notFound is ApplyGuardrail's answer for a guardrail that does not exist.
func notFound() *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: "The guardrail identifier or version provided in the request does not exist."}
}
