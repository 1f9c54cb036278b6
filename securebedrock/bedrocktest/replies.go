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

// Text returns an answer of one text block, for Reply.
func Text(text string) *bedrockruntime.ConverseOutput {
	return Content(&types.ContentBlockMemberText{Value: text})
}

// ToolUse returns an answer that asks for one tool, for Reply. args are the tool's
// arguments: any value that encoding/json encodes, including a json.RawMessage. A nil
// args is an empty object. Arguments that do not encode are reported when the answer
// is sent, like any other fault of a Reply.
func ToolUse(id, name string, args any) *bedrockruntime.ConverseOutput {
	if args == nil {
		args = struct{}{}
	}
	return Content(&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
		ToolUseId: aws.String(id), Name: aws.String(name), Input: conversation.DocumentOf(args),
	}})
}

// Content returns an answer of several blocks, for Reply: texts, tool uses, reasoning,
// citations, images.
func Content(blocks ...types.ContentBlock) *bedrockruntime.ConverseOutput {
	return &bedrockruntime.ConverseOutput{
		Output: &types.ConverseOutputMemberMessage{Value: types.Message{
			Role:    types.ConversationRoleAssistant,
			Content: blocks,
		}},
	}
}

// Script returns a Reply that gives the answers in order, whatever is asked. A nil
// answer is the default answer. The call after the last answer gets a
// ModelErrorException that says so. Many goroutines may call at once, and each answer
// is given once.
//
// [Server.Fail] scripts what is not an answer of the model.
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
