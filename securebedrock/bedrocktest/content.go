package bedrocktest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// textAnswer is an answer of one text.
func textAnswer(text string) *bedrockruntime.ConverseOutput {
	return &bedrockruntime.ConverseOutput{Output: &types.ConverseOutputMemberMessage{Value: types.Message{
		Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}},
	}}}
}

func promptTokens(system []types.SystemContentBlock, messages []types.Message) int {
	n := 0
	for _, text := range systemTexts(system) {
		n += tokens(*text)
	}
	for _, m := range messages {
		n += contentTokens(m.Content)
	}
	return n
}

// contentTokens counts texts by their words and any other block as one token.
func contentTokens(content []types.ContentBlock) int {
	n := 0
	for _, block := range content {
		texts := messageTexts([]types.ContentBlock{block})
		for _, text := range texts {
			n += tokens(*text)
		}
		if len(texts) == 0 {
			n++
		}
	}
	return n
}

func usage(in, out int) *types.TokenUsage {
	return &types.TokenUsage{
		InputTokens:  aws.Int32(int32(in)),
		OutputTokens: aws.Int32(int32(out)),
		TotalTokens:  aws.Int32(int32(in + out)),
	}
}

// contentOf is the content of an output's message, if it has one.
func contentOf(out *bedrockruntime.ConverseOutput) []types.ContentBlock {
	if m, ok := out.Output.(*types.ConverseOutputMemberMessage); ok {
		return m.Value.Content
	}
	return nil
}

// messageTexts are pointers into content, so that a guardrail can mask there.
func messageTexts(content []types.ContentBlock) []*string {
	var texts []*string
	for _, block := range content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			texts = append(texts, &b.Value)
		case *types.ContentBlockMemberGuardContent:
			if g := guardedText(b.Value); g != nil {
				texts = append(texts, g.Text)
			}
		case *types.ContentBlockMemberCitationsContent:
			for _, part := range b.Value.Content {
				if text, ok := part.(*types.CitationGeneratedContentMemberText); ok {
					texts = append(texts, &text.Value)
				}
			}
		}
	}
	return texts
}

func systemTexts(system []types.SystemContentBlock) []*string {
	var texts []*string
	for _, block := range system {
		switch b := block.(type) {
		case *types.SystemContentBlockMemberText:
			texts = append(texts, &b.Value)
		case *types.SystemContentBlockMemberGuardContent:
			if g := guardedText(b.Value); g != nil {
				texts = append(texts, g.Text)
			}
		}
	}
	return texts
}

// guardedText is the text of a guardContent block, nil if it has none.
func guardedText(block types.GuardrailConverseContentBlock) *types.GuardrailConverseTextBlock {
	if b, ok := block.(*types.GuardrailConverseContentBlockMemberText); ok && b.Value.Text != nil {
		return &b.Value
	}
	return nil
}

// cloneTexts copies content so far that its texts can be changed.
func cloneTexts(content []types.ContentBlock) []types.ContentBlock {
	out := make([]types.ContentBlock, len(content))
	for i, block := range content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			block = &types.ContentBlockMemberText{Value: b.Value}
		case *types.ContentBlockMemberCitationsContent:
			copied := b.Value
			copied.Content = nil
			for _, part := range b.Value.Content {
				if text, ok := part.(*types.CitationGeneratedContentMemberText); ok {
					part = &types.CitationGeneratedContentMemberText{Value: text.Value}
				}
				copied.Content = append(copied.Content, part)
			}
			block = &types.ContentBlockMemberCitationsContent{Value: copied}
		}
		out[i] = block
	}
	return out
}
