package rules

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// CheckMessages refuses messages that no model of Bedrock takes.
func CheckMessages(messages []types.Message) error {
	if len(messages) == 0 {
		return wire.Invalid("The messages field is empty. Add a Message object to the messages field and try again.")
	}
	if messages[0].Role != types.ConversationRoleUser {
		return wire.Invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
	}
	for i, m := range messages {
		if m.Role != types.ConversationRoleUser && m.Role != types.ConversationRoleAssistant && m.Role != types.ConversationRoleSystem {
			return wire.Invalid("The role field in the Message object at messages.%d is invalid.", i)
		}
		if len(m.Content) == 0 {
			return wire.Invalid("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again.", i)
		}
		for j, block := range m.Content {
			if text, ok := block.(*types.ContentBlockMemberText); ok && strings.TrimSpace(text.Value) == "" {
				return wire.Invalid("The text field in the ContentBlock object at messages.%d.content.%d is blank. Add text to the text field, and try again.", i, j)
			}
		}
	}
	return nil
}
