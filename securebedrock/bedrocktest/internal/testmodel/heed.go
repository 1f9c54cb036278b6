package testmodel

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
)

// heed ends an answer where the request's stop sequences or its maximum of tokens end
// it, and returns the stop sequence. An answer with a stop reason of its own is left
// as it is.
func heed(in *bedrockruntime.ConverseInput, answer *bedrockruntime.ConverseOutput) (*bedrockruntime.ConverseOutput, string) {
	limits := in.InferenceConfig
	message, ok := answer.Output.(*types.ConverseOutputMemberMessage)
	if limits == nil || answer.StopReason != "" || !ok {
		return answer, ""
	}
	out := *answer
	content, stop := stopped(message.Value.Content, limits.StopSequences)
	if stop != "" {
		out.StopReason = types.StopReasonStopSequence
	}
	if limits.MaxTokens != nil && conversation.ContentTokens(content) > int(*limits.MaxTokens) {
		content, stop = shortened(content, int(*limits.MaxTokens)), ""
		out.StopReason = types.StopReasonMaxTokens
	}
	if out.StopReason == "" {
		return answer, ""
	}
	out.Output = &types.ConverseOutputMemberMessage{Value: types.Message{Role: message.Value.Role, Content: content}}
	return &out, stop
}

// stopped cuts content before the first stop sequence in its texts.
func stopped(content []types.ContentBlock, sequences []string) (kept []types.ContentBlock, stop string) {
	for i, block := range content {
		text, ok := block.(*types.ContentBlockMemberText)
		if !ok {
			continue
		}
		at := -1
		for _, s := range sequences {
			// Of two stop sequences at one place, the longer one applies.
			if n := strings.Index(text.Value, s); s != "" && n >= 0 && (at < 0 || n < at || n == at && len(s) > len(stop)) {
				at, stop = n, s
			}
		}
		if at >= 0 {
			return withText(content[:i], text.Value[:at]), stop
		}
	}
	return content, ""
}

// shortened cuts content after n tokens, counted like ContentTokens does.
func shortened(content []types.ContentBlock, n int) []types.ContentBlock {
	for i, block := range content {
		if count := conversation.ContentTokens([]types.ContentBlock{block}); count <= n {
			n -= count
			continue
		}
		if text, ok := block.(*types.ContentBlockMemberText); ok && n > 0 {
			short, _ := conversation.FirstWords(text.Value, n)
			return withText(content[:i], short)
		}
		return withText(content[:i], "")
	}
	return content
}

// withText returns content with a text appended, unless the text is empty.
func withText(content []types.ContentBlock, text string) []types.ContentBlock {
	out := append([]types.ContentBlock{}, content...)
	if text != "" {
		out = append(out, &types.ContentBlockMemberText{Value: text})
	}
	return out
}

// addStopSequence adds the stop sequence where a Converse asks for its path in the
// model's own answer (additionalModelResponseFieldPaths of
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).
func addStopSequence(in *bedrockruntime.ConverseInput, out *bedrockruntime.ConverseOutput, stop string) {
	for _, path := range in.AdditionalModelResponseFieldPaths {
		if path == "/stop_sequence" && out.AdditionalModelResponseFields == nil && out.StopReason == types.StopReasonStopSequence {
			out.AdditionalModelResponseFields = document.NewLazyDocument(map[string]any{"stop_sequence": stop})
		}
	}
}
