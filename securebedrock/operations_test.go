package securebedrock_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Every operation of the SDK's client is a method of ours with the same
// signature, passes the guard, and carries a guardrail or is known to carry none.
func TestEveryOperationIsClassified(t *testing.T) {
	classified := map[string]string{
		"Converse": "guarded", "ConverseStream": "guarded", "InvokeModel": "guarded", "InvokeModelWithResponseStream": "guarded",
		"InvokeModelWithBidirectionalStream": "refused without a reason", "StartAsyncInvoke": "refused without a reason",
		"ApplyGuardrail": "no inference", "InvokeGuardrailChecks": "no inference", "CountTokens": "no inference",
		"GetAsyncInvoke": "no inference", "ListAsyncInvokes": "no inference",
	}
	sdk, ours := reflect.TypeFor[*bedrockruntime.Client](), reflect.TypeFor[*securebedrock.Client]()
	for i := range sdk.NumMethod() {
		m := sdk.Method(i)
		if m.Name == "Options" {
			continue
		}
		if classified[m.Name] == "" {
			t.Errorf("the SDK has gained %s: decide what it carries, add it to operations() and to Client, then here", m.Name)
			continue
		}
		delete(classified, m.Name)
		mine, ok := ours.MethodByName(m.Name)
		if !ok {
			t.Errorf("Client has no %s", m.Name)
			continue
		}
		for _, pair := range [][2]reflect.Type{{m.Type, mine.Type}} {
			if got, want := signature(pair[1]), signature(pair[0]); got != want {
				t.Errorf("%s is %s and the SDK's is %s", m.Name, got, want)
			}
		}
	}
	for name := range classified {
		t.Errorf("%s is classified and the SDK does not have it", name)
	}
}

func signature(f reflect.Type) string {
	var parts []string
	for i := 1; i < f.NumIn(); i++ {
		parts = append(parts, f.In(i).String())
	}
	parts = append(parts, "->")
	for i := range f.NumOut() {
		parts = append(parts, f.Out(i).String())
	}
	return strings.Join(parts, " ")
}

// An operation that the guard does not know is refused, not passed.
func TestUnknownOperationIsRefused(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	for _, install := range c.Runtime().Options().APIOptions {
		err := install(middleware.NewStack("InventTheFuture", func() any { return nil }))
		if err != nil {
			refusedBy(t, err, securebedrock.ErrUnguardedOperation)
			return
		}
	}
	t.Error("an unknown operation passed")
}
