package bedrocktest

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/guardrail"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/rules"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/testmodel"
)

func (s *chats) invokeModel(w *responder, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.InvokeModelInput)
	done, err := s.invoke(in, false)
	if err != nil {
		return err
	}
	body, err := done.body()
	if err != nil {
		return err
	}
	done.countHeaders(w.Header())
	w.Header().Set("X-Amzn-Bedrock-Invocation-Latency", strconv.FormatInt(*done.out.Metrics.LatencyMs, 10))
	return w.respond(&bedrockruntime.InvokeModelOutput{
		Body:                     body,
		ContentType:              aws.String("application/json"),
		PerformanceConfigLatency: in.PerformanceConfigLatency,
		ServiceTier:              done.tier(),
	})
}

// invoke translates the request into a Converse and runs it.
func (s *chats) invoke(in *bedrockruntime.InvokeModelInput, streamed bool) (*invocation, error) {
	guarded := in.GuardrailIdentifier != nil || in.GuardrailVersion != nil
	if guarded && !rules.IsJSON(in.ContentType) {
		return nil, wire.Invalid("The content type must be application/json when a guardrail is used.")
	}
	guard, err := guardrail.ReadConfig(in.Body)
	if err != nil {
		return nil, err
	}
	if guard != nil && !guarded {
		return nil, wire.Invalid("The request body has amazon-bedrock-guardrailConfig, and the request no guardrail identifier.")
	}
	own := s.model.Invoker()
	x := &invocation{in: in, async: guard != nil && strings.EqualFold(guard.StreamProcessingMode, "ASYNCHRONOUS")}
	converse := &bedrockruntime.ConverseInput{ModelId: in.ModelId}
	readErr := s.read(x, converse, streamed)
	if readErr != nil {
		if own == nil {
			return nil, readErr
		}
		// Only ReplyInvoke understands this body.
		x.family, converse = nil, testmodel.AnyPrompt(in)
	}
	if guarded {
		converse.GuardrailConfig = &types.GuardrailConfiguration{
			GuardrailIdentifier: in.GuardrailIdentifier,
			GuardrailVersion:    in.GuardrailVersion,
			// InvokeModel has the same names in capitals.
			Trace: types.GuardrailTrace(strings.ToLower(string(in.Trace))),
		}
	}
	if in.PerformanceConfigLatency != "" {
		converse.PerformanceConfig = &types.PerformanceConfiguration{Latency: in.PerformanceConfigLatency}
	}
	if in.ServiceTier != "" {
		converse.ServiceTier = &types.ServiceTier{Type: in.ServiceTier}
	}
	how := scope{invoke: true, tags: guard.Mark(converse)}
	how.ask = func(in *bedrockruntime.ConverseInput, start time.Time) (*bedrockruntime.ConverseOutput, string, error) {
		if own != nil {
			answer, raw, err := testmodel.AskInvoke(own, x.in, in, start)
			if err != nil || raw != nil {
				x.raw = raw
				return answer, "", err
			}
		}
		switch {
		case readErr != nil:
			return nil, "", readErr
		case x.family.Wordless:
			return testmodel.Complete(&bedrockruntime.ConverseOutput{Usage: conversation.Usage(conversation.PromptTokens(in.System, in.Messages), 0)}, in, 0, start), "", nil
		}
		return s.model.Ask(in, start)
	}
	if x.exchange, err = s.exchange(converse, how); err != nil {
		return nil, err
	}
	// The message of a guardrail that blocks the prompt has a place only in the form
	// of a family with messages.
	if x.promptBlocked() && (x.family == nil || x.family.Wordless) {
		x.raw = []byte("{}")
	}
	return x, nil
}

// read translates the body from the form of the model's family.
func (s *chats) read(x *invocation, converse *bedrockruntime.ConverseInput, streamed bool) error {
	var err error
	if x.family, err = s.profiles.Find(aws.ToString(x.in.ModelId), x.in.Body); err != nil {
		return err
	}
	if streamed && x.family.Chunks == nil {
		return wire.Invalid("The model is unsupported for streaming.")
	}
	x.state, err = x.family.Read(x.in.Body, converse)
	mergeTurns(converse)
	return err
}

// mergeTurns joins consecutive messages of one role. Some families have several
// messages where a Converse has one.
func mergeTurns(in *bedrockruntime.ConverseInput) {
	var merged []types.Message
	for _, m := range in.Messages {
		if n := len(merged); n > 0 && merged[n-1].Role == m.Role && len(m.Content) > 0 && len(merged[n-1].Content) > 0 {
			merged[n-1].Content = append(merged[n-1].Content, m.Content...)
			continue
		}
		merged = append(merged, m)
	}
	in.Messages = merged
}
