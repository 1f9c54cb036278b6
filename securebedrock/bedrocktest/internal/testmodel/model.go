// Package testmodel is the model behind the server: it asks the test's Reply or
// answers by itself, and completes the answer.
package testmodel

import (
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/misuse"
)

// Model answers prompts, with the test's functions or by itself. The zero value is
// ready to use.
type Model struct {
	mu     sync.Mutex
	reply  func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error)
	invoke func(model string, body []byte) ([]byte, error)
}

// SetReply puts reply in the model's place; nil restores the model.
func (m *Model) SetReply(reply func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reply = reply
}

// SetInvoker puts reply in the model's place for InvokeModel; nil restores the model.
func (m *Model) SetInvoker(reply func(model string, body []byte) ([]byte, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.invoke = reply
}

// Invoker returns the function that SetInvoker set.
func (m *Model) Invoker() func(model string, body []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.invoke
}

// Ask returns the model's answer, complete, and the stop sequence that ended it.
func (m *Model) Ask(in *bedrockruntime.ConverseInput, start time.Time) (*bedrockruntime.ConverseOutput, string, error) {
	m.mu.Lock()
	reply := m.reply
	m.mu.Unlock()

	// The request is copied, and the prompt counted, before reply may change either.
	request := &bedrockruntime.ConverseInput{InferenceConfig: in.InferenceConfig, AdditionalModelResponseFieldPaths: in.AdditionalModelResponseFieldPaths}
	prompt := conversation.PromptTokens(in.System, in.Messages)
	var answer *bedrockruntime.ConverseOutput
	if reply != nil {
		var err error
		if answer, err = misuse.Call("Reply", func() (*bedrockruntime.ConverseOutput, error) { return reply(in) }); err != nil {
			return nil, "", err
		}
		if answer != nil {
			if answer, err = checkReply(answer); err != nil {
				return nil, "", err
			}
		}
	}
	if answer == nil {
		answer = Quote(in)
	}
	answer, stop := heed(request, answer)
	out := Complete(answer, in, prompt, start)
	addStopSequence(request, out, stop)
	return out, stop, nil
}

// Complete fills in what an answer leaves out.
func Complete(answer *bedrockruntime.ConverseOutput, in *bedrockruntime.ConverseInput, prompt int, start time.Time) *bedrockruntime.ConverseOutput {
	out := *answer
	content := conversation.Content(&out)
	if out.Output == nil {
		out.Output = conversation.TextAnswer("").Output
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
		out.Usage = conversation.Usage(prompt, conversation.ContentTokens(content))
	}
	if out.Metrics == nil || out.Metrics.LatencyMs == nil {
		out.Metrics = &types.ConverseMetrics{LatencyMs: aws.Int64(Milliseconds(start))}
	}
	if out.PerformanceConfig == nil {
		out.PerformanceConfig = in.PerformanceConfig
	}
	if out.ServiceTier == nil {
		out.ServiceTier = in.ServiceTier
	}
	return &out
}

// Quote returns the default answer.
func Quote(in *bedrockruntime.ConverseInput) *bedrockruntime.ConverseOutput {
	if use := chosenTool(in); use != nil {
		return use
	}
	const quoted = 12
	words := strings.Fields(lastUserText(in.Messages))
	said := strings.Join(words[:min(len(words), quoted)], " ")
	if len(words) > quoted {
		said += " …"
	}
	return conversation.TextAnswer(`You said: "` + said + `". This answer comes from a test server; no model was asked.`)
}

// lastUserText returns the text of the user's last message with any.
func lastUserText(messages []types.Message) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role != types.ConversationRoleUser {
			continue
		}
		var parts []string
		for _, text := range conversation.Texts(messages[i].Content) {
			parts = append(parts, *text)
		}
		if len(parts) > 0 {
			return strings.Join(parts, " ")
		}
	}
	return ""
}

// Milliseconds returns the time since start, and at least 1.
func Milliseconds(start time.Time) int64 { return max(1, time.Since(start).Milliseconds()) }
