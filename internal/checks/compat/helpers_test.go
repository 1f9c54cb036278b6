package compat

import (
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const (
	model  = "anthropic.claude-3-haiku-20240307-v1:0"
	prompt = "Name one river in Europe."
)

// guarded is a guarded client of server, on an application's configuration without API
// options of its own.
func guarded(t *testing.T, server *bedrocktest.Server) *securebedrock.Client {
	t.Helper()
	cfg := server.Config()
	cfg.APIOptions = nil
	client, err := securebedrock.NewFromConfig(cfg, server.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// inference lists the calls that asked a model, in the order of arrival.
func inference(server *bedrocktest.Server) []bedrocktest.Call {
	var calls []bedrocktest.Call
	for _, c := range server.Calls() {
		if c.Service != "sts" {
			calls = append(calls, c)
		}
	}
	return calls
}

// onlyCall is the one call that asked a model.
func onlyCall(t *testing.T, server *bedrocktest.Server) bedrocktest.Call {
	t.Helper()
	calls := inference(server)
	if len(calls) != 1 {
		t.Fatalf("%d calls arrived, want 1", len(calls))
	}
	return calls[0]
}

// arrivedGuarded fails unless the call is of the operation, signed for the pinned region
// and with the pinned guardrail in its headers.
func arrivedGuarded(t *testing.T, server *bedrocktest.Server, call bedrocktest.Call, operation string) {
	t.Helper()
	if call.Operation != operation {
		t.Errorf("operation %s, want %s", call.Operation, operation)
	}
	if call.Region != server.Region() {
		t.Errorf("signed for %s, want %s", call.Region, server.Region())
	}
	pinned := server.Options().Guardrail
	if got := call.Header.Get("X-Amzn-Bedrock-GuardrailIdentifier"); got != pinned.ID {
		t.Errorf("guardrail %q, want %q", got, pinned.ID)
	}
	if got := call.Header.Get("X-Amzn-Bedrock-GuardrailVersion"); got != pinned.Version {
		t.Errorf("guardrail version %q, want %q", got, pinned.Version)
	}
}
