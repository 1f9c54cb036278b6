package bedrocktest

import (
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Reply puts reply in the model's place for Converse, ConverseStream,
// InvokeModel and InvokeModelWithResponseStream; nil restores the default. Text,
// ToolUse and Content make answers, Script a Reply of several.
//
// Reply is called once per request that reaches the model, by many goroutines at
// once, with an input that the Reply owns and in which a guardrail's masks have
// been applied. What the request was before that is in Calls. A body of
// InvokeModel arrives translated, whatever the model's family writes: messages,
// system prompt, tools, tool results and inference settings. The answer goes back
// in the family's own form. Models that answer with no message (embeddings, rerank,
// images) do not ask Reply: see ReplyInvoke.
//
// What the output leaves out is filled in: the stop reason, the whole usage, the
// latency. An output of nil is the default answer. A trace of the output's own is
// sent as it is. Without a stop reason of its own an answer ends where the
// request's stop sequences and maximum of tokens end it. An error of the SDK's types
// (such as *types.ThrottlingException) is sent as what it is, any other as
// ModelErrorException.
//
// A Reply that panics, or whose answer no model could give (a usage without its
// output tokens, a tool use without a name), is a fault of the test: the client
// gets an InternalServerException that names the fault, and a server of NewServer
// reports the fault to its test.
func (s *Server) Reply(reply func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = reply
}

// ask gets the model's answer, complete, and the stop sequence that ended it.
func (s *Server) ask(in *bedrockruntime.ConverseInput, start time.Time) (*bedrockruntime.ConverseOutput, string, error) {
	s.mu.Lock()
	reply := s.reply
	s.mu.Unlock()

	// The request is kept, and the prompt counted, before reply may change it.
	request := &bedrockruntime.ConverseInput{InferenceConfig: in.InferenceConfig, AdditionalModelResponseFieldPaths: in.AdditionalModelResponseFieldPaths}
	prompt := promptTokens(in.System, in.Messages)
	var answer *bedrockruntime.ConverseOutput
	if reply != nil {
		var err error
		if answer, err = called("Reply", func() (*bedrockruntime.ConverseOutput, error) { return reply(in) }); err != nil {
			return nil, "", err
		}
		if answer != nil {
			if answer, err = checkReply(answer); err != nil {
				return nil, "", err
			}
		}
	}
	if answer == nil {
		answer = quote(in)
	}
	answer, stop := heed(request, answer)
	out := complete(answer, in, prompt, start)
	addStopSequence(request, out, stop)
	return out, stop, nil
}

// complete fills in what an answer leaves out.
func complete(answer *bedrockruntime.ConverseOutput, in *bedrockruntime.ConverseInput, prompt int, start time.Time) *bedrockruntime.ConverseOutput {
	out := *answer
	content := contentOf(&out)
	if out.Output == nil {
		out.Output = Text("").Output
	}
	if out.StopReason == "" {
		out.StopReason = types.StopReasonEndTurn
		for _, block := range content {
			if _, ok := block.(*types.ContentBlockMemberToolUse); ok {
				out.StopReason = types.StopReasonToolUse
			}
		}
	}
	if out.Usage == nil {
		out.Usage = usage(prompt, contentTokens(content))
	}
	if out.Metrics == nil || out.Metrics.LatencyMs == nil {
		out.Metrics = &types.ConverseMetrics{LatencyMs: aws.Int64(milliseconds(start))}
	}
	if out.PerformanceConfig == nil {
		out.PerformanceConfig = in.PerformanceConfig
	}
	if out.ServiceTier == nil {
		out.ServiceTier = in.ServiceTier
	}
	return &out
}

// quote is the default answer.
func quote(in *bedrockruntime.ConverseInput) *bedrockruntime.ConverseOutput {
	if use := chosenTool(in); use != nil {
		return use
	}
	const quoted = 12
	words := strings.Fields(lastUserText(in.Messages))
	said := strings.Join(words[:min(len(words), quoted)], " ")
	if len(words) > quoted {
		said += " …"
	}
	return Text(`You said: "` + said + `". This answer comes from a test server; no model was asked.`)
}

// lastUserText is the text of the last message of a user that has any.
func lastUserText(messages []types.Message) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role != types.ConversationRoleUser {
			continue
		}
		var parts []string
		for _, text := range messageTexts(messages[i].Content) {
			parts = append(parts, *text)
		}
		if len(parts) > 0 {
			return strings.Join(parts, " ")
		}
	}
	return ""
}

// firstWords cuts text after n words, and reports whether it had more.
func firstWords(text string, n int) (string, bool) {
	pieces := split(text, 1)
	if len(pieces) <= n {
		return text, false
	}
	return strings.TrimRightFunc(strings.Join(pieces[:max(n, 0)], ""), unicode.IsSpace), true
}

// split cuts text into pieces of n words, each with the space that follows it.
// The pieces joined are the text.
func split(text string, n int) []string {
	var pieces []string
	start, words, space := 0, 0, false
	for i, c := range text {
		if unicode.IsSpace(c) {
			space = true
			continue
		}
		if space {
			space = false
			if words++; words == n {
				pieces = append(pieces, text[start:i])
				start, words = i, 0
			}
		}
	}
	if start < len(text) {
		pieces = append(pieces, text[start:])
	}
	return pieces
}

func tokens(text string) int { return len(strings.Fields(text)) }

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

func milliseconds(start time.Time) int64 { return max(1, time.Since(start).Milliseconds()) }

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
