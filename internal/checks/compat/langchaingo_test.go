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

// newLLM gives langchaingo the guarded client. langchaingo takes only a
// *bedrockruntime.Client.
func newLLM(t *testing.T, server *bedrocktest.Server) *bedrock.LLM {
	t.Helper()
	llm, err := bedrock.New(
		bedrock.WithClient(guarded(t, server).Runtime()),
		bedrock.WithModelProvider("anthropic"),
		bedrock.WithModel(model),
	)
	if err != nil {
		t.Fatal(err)
	}
	return llm
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
			answer, err := llms.GenerateFromSinglePrompt(t.Context(), llm, prompt, test.options(&streamed)...)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(answer, "Name one river") {
				t.Errorf("the answer %q does not quote the prompt", answer)
			}
			if test.name == "streamed" && streamed.String() != answer {
				t.Errorf("streamed %q, answered %q", streamed.String(), answer)
			}

			arrivedGuarded(t, server, onlyCall(t, server), test.operation)
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

			_, err := llms.GenerateFromSinglePrompt(t.Context(), llm, prompt, llms.WithModel(test.model))
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
