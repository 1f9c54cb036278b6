package testmodel

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/misuse"
)

// checkReply refuses an answer that no model could give. It also refuses a document
// that does not encode, because the SDK's serializer would leave that out silently.
// The returned answer is the Reply's own or a copy.
func checkReply(answer *bedrockruntime.ConverseOutput) (*bedrockruntime.ConverseOutput, error) {
	out := *answer
	switch u := out.Usage; {
	case u == nil:
	case u.InputTokens == nil || u.OutputTokens == nil:
		return nil, misuse.New("the Usage of a Reply needs both InputTokens and OutputTokens; leave Usage nil to have the words counted")
	default:
		for _, n := range []*int32{u.InputTokens, u.OutputTokens, u.TotalTokens, u.CacheReadInputTokens, u.CacheWriteInputTokens} {
			if aws.ToInt32(n) < 0 {
				return nil, misuse.New("the Usage of a Reply has a negative count, %d", *n)
			}
		}
		if u.TotalTokens == nil {
			whole := *u
			whole.TotalTokens = aws.Int32(*u.InputTokens + *u.OutputTokens + aws.ToInt32(u.CacheReadInputTokens) + aws.ToInt32(u.CacheWriteInputTokens))
			out.Usage = &whole
		}
	}
	if err := checkDocument("AdditionalModelResponseFields", out.AdditionalModelResponseFields); err != nil {
		return nil, err
	}
	switch output := out.Output.(type) {
	case nil:
		return &out, nil
	case *types.ConverseOutputMemberMessage:
		if output == nil {
			return nil, misuse.New("the Output of a Reply is a nil %T", output)
		}
		message := output.Value
		switch message.Role {
		case "":
			message.Role = types.ConversationRoleAssistant
			out.Output = &types.ConverseOutputMemberMessage{Value: message}
		case types.ConversationRoleAssistant:
		default:
			return nil, misuse.New("the role of a Reply's message is %q; a model answers as %q", message.Role, types.ConversationRoleAssistant)
		}
		for i, block := range message.Content {
			if err := checkBlock(block); err != nil {
				return nil, misuse.New("content block %d of a Reply: %v", i, err)
			}
		}
	default:
		return nil, misuse.New("the Output of a Reply is a %T; it must be a *types.ConverseOutputMemberMessage", output)
	}
	return &out, nil
}

// checkBlock refuses a block that Converse and ConverseStream cannot carry.
func checkBlock(block types.ContentBlock) error {
	if v := reflect.ValueOf(block); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Errorf("it is nil")
	}
	switch b := block.(type) {
	case *types.ContentBlockMemberText, *types.ContentBlockMemberCitationsContent:
	case *types.ContentBlockMemberToolUse:
		if aws.ToString(b.Value.Name) == "" || aws.ToString(b.Value.ToolUseId) == "" {
			return fmt.Errorf("a tool use needs both Name and ToolUseId")
		}
		return checkDocument("the tool's Input", b.Value.Input)
	case *types.ContentBlockMemberReasoningContent:
		switch r := b.Value.(type) {
		case *types.ReasoningContentBlockMemberReasoningText:
			if r.Value.Text == nil {
				return fmt.Errorf("a reasoning text needs Text")
			}
		case *types.ReasoningContentBlockMemberRedactedContent:
		default:
			return fmt.Errorf("%T is not reasoning; use a reasoning text or redacted content", b.Value)
		}
	case *types.ContentBlockMemberImage:
		if b.Value.Source == nil || b.Value.Format == "" {
			return fmt.Errorf("an image needs both Format and Source")
		}
	case *types.ContentBlockMemberToolResult:
		if aws.ToString(b.Value.ToolUseId) == "" {
			return fmt.Errorf("a tool result needs ToolUseId")
		}
		for _, part := range b.Value.Content {
			switch p := part.(type) {
			case *types.ToolResultContentBlockMemberText:
			case *types.ToolResultContentBlockMemberJson:
				if err := checkDocument("a tool result", p.Value); err != nil {
					return err
				}
			default:
				return fmt.Errorf("a model's tool result is text or JSON, not %T", part)
			}
		}
	default:
		return fmt.Errorf("no model answers with %T", block)
	}
	return nil
}

func checkDocument(what string, doc document.Interface) error {
	if doc == nil {
		return nil
	}
	raw, err := doc.MarshalSmithyDocument()
	if err == nil && !json.Valid(raw) {
		err = fmt.Errorf("the document is not JSON")
	}
	if err != nil {
		return misuse.New("%s does not encode: %v", what, err)
	}
	return nil
}
