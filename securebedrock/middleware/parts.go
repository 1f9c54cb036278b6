package middleware

import (
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Part is a part of a call's input, or a union of parts.
type Part uint8

// The parts of an input. The body of an InvokeModel or StartAsyncInvoke is taken
// apart where it is a conversation: a list of messages, or of chat_history, each
// with a role that is known. Of any other body, such as one prompt with all turns
// in it, all is checked whatever the Parts.
const (
	// PartSystem is the system prompt.
	PartSystem Part = 1 << iota
	// PartUser is what the user's messages hold beside tool results, documents and
	// images among it, and the values of prompt variables.
	PartUser
	// PartAssistant is what the model said and the tools' arguments it gave, in
	// earlier turns.
	PartAssistant
	// PartToolResults are the results of tools, documents and images among them.
	PartToolResults
	// PartFields is all else: AdditionalModelRequestFields, and what is not of a
	// body's conversation, the definitions of tools too.
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
