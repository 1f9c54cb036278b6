package securebedrock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func TestInvokeModelSafely(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	if _, err := c.InvokeModelSafely(t.Context(), haiku, userSays("hello")); err != nil {
		t.Fatal(err)
	}
	got := calls(server, "Converse")
	if len(got) != 1 || got[0].ModelID != haiku || got[0].Input.(*bedrockruntime.ConverseInput).GuardrailConfig == nil {
		t.Errorf("sent %+v", got)
	}
}
