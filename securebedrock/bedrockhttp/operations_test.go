package bedrockhttp

import (
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// Every operation of Bedrock Runtime has a call, except the bidirectional one, whose call
// takes the request's body.
func TestEveryOperationHasACall(t *testing.T) {
	for _, op := range wire.Operations() {
		if have, want := callOf(op.Name) != nil, op.Name != wire.Bidirectional; have != want {
			t.Errorf("%s has a call: %v, want %v", op.Name, have, want)
		}
	}
	if callOf("GetModel") != nil {
		t.Error("an operation that does not exist has a call")
	}
}

// A call refuses the input of another operation, and makes no call.
func TestInputsOfOtherOperations(t *testing.T) {
	for _, op := range wire.Operations() {
		if call := callOf(op.Name); call != nil {
			if a, err := call(t.Context(), nil, "an input"); err == nil {
				t.Errorf("%s: %+v", op.Name, a)
			}
		}
	}
	if _, err := bidirectional(t.Context(), nil, "an input", nil, nil); err == nil {
		t.Error("the bidirectional call takes any input")
	}
}
