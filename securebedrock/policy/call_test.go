package policy

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// Explain knows each operation of the client.
func TestEveryOperationIsKnown(t *testing.T) {
	client := reflect.TypeFor[*bedrockruntime.Client]()
	found := 0
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() < 3 || !strings.HasSuffix(m.Type.In(2).String(), "Input") {
			continue
		}
		found++
		if op, ok := operationOf(m.Name); !ok || op.name != m.Name || op.action == "" {
			t.Errorf("%s: %+v, %v", m.Name, op.name, ok)
		}
	}
	if found < 11 {
		t.Errorf("%d operations were found", found)
	}
}
