package otelbedrock

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// An operation streams where its output has a stream.
func TestEveryStreamIsKnown(t *testing.T) {
	client := reflect.TypeFor[*bedrockruntime.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() < 3 || !strings.HasSuffix(m.Type.In(2).String(), "Input") {
			continue
		}
		_, streaming := m.Type.Out(0).MethodByName("GetStream")
		if streams(m.Name) != streaming {
			t.Errorf("%s: streams is %v", m.Name, streams(m.Name))
		}
		if operationName(m.Name, "") == "other" {
			t.Errorf("%s has no gen_ai.operation.name", m.Name)
		}
	}
}
