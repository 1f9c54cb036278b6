package main

import (
	"context"
	"encoding/json"
	"fmt"

	"charm.land/fantasy"
	"charm.land/fantasy/providers/bedrock"
)

// runFantasy uses fantasy as a program does: region and keys come from the environment,
// the base URL is an option.
func runFantasy(ctx context.Context, o order, t *told) error {
	options := []bedrock.Option{bedrock.WithBaseURL(o.Endpoint)}
	if o.Guardrail != "" {
		options = append(options, bedrock.WithHeaders(map[string]string{
			"X-Amzn-Bedrock-GuardrailIdentifier": o.Guardrail, "X-Amzn-Bedrock-GuardrailVersion": "1",
		}))
	}
	provider, err := bedrock.New(options...)
	if err != nil {
		return err
	}
	model, err := provider.LanguageModel(ctx, o.Model)
	if err != nil {
		return err
	}
	call := fantasy.Call{Prompt: fantasy.Prompt{fantasy.NewUserMessage(o.Prompt)}}
	if o.Do == "tools" || o.Do == "tools-stream" {
		choice := fantasy.SpecificToolChoice("weather")
		call.ToolChoice = &choice
		call.Tools = []fantasy.Tool{fantasy.FunctionTool{
			Name:        "weather",
			Description: "The weather of a city",
			InputSchema: map[string]any{
				"type":       "object",
				"properties": map[string]any{"city": map[string]any{"type": "string"}},
				"required":   []string{"city"},
			},
		}}
	}

	switch o.Do {
	case "unary", "tools":
		out, err := model.Generate(ctx, call)
		if err != nil {
			return err
		}
		t.Text, t.Stop = out.Content.Text(), string(out.FinishReason)
		t.Tokens = out.Usage.TotalTokens
		for _, use := range out.Content.ToolCalls() {
			t.Tool = &tool{use.ToolName, json.RawMessage(use.Input)}
		}
		return nil
	case "stream", "tools-stream":
		parts, err := model.Stream(ctx, call)
		if err != nil {
			return err
		}
		for part := range parts {
			t.Events++
			switch part.Type {
			case fantasy.StreamPartTypeTextDelta:
				t.Text += part.Delta
			case fantasy.StreamPartTypeToolCall:
				t.Tool = &tool{part.ToolCallName, json.RawMessage(part.ToolCallInput)}
			case fantasy.StreamPartTypeError:
				err = part.Error
			case fantasy.StreamPartTypeFinish:
				t.Stop, t.Tokens = string(part.FinishReason), part.Usage.TotalTokens
			}
		}
		return err
	default:
		return fmt.Errorf("fantasy cannot %s", o.Do)
	}
}
