package guardrail

import "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

// The reasons that Bedrock gives for an action.
const (
	ReasonNone    = "No action."
	reasonBlocked = "Guardrail blocked."
	reasonMasked  = "Guardrail masked."
)

// Evaluation is the result of a guardrail for some texts.
type Evaluation struct {
	Assessment      types.GuardrailAssessment
	Blocked, Masked bool
}

// Reason returns the reason for the action, in Bedrock's words.
func (e *Evaluation) Reason() string {
	switch {
	case e.Blocked:
		return reasonBlocked
	case e.Masked:
		return reasonMasked
	}
	return ReasonNone
}

// Subject is what a guardrail evaluates.
type Subject struct {
	Texts []*string
	// Source and Query are the parts of a prompt that are marked as such. Contextual
	// grounding compares Answer with them.
	Source, Query, Answer []*string
	// Attacks makes the guardrail look for prompt attacks.
	Attacks bool
	// Full makes the assessment list what was not detected, too.
	Full bool
}

// grounded reports whether contextual grounding has an answer, a source and a query.
func (in Subject) grounded() bool {
	return len(in.Answer) > 0 && len(in.Source) > 0 && len(in.Query) > 0
}
