package testmodel

import (
	"bytes"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/family"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/misuse"
)

// AskInvoke asks a ReplyInvoke. The returned answer stands for the body: it has the
// counts and no text.
func AskInvoke(reply func(string, []byte) ([]byte, error), in *bedrockruntime.InvokeModelInput, prompt *bedrockruntime.ConverseInput, start time.Time) (*bedrockruntime.ConverseOutput, []byte, error) {
	raw, err := misuse.Call("ReplyInvoke", func() ([]byte, error) { return reply(aws.ToString(in.ModelId), bytes.Clone(in.Body)) })
	if err != nil || raw == nil {
		return nil, nil, err
	}
	input, output := family.StatedUsage(raw)
	if input < 0 {
		input = conversation.PromptTokens(prompt.System, prompt.Messages)
	}
	if output < 0 {
		output = 0
		for _, text := range family.Strings(raw) {
			output += conversation.Tokens(text)
		}
	}
	return Complete(&bedrockruntime.ConverseOutput{Output: &types.ConverseOutputMemberMessage{Value: types.Message{Role: types.ConversationRoleAssistant}}, Usage: conversation.Usage(input, output)}, prompt, 0, start), raw, nil
}

// AnyPrompt returns the prompt of a body in an unknown form: all its strings.
func AnyPrompt(in *bedrockruntime.InvokeModelInput) *bedrockruntime.ConverseInput {
	var content []types.ContentBlock
	for _, text := range family.Strings(in.Body) {
		if strings.TrimSpace(text) != "" {
			content = append(content, &types.ContentBlockMemberText{Value: text})
		}
	}
	if content == nil {
		content = append(content, &types.ContentBlockMemberText{Value: "{}"})
	}
	return &bedrockruntime.ConverseInput{ModelId: in.ModelId, Messages: []types.Message{{Role: types.ConversationRoleUser, Content: content}}}
}
