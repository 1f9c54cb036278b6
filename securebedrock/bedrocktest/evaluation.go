package bedrocktest

import "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

// The service's own words for what a guardrail did.
const (
	reasonNone    = "No action."
	reasonBlocked = "Guardrail blocked."
	reasonMasked  = "Guardrail masked."
)

// evaluation is what a guardrail found in some texts.
type evaluation struct {
	assessment      types.GuardrailAssessment
	blocked, masked bool
}

func (e *evaluation) reason() string {
	switch {
	case e.blocked:
		return reasonBlocked
	case e.masked:
		return reasonMasked
	}
	return reasonNone
}

// evaluated is what a guardrail looks at.
type evaluated struct {
	texts []*string
	// source and query are what a prompt marks as such, for the contextual
	// grounding of answer.
	source, query, answer []*string
	// attacks: prompt attacks are looked for.
	attacks bool
	// full: the assessment is to hold what was not detected, too.
	full bool
}

// grounded reports whether there is an answer, and a source and a query that the
// answer can be held against.
func (in evaluated) grounded() bool {
	return len(in.answer) > 0 && len(in.source) > 0 && len(in.query) > 0
}
