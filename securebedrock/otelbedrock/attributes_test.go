package otelbedrock

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// A service, or a middleware, that writes text into every field that should hold
// an identifier.
func TestTextInAnIdentifiersPlaceIsDropped(t *testing.T) {
	const text = "you wrote: hello"
	out := securebedrock.Outcome{
		RequestID: text, StopReason: text, AccessKeyID: text, Principal: text, Err: &smithy.GenericAPIError{Code: text, Message: text},
		Guardrail: securebedrock.GuardrailOutcome{Applied: true, Intervened: true, ARN: text, Version: text, Origin: text + ",REQUEST", Policies: []string{"word", text}},
	}
	call := &securebedrock.Call{
		ID: text, Operation: "Converse", Region: text, Guardrail: securebedrock.Guardrail{ID: text, Version: text}, Model: securebedrock.Model{ID: text},
		Input: &bedrockruntime.ConverseInput{ModelId: aws.String(text), InferenceConfig: &types.InferenceConfiguration{StopSequences: []string{text}}},
	}
	r := &record{o: new(observer), operation: call.Operation, model: parsedModel(call)}
	all := append(requestAttributes(call), outcomeAttributes(r.operation, 0, &out, failureOf(out.Err))...)
	all = append(all, new(targets).of(r.key()).attributes...)
	for _, kv := range all {
		if strings.Contains(kv.Value.String(), "hello") {
			t.Errorf("%s = %s", kv.Key, kv.Value.String())
		}
	}
	var kept []string
	for _, kv := range all {
		if kv.Key == attrPolicies || kv.Key == attrOrigin {
			kept = append(kept, kv.Value.AsStringSlice()...)
		}
	}
	if fmt.Sprint(kept) != "[REQUEST word]" {
		t.Errorf("kept %v", kept)
	}
}
