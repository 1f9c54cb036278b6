package policy

// GuardrailInference is the content of an organisation's Bedrock policy (type
// BEDROCK_POLICY): a guardrail that each region enforces on all inference of the
// accounts under the policy.
type GuardrailInference struct {
	Guardrails []EnforcedGuardrail // one a region
}

// EnforcedGuardrail is what one region enforces.
type EnforcedGuardrail struct {
	Region  string
	ARN     string // of Region
	Version string // a number; DRAFT cannot be enforced

	// IncludedModels and ExcludedModels are model IDs. Empty IncludedModels mean all
	// models. An excluded model takes precedence.
	IncludedModels, ExcludedModels []string
}
