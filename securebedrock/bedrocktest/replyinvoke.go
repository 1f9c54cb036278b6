package bedrocktest

import (
	"bytes"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// askInvoke asks ReplyInvoke. The answer stands for its body where the exchange
// wants one: it has the counts and no text.
func askInvoke(reply func(string, []byte) ([]byte, error), in *bedrockruntime.InvokeModelInput, prompt *bedrockruntime.ConverseInput, start time.Time) (*bedrockruntime.ConverseOutput, []byte, error) {
	raw, err := called("ReplyInvoke", func() ([]byte, error) { return reply(aws.ToString(in.ModelId), bytes.Clone(in.Body)) })
	if err != nil || raw == nil {
		return nil, nil, err
	}
	input, output := statedUsage(raw)
	if input < 0 {
		input = promptTokens(prompt.System, prompt.Messages)
	}
	if output < 0 {
		output = 0
		for _, text := range stringsOf(raw) {
			output += tokens(text)
		}
	}
	return complete(&bedrockruntime.ConverseOutput{Output: &types.ConverseOutputMemberMessage{Value: types.Message{Role: types.ConversationRoleAssistant}}, Usage: usage(input, output)}, prompt, 0, start), raw, nil
}

// anyPrompt is the prompt of a body whose form is not known: all its strings.
func anyPrompt(in *bedrockruntime.InvokeModelInput) *bedrockruntime.ConverseInput {
	var content []types.ContentBlock
	for _, text := range stringsOf(in.Body) {
		if strings.TrimSpace(text) != "" {
			content = append(content, &types.ContentBlockMemberText{Value: text})
		}
	}
	if content == nil {
		content = append(content, &types.ContentBlockMemberText{Value: "{}"})
	}
	return &bedrockruntime.ConverseInput{ModelId: in.ModelId, Messages: []types.Message{{Role: types.ConversationRoleUser, Content: content}}}
}
