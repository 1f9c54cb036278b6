package guardrail

import "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

// The service's own words for what a guardrail did.
const (
	ReasonNone    = "No action."
	reasonBlocked = "Guardrail blocked."
	reasonMasked  = "Guardrail masked."
)

// Evaluation is what a guardrail found in some texts.
type Evaluation struct {
	Assessment      types.GuardrailAssessment
	Blocked, Masked bool
}

func (e *Evaluation) Reason() string {
	switch {
	case e.Blocked:
		return reasonBlocked
	case e.Masked:
		return reasonMasked
	}
	return ReasonNone
}

// Subject is what a guardrail looks at.
type Subject struct {
	Texts []*string
	// source and query are what a prompt marks as such, for the contextual
	// grounding of answer.
	Source, Query, Answer []*string
	// attacks: prompt attacks are looked for.
	Attacks bool
	// full: the assessment is to hold what was not detected, too.
	Full bool
}

// grounded reports whether there is an answer, and a source and a query that the
// answer can be held against.
func (in Subject) grounded() bool {
	return len(in.Answer) > 0 && len(in.Source) > 0 && len(in.Query) > 0
}
