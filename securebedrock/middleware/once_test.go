package middleware

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// An operation that runs a model and is not known here would pass a budget in silence.
func TestEveryOperationIsClassified(t *testing.T) {
	none := []string{"ApplyGuardrail", "CountTokens", "GetAsyncInvoke", "InvokeGuardrailChecks", "ListAsyncInvokes"} // run no model
	client := reflect.TypeFor[*bedrockruntime.Client]()
	found := 0
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() < 3 || !strings.HasSuffix(m.Type.In(2).String(), "Input") {
			continue
		}
		found++
		if infers(m.Name) == slices.Contains(none, m.Name) {
			t.Errorf("%s: infers is %v; classify it in infers, or here as an operation that runs no model", m.Name, infers(m.Name))
		}
	}
	if found < 11 {
		t.Errorf("%d operations were found", found)
	}
}
