package audit

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// The answer of an operation whose output has a stream is read from its events.
func TestEveryStreamIsKnown(t *testing.T) {
	client := reflect.TypeFor[*bedrockruntime.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() < 3 || !strings.HasSuffix(m.Type.In(2).String(), "Input") {
			continue
		}
		_, streaming := m.Type.Out(0).MethodByName("GetStream")
		if known := m.Name == "ConverseStream" || isStream(m.Name); known != streaming {
			t.Errorf("%s: a stream is %v", m.Name, known)
		}
	}
}
