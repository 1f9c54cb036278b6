package wire

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// The table has every operation of the SDK's client.
func TestEveryOperation(t *testing.T) {
	client := reflect.TypeFor[*bedrockruntime.Client]()
	for i := range client.NumMethod() {
		name := client.Method(i).Name
		if name == "Options" {
			continue
		}
		if !slices.ContainsFunc(Operations(), func(op Operation) bool { return op.Name == name }) {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestRoute(t *testing.T) {
	for _, row := range []struct {
		method, path string
		name         string // empty: no operation
		labels       string
	}{
		{"POST", "/model/a.b-v1:0/converse", "Converse", "modelId=a.b-v1:0"},
		{"POST", "/model/arn%3Aaws%3Abedrock%3A%3A%3Afoundation-model%2Fa.b/invoke", "InvokeModel", "modelId=arn:aws:bedrock:::foundation-model/a.b"},
		{"POST", "/guardrail/g/version/1/apply", "ApplyGuardrail", "guardrailIdentifier=g guardrailVersion=1"},
		{"GET", "/async-invoke", "ListAsyncInvokes", ""},
		{"POST", "/async-invoke", "StartAsyncInvoke", ""},
		{"GET", "/async-invoke/x", "GetAsyncInvoke", "invocationArn=x"},
		{"GET", "/model/x/converse", "", ""},
		{"POST", "/model/x/converse/", "", ""},
		{"POST", "/model/a/b/converse", "", ""},
		{"POST", "/model/%zz/converse", "", ""},
		{"POST", "", "", ""},
		{"POST", "/", "", ""},
	} {
		op, labels, ok := Route(row.method, row.path)
		var have []string
		for name, value := range labels {
			have = append(have, name+"="+value)
		}
		slices.Sort(have)
		if op.Name != row.name || ok != (row.name != "") || strings.Join(have, " ") != row.labels {
			t.Errorf("%s %s: %q, %q, %v", row.method, row.path, op.Name, have, ok)
		}
	}
}
