package rules_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestConverseValidation(t *testing.T) {
	s := bedrocktest.NewServer(t)
	for name, change := range map[string]func(*bedrockruntime.ConverseInput){
		"no messages":     func(in *bedrockruntime.ConverseInput) { in.Messages = []types.Message{} },
		"blank text":      func(in *bedrockruntime.ConverseInput) { in.Messages = probe.User("  ") },
		"blank model":     func(in *bedrockruntime.ConverseInput) { in.ModelId = aws.String(" ") },
		"assistant first": func(in *bedrockruntime.ConverseInput) { in.Messages[0].Role = types.ConversationRoleAssistant },
		"empty content":   func(in *bedrockruntime.ConverseInput) { in.Messages[0].Content = []types.ContentBlock{} },
		"unknown guardrail": func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("none"), GuardrailVersion: aws.String("1")}
		},
		"unknown version": func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("9")}
		},
		"no version": func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := probe.Ask("hi")
			change(in)
			_, err := probe.Client(s).Converse(t.Context(), in)
			probe.WantCode(t, err, 400, "ValidationException")
		})
	}
}
