package bedrocktest

import (
	"encoding/json"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/family"
)

// body returns the answer in the form of the model's family.
func (x *invocation) body() ([]byte, error) {
	keys := map[string]any{}
	if err := x.addGuardrail(keys); err != nil {
		return nil, err
	}
	if x.raw != nil {
		return family.Extend(x.raw, keys)
	}
	out, err := x.family.Answer(x.answer(), x.state)
	if err != nil {
		return nil, err
	}
	maps.Copy(out, keys)
	return json.Marshal(out)
}

// addGuardrail adds the guardrail's result to an answer, or to the last chunk of a
// streamed one.
func (x *invocation) addGuardrail(out map[string]any) error {
	own := x.out.Trace != nil && x.out.Trace.Guardrail != nil // in the Reply, for an enforced guardrail
	if x.guard == nil && !own {
		return nil
	}
	out["amazon-bedrock-guardrailAction"] = "NONE"
	if x.intervened() {
		out["amazon-bedrock-guardrailAction"] = "INTERVENED"
	}
	told := x.assessment()
	if told == nil {
		return nil
	}
	trace := map[string]any{"actionReason": aws.ToString(told.ActionReason)}
	input := map[string]any{}
	for id, assessment := range told.InputAssessment {
		raw, err := wire.EncodeBody(&assessment)
		if err != nil {
			return err
		}
		input[id] = raw
	}
	trace["input"] = input
	var outputs []any
	for id, list := range told.OutputAssessments {
		for _, assessment := range list {
			raw, err := wire.EncodeBody(&assessment)
			if err != nil {
				return err
			}
			outputs = append(outputs, map[string]any{id: raw})
		}
	}
	if outputs != nil {
		trace["outputs"], trace["modelOutput"] = outputs, told.ModelOutput
	}
	out["amazon-bedrock-trace"] = map[string]any{"guardrail": trace}
	return nil
}
