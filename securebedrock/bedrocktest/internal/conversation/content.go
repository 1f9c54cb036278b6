// Package conversation reads and writes what a Converse holds: texts, words,
// documents and the events of a streamed answer.
package conversation

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// TextAnswer returns an answer of one text.
func TextAnswer(text string) *bedrockruntime.ConverseOutput {
	return &bedrockruntime.ConverseOutput{Output: &types.ConverseOutputMemberMessage{Value: types.Message{
		Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}},
	}}}
}

// PromptTokens counts a prompt, as ContentTokens counts content.
func PromptTokens(system []types.SystemContentBlock, messages []types.Message) int {
	n := 0
	for _, text := range systemTexts(system) {
		n += Tokens(*text)
	}
	for _, m := range messages {
		n += ContentTokens(m.Content)
	}
	return n
}

// ContentTokens counts the words of texts, and one token for any other block.
func ContentTokens(content []types.ContentBlock) int {
	n := 0
	for _, block := range content {
		texts := Texts([]types.ContentBlock{block})
		for _, text := range texts {
			n += Tokens(*text)
		}
		if len(texts) == 0 {
			n++
		}
	}
	return n
}

// Usage returns the usage of so many tokens.
func Usage(in, out int) *types.TokenUsage {
	return &types.TokenUsage{
		InputTokens:  aws.Int32(int32(in)),
		OutputTokens: aws.Int32(int32(out)),
		TotalTokens:  aws.Int32(int32(in + out)),
	}
}

// Content returns the content of an output's message, nil if the output has none.
func Content(out *bedrockruntime.ConverseOutput) []types.ContentBlock {
	if m, ok := out.Output.(*types.ConverseOutputMemberMessage); ok {
		return m.Value.Content
	}
	return nil
}

// Texts returns pointers into content, so that a guardrail can mask texts in place.
func Texts(content []types.ContentBlock) []*string {
	var texts []*string
	for _, block := range content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			texts = append(texts, &b.Value)
		case *types.ContentBlockMemberGuardContent:
			if g := GuardedText(b.Value); g != nil {
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
			if g := GuardedText(b.Value); g != nil {
				texts = append(texts, g.Text)
			}
		}
	}
	return texts
}

// GuardedText returns the text of a guardContent block, nil if the block has none.
func GuardedText(block types.GuardrailConverseContentBlock) *types.GuardrailConverseTextBlock {
	if b, ok := block.(*types.GuardrailConverseContentBlockMemberText); ok && b.Value.Text != nil {
		return &b.Value
	}
	return nil
}

// CloneTexts copies the blocks whose texts may be changed. The other blocks are
// shared.
func CloneTexts(content []types.ContentBlock) []types.ContentBlock {
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
