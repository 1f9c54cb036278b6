package middleware

import (
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Part is a part of a call's input, or a union of parts.
type Part uint8

// The parts of an input. The body of an InvokeModel or StartAsyncInvoke has parts if
// it is a conversation: a list of messages, or of chat_history, each with a known role.
// Any other body, such as one prompt that holds all turns, is checked whole, whatever
// the Parts.
const (
	// PartSystem is the system prompt.
	PartSystem Part = 1 << iota
	// PartUser is the content of the user's messages except tool results, including
	// documents and images. PartUser also includes the values of prompt variables.
	PartUser
	// PartAssistant is the model's text and tool arguments of earlier turns.
	PartAssistant
	// PartToolResults are the results of tools, including documents and images.
	PartToolResults
	// PartFields is everything else: AdditionalModelRequestFields, and what is not
	// in a body's conversation, including the definitions of tools.
	PartFields

	// AllParts is all of an input.
	AllParts = PartSystem | PartUser | PartAssistant | PartToolResults | PartFields
)

func (p Part) has(part Part) bool { return p&part != 0 }

// partOf a block of a Converse. A role that is not known is the user's.
func partOf(role types.ConversationRole, b types.ContentBlock) Part {
	if _, ok := b.(*types.ContentBlockMemberToolResult); ok {
		return PartToolResults
	}
	switch role {
	case types.ConversationRoleAssistant:
		return PartAssistant
	case types.ConversationRoleSystem:
		return PartSystem
	}
	return PartUser
}
