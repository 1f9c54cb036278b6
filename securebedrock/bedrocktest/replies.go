package bedrocktest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
)

// Text is an answer of one text block, for Reply.
func Text(text string) *bedrockruntime.ConverseOutput {
	return Content(&types.ContentBlockMemberText{Value: text})
}

// ToolUse is an answer that asks for one tool, for Reply. args are the tool's
// arguments: anything that encoding/json encodes, a json.RawMessage among others;
// nil is an empty object. Arguments that do not encode are told when the answer is
// sent, as any other fault of a Reply.
func ToolUse(id, name string, args any) *bedrockruntime.ConverseOutput {
	if args == nil {
		args = struct{}{}
	}
	return Content(&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
		ToolUseId: aws.String(id), Name: aws.String(name), Input: conversation.DocumentOf(args),
	}})
}

// Content is an answer of several blocks, for Reply: text beside tool uses,
// reasoning, citations, images.
func Content(blocks ...types.ContentBlock) *bedrockruntime.ConverseOutput {
	return &bedrockruntime.ConverseOutput{
		Output: &types.ConverseOutputMemberMessage{Value: types.Message{
			Role:    types.ConversationRoleAssistant,
			Content: blocks,
		}},
	}
}

// Script is a Reply that gives these answers one after the other, to whatever is
// asked. A nil answer is the default one. The call after the last answer gets a
// ModelErrorException that says so. Many goroutines may call at once: each answer
// is given once.
//
// What is not an answer of the model is scripted with [Server.Fail].
func Script(replies ...*bedrockruntime.ConverseOutput) func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
	replies = slices.Clone(replies)
	var mu sync.Mutex
	calls := 0
	return func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		mu.Lock()
		defer mu.Unlock()
		calls++
		if calls > len(replies) {
			return nil, fmt.Errorf("bedrocktest: the Script has %d replies, and this is call %d of the model", len(replies), calls)
		}
		return replies[calls-1], nil
	}
}
