package compat

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/bedrock"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const model = "anthropic.claude-3-haiku-20240307-v1:0"

// newLLM gives langchaingo the guarded client. langchaingo takes only a
// *bedrockruntime.Client.
func newLLM(t *testing.T, server *bedrocktest.Server) *bedrock.LLM {
	t.Helper()
	client, err := securebedrock.NewFromConfig(server.Config(), server.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	llm, err := bedrock.New(
		bedrock.WithClient(client.Runtime()),
		bedrock.WithModelProvider("anthropic"),
		bedrock.WithModel(model),
	)
	if err != nil {
		t.Fatal(err)
	}
	return llm
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

func TestLangchaingoIsGuarded(t *testing.T) {
	for _, test := range []struct {
		name, operation string
		options         func(streamed *strings.Builder) []llms.CallOption
	}{
		{"whole", "InvokeModel", func(*strings.Builder) []llms.CallOption { return nil }},
		{"streamed", "InvokeModelWithResponseStream", func(streamed *strings.Builder) []llms.CallOption {
			return []llms.CallOption{llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
				streamed.Write(chunk)
				return nil
			})}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			llm := newLLM(t, server)

			var streamed strings.Builder
			answer, err := llms.GenerateFromSinglePrompt(t.Context(), llm, "Name one river in Europe.", test.options(&streamed)...)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(answer, "Name one river") {
				t.Errorf("the answer %q does not quote the prompt", answer)
			}
			if test.name == "streamed" && streamed.String() != answer {
				t.Errorf("streamed %q, answered %q", streamed.String(), answer)
			}

			calls := inference(server)
			if len(calls) != 1 {
				t.Fatalf("%d calls arrived, want 1", len(calls))
			}
			call := calls[0]
			if call.Operation != test.operation {
				t.Errorf("operation %s, want %s", call.Operation, test.operation)
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
		})
	}
}

func TestLangchaingoCannotLeaveTheRegion(t *testing.T) {
	for _, test := range []struct {
		name, model string
		rule        error
	}{
		{"global profile", "global." + model, securebedrock.ErrResidency},
		{"profile of another geography", "eu." + model, securebedrock.ErrResidency},
		{"ARN of another region", "arn:aws:bedrock:eu-west-1::foundation-model/" + model, securebedrock.ErrRegion},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			llm := newLLM(t, server)

			_, err := llms.GenerateFromSinglePrompt(t.Context(), llm, "Name one river in Europe.", llms.WithModel(test.model))
			if !errors.Is(err, test.rule) {
				t.Errorf("error %v, want %v", err, test.rule)
			}
			var refusal *securebedrock.PolicyError
			if !errors.As(err, &refusal) {
				t.Errorf("error %v is no *PolicyError", err)
			}
			if calls := inference(server); len(calls) != 0 {
				t.Errorf("%d calls arrived, want none: %s", len(calls), calls[0].Path)
			}
		})
	}
}
