package content

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Conversation is what a Converse or a ConverseStream holds.
type Conversation struct {
	System    []types.SystemContentBlock
	Messages  []types.Message
	Tools     *types.ToolConfiguration
	Variables map[string]types.PromptVariableValues
	Fields    document.Interface // AdditionalModelRequestFields
}

// ConversationOf is the conversation of a Converse's or ConverseStream's input.
func ConversationOf(input any) (c Conversation, ok bool) {
	switch in := input.(type) {
	case *bedrockruntime.ConverseInput:
		return Conversation{in.System, in.Messages, in.ToolConfig, in.PromptVariables, in.AdditionalModelRequestFields}, true
	case *bedrockruntime.ConverseStreamInput:
		return Conversation{in.System, in.Messages, in.ToolConfig, in.PromptVariables, in.AdditionalModelRequestFields}, true
	}
	return Conversation{}, false
}

// BodyOf is the body of an InvokeModel's or InvokeModelWithResponseStream's input.
func BodyOf(input any) (body []byte, ok bool) {
	switch in := input.(type) {
	case *bedrockruntime.InvokeModelInput:
		return in.Body, true
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		return in.Body, true
	}
	return nil, false
}

// OwnMessages copies the lists of messages and of their blocks, and not the blocks
// themselves.
func OwnMessages(messages []types.Message) []types.Message {
	own := slices.Clone(messages)
	for i := range own {
		own[i].Content = slices.Clone(own[i].Content)
	}
	return own
}
