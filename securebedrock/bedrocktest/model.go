package bedrocktest

import (
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// model answers prompts: with the test's own functions, or by itself. The zero model
// is ready to use.
type model struct {
	mu     sync.Mutex
	reply  func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error)
	invoke func(model string, body []byte) ([]byte, error)
}

// setReply puts reply in the model's place; nil restores the model.
func (m *model) setReply(reply func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reply = reply
}

// setInvoker puts reply in the model's place for InvokeModel; nil restores the model.
func (m *model) setInvoker(reply func(model string, body []byte) ([]byte, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.invoke = reply
}

// invoker returns what setInvoker was given.
func (m *model) invoker() func(model string, body []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.invoke
}

// ask gets the model's answer, complete, and the stop sequence that ended it.
func (m *model) ask(in *bedrockruntime.ConverseInput, start time.Time) (*bedrockruntime.ConverseOutput, string, error) {
	m.mu.Lock()
	reply := m.reply
	m.mu.Unlock()

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
		out.Output = textAnswer("").Output
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
	return textAnswer(`You said: "` + said + `". This answer comes from a test server; no model was asked.`)
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

func milliseconds(start time.Time) int64 { return max(1, time.Since(start).Milliseconds()) }
