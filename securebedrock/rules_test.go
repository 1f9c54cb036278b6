package securebedrock

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// Each rule by itself refuses an input that is not the operation's own, and does not
// rely on the copy that is made before the rules.
func TestRulesEndInARefusal(t *testing.T) {
	rs := &ruleset{region: "us-east-1", guardrail: Guardrail{ID: "abc", Version: "1"}}
	for name, row := range map[string]struct {
		rule      rule
		operation string
	}{
		"the model of an operation that infers":    {modelRule, "Converse"},
		"the guardrail of a guarded operation":     {guardrailRule, "Converse"},
		"the coverage of a guarded operation":      {coverageRule, "InvokeModel"},
		"the guardrail of ApplyGuardrail":          {applyGuardrailRule, "ApplyGuardrail"},
		"the invocation of GetAsyncInvoke":         {invocationRule, "GetAsyncInvoke"},
		"the call ID of a guarded operation":       {defaultsRule, "ConverseStream"},
		"the model of an operation with unguarded": {modelRule, "StartAsyncInvoke"},
	} {
		j := judgement{op: operations()[row.operation], model: new(Model)}
		if err := row.rule(t.Context(), rs, j, new(bedrockruntime.ListAsyncInvokesInput)); !errors.Is(err, ErrEndpoint) {
			t.Errorf("%s: a foreign input gave %v", name, err)
		}
	}
}
