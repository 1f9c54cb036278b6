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
// InvokeModel and InvokeModelWithResponseStream; nil restores the default.
//
// It is called once per request that reaches the model, by many goroutines at
// once, with an input that it owns and in which a guardrail's masks have been
// applied. What the request was before that is in Calls. A body of InvokeModel
// arrives translated: messages, system prompt and maximum of tokens.
//
// What the output leaves out is filled in: the stop reason, the usage, the
// latency. An output of nil is the default answer. Without a stop reason of its
// own an answer ends where the request's stop sequences and maximum of tokens
// end it. An error of the SDK's types
// (such as *types.ThrottlingException) is sent as what it is, any other as
// ModelErrorException.
func (s *Server) Reply(reply func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = reply
}

// Text is an answer of one text block, for Reply.
func Text(text string) *bedrockruntime.ConverseOutput {
	return &bedrockruntime.ConverseOutput{
		Output: &types.ConverseOutputMemberMessage{Value: types.Message{
			Role:    types.ConversationRoleAssistant,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}},
		}},
	}
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
		if answer, err = reply(in); err != nil {
			return nil, "", err
		}
	}
	if answer == nil {
		answer = quote(in)
	}
	answer, stop := heed(request, answer)
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
	if out.Metrics == nil {
		out.Metrics = &types.ConverseMetrics{LatencyMs: aws.Int64(milliseconds(start))}
	}
	if out.PerformanceConfig == nil {
		out.PerformanceConfig = in.PerformanceConfig
	}
	if out.ServiceTier == nil {
		out.ServiceTier = in.ServiceTier
	}
	addStopSequence(request, &out, stop)
	return &out, stop, nil
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
		for _, text := range messageTexts(messages[i].Content, textAny) {
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
	for _, text := range systemTexts(system, textAny) {
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
		texts := messageTexts([]types.ContentBlock{block}, textAny)
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

// Which texts of a prompt are meant.
type textKind int

const (
	textAny     textKind = iota // text and guardContent blocks
	textGuarded                 // guardContent blocks alone
)

// messageTexts are pointers into content, so that a guardrail can mask there.
func messageTexts(content []types.ContentBlock, kind textKind) []*string {
	var texts []*string
	for _, block := range content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			if kind == textAny {
				texts = append(texts, &b.Value)
			}
		case *types.ContentBlockMemberGuardContent:
			texts = append(texts, guardedText(b.Value)...)
		}
	}
	return texts
}

func systemTexts(system []types.SystemContentBlock, kind textKind) []*string {
	var texts []*string
	for _, block := range system {
		switch b := block.(type) {
		case *types.SystemContentBlockMemberText:
			if kind == textAny {
				texts = append(texts, &b.Value)
			}
		case *types.SystemContentBlockMemberGuardContent:
			texts = append(texts, guardedText(b.Value)...)
		}
	}
	return texts
}

func guardedText(block types.GuardrailConverseContentBlock) []*string {
	if b, ok := block.(*types.GuardrailConverseContentBlockMemberText); ok && b.Value.Text != nil {
		return []*string{b.Value.Text}
	}
	return nil
}
