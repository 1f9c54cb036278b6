package bedrockhttp_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A Converse and a ConverseStream go through every door to the pinned Bedrock, with the
// guardrail, and without the caller's keys.
func TestCallsGoThrough(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	for _, e := range entries(t, c) {
		t.Run(e.name, func(t *testing.T) {
			out, err := e.sdk().Converse(t.Context(), converse("Hello"))
			if err != nil {
				t.Fatal(err)
			}
			message, ok := out.Output.(*types.ConverseOutputMemberMessage)
			if !ok || !strings.Contains(message.Value.Content[0].(*types.ContentBlockMemberText).Value, "Hello") {
				t.Errorf("%+v", out.Output)
			}
			streamed, err := e.sdk().ConverseStream(t.Context(), converseStream("Hello"))
			if err != nil {
				t.Fatal(err)
			}
			events := 0
			for range streamed.GetStream().Events() {
				events++
			}
			if err := streamed.GetStream().Close(); err != nil || events < 4 {
				t.Errorf("%d events, %v", events, err)
			}
		})
	}
	for _, call := range server.Calls() {
		if call.AccessKeyID == callerKey || call.Region != server.Region() {
			t.Errorf("%s with %s in %s", call.Operation, call.AccessKeyID, call.Region)
		}
	}
}
