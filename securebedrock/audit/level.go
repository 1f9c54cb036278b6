package audit

func (r *Record) message() string { return "bedrock " + string(r.Kind) }

// warns says whether a person should look.
func (r *Record) warns() bool {
	return r.Error != nil || r.Guardrail != nil && r.Guardrail.Intervened || r.Unguarded != "" || r.FailOpen != "" || r.Lost > 0
}
