package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/bedrock"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/aws/aws-sdk-go-v2/config"
)

// runAnthropic uses anthropic-sdk-go as a program does: region and keys come from the
// environment. The base URL is an option, which must stand after WithConfig.
func runAnthropic(ctx context.Context, o order, t *told) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := anthropic.NewClient(bedrock.WithConfig(cfg), option.WithBaseURL(o.Endpoint), option.WithMaxRetries(1))
	params := anthropic.MessageNewParams{
		Model:     anthropic.Model(o.Model),
		MaxTokens: 100,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(o.Prompt))},
	}
	if o.Do == "tools" || o.Do == "tools-stream" {
		params.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{
			Name:        "weather",
			Description: anthropic.String("The weather of a city"),
			InputSchema: anthropic.ToolInputSchemaParam{
				Properties: map[string]any{"city": map[string]any{"type": "string"}},
				Required:   []string{"city"},
			},
		}}}
		params.ToolChoice = anthropic.ToolChoiceParamOfTool("weather")
	}
	var options []option.RequestOption
	if o.Guardrail != "" {
		options = append(options,
			option.WithHeader("X-Amzn-Bedrock-GuardrailIdentifier", o.Guardrail),
			option.WithHeader("X-Amzn-Bedrock-GuardrailVersion", "1"))
	}

	switch o.Do {
	case "unary", "tools":
		message, err := client.Messages.New(ctx, params, options...)
		if err != nil {
			return err
		}
		answered(t, message)
		return nil
	case "stream", "tools-stream":
		stream := client.Messages.NewStreaming(ctx, params, options...)
		defer stream.Close()
		var message anthropic.Message
		for stream.Next() {
			t.Events++
			event := stream.Current()
			if err := message.Accumulate(event); err != nil {
				return err
			}
			t.Text += event.Delta.Text
		}
		if err := stream.Err(); err != nil {
			return err
		}
		answered(t, &message)
		return nil
	default:
		return fmt.Errorf("anthropic-sdk-go cannot %s", o.Do)
	}
}

func answered(t *told, message *anthropic.Message) {
	t.Text = ""
	for _, block := range message.Content {
		t.Text += block.Text
		if block.Type == "tool_use" {
			t.Tool = &tool{block.Name, json.RawMessage(block.Input)}
		}
	}
	t.Stop = string(message.StopReason)
	t.Tokens = message.Usage.InputTokens + message.Usage.OutputTokens
}
