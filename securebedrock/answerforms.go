package securebedrock

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/securebedrock/securebedrock-go/internal/eventframe"
)

// invokeBody holds what an InvokeModel body, or a stream's chunk, reports beside the
// answer: Bedrock's own keys, and those of each family of models. The pages
// model-parameters-* of the Bedrock User Guide describe the families' forms.
type invokeBody struct {
	GuardrailAction answerWord `json:"amazon-bedrock-guardrailAction"`
	Trace           *struct {
		Guardrail *struct {
			Input   json.RawMessage   `json:"input"`
			Outputs []json.RawMessage `json:"outputs"`
		} `json:"guardrail"`
	} `json:"amazon-bedrock-trace"`
	Metrics *struct {
		Input      answerCount `json:"inputTokenCount"`
		Output     answerCount `json:"outputTokenCount"`
		CacheRead  answerCount `json:"cacheReadInputTokenCount"`
		CacheWrite answerCount `json:"cacheWriteInputTokenCount"`
	} `json:"amazon-bedrock-invocationMetrics"`

	modelAnswer
	Message *modelAnswer `json:"message"` // Anthropic, message_start
	Delta   *struct {
		StopReason answerWord `json:"stop_reason"`
	} `json:"delta"` // Anthropic, message_delta
	MessageStop *struct {
		StopReason answerWord `json:"stopReason"`
	} `json:"messageStop"` // Nova, streamed
	Metadata *struct {
		Usage *modelUsage `json:"usage"`
	} `json:"metadata"` // Nova, streamed
	Response *modelAnswer `json:"response"` // Cohere, stream-end
	Event    *struct {
		Usage *struct {
			Input  answerCount `json:"totalInputTokens"`
			Output answerCount `json:"totalOutputTokens"`
		} `json:"usageEvent"`
		End *struct {
			StopReason answerWord `json:"stopReason"`
		} `json:"completionEnd"`
	} `json:"event"` // Nova Sonic
}

// modelAnswer has the keys with which a family describes an answer as a whole.
type modelAnswer struct {
	StopReason       answerWord  `json:"stop_reason"` // Anthropic, Llama
	StopReasonNova   answerWord  `json:"stopReason"`
	FinishReason     answerWord  `json:"finish_reason"` // Cohere
	FinishReasonCase answerWord  `json:"finishReason"`  // TwelveLabs
	CompletionReason answerWord  `json:"completionReason"`
	Usage            *modelUsage `json:"usage"`

	PromptTokens     answerCount `json:"prompt_token_count"` // Llama
	GenerationTokens answerCount `json:"generation_token_count"`

	InputTextTokens  answerCount `json:"inputTextTokenCount"` // Titan, its embeddings too
	OutputTextTokens answerCount `json:"totalOutputTextTokenCount"`
	Results          []struct {
		Tokens           answerCount `json:"tokenCount"`
		CompletionReason answerWord  `json:"completionReason"`
	} `json:"results"`

	TokenCount *struct {
		Input  answerCount `json:"prompt_tokens"`
		Output answerCount `json:"response_tokens"`
	} `json:"token_count"` // Cohere
	Meta *struct {
		Billed *modelUsage `json:"billed_units"`
		Tokens *modelUsage `json:"tokens"`
	} `json:"meta"` // Cohere

	Choices     []answerChoice `json:"choices"` // OpenAI's form: gpt-oss, Qwen, DeepSeek, AI21, Mistral, Writer, …
	Outputs     []answerChoice `json:"outputs"` // Mistral
	Generations []answerChoice `json:"generations"`
	Completions []struct {
		Data struct {
			Tokens []skippedElement `json:"tokens"`
		} `json:"data"`
		Finish struct {
			Reason answerWord `json:"reason"`
		} `json:"finishReason"`
	} `json:"completions"` // AI21 Jurassic
	Prompt *struct {
		Tokens []skippedElement `json:"tokens"`
	} `json:"prompt"`
}

type answerChoice struct {
	FinishReason answerWord `json:"finish_reason"`
	StopReason   answerWord `json:"stop_reason"`
}

// skippedElement is an element of a list. Only the list's length counts.
type skippedElement struct{}

// UnmarshalJSON accepts anything.
func (*skippedElement) UnmarshalJSON([]byte) error { return nil }

// modelUsage has the keys with which families report counts. In OpenAI's form the
// prompt's tokens include those read from the cache.
type modelUsage struct {
	Input         answerCount `json:"input_tokens"` // Anthropic
	Output        answerCount `json:"output_tokens"`
	CacheRead     answerCount `json:"cache_read_input_tokens"`
	CacheWrite    answerCount `json:"cache_creation_input_tokens"`
	CacheCreation *struct {
		FiveMinutes answerCount `json:"ephemeral_5m_input_tokens"`
		OneHour     answerCount `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`

	InputNova           answerCount `json:"inputTokens"` // Nova, and what has Converse's form
	OutputNova          answerCount `json:"outputTokens"`
	CacheReadNova       answerCount `json:"cacheReadInputTokenCount"`
	CacheWriteNova      answerCount `json:"cacheWriteInputTokenCount"`
	CacheReadConverse   answerCount `json:"cacheReadInputTokens"`
	CacheWriteConverse  answerCount `json:"cacheWriteInputTokens"`
	CacheDetailConverse []struct {
		Tokens answerCount `json:"inputTokens"`
		TTL    answerWord  `json:"ttl"`
	} `json:"cacheDetails"`

	Prompt        answerCount   `json:"prompt_tokens"` // OpenAI
	Completion    answerCount   `json:"completion_tokens"`
	PromptDetails *cachedTokens `json:"prompt_tokens_details"`
	InputDetails  *cachedTokens `json:"input_tokens_details"`
}

type cachedTokens struct {
	Cached answerCount `json:"cached_tokens"`
}

// parseInvoke reads the keys that it knows. A key of an unexpected type hides no other
// key.
func parseInvoke(body []byte) (b invokeBody, ok bool) {
	err := json.Unmarshal(body, &b)
	var other *json.UnmarshalTypeError
	return b, err == nil || errors.As(err, &other)
}

// into records the model's stop reason, the counts and the guardrail's action.
func (b *invokeBody) into(o *Outcome, t *tally) {
	if reason := b.stop(); reason != "" {
		o.StopReason = reason
	}
	if m := b.Metrics; m != nil {
		t.bedrock.see(&t.bedrock.input, m.Input)
		t.bedrock.see(&t.bedrock.output, m.Output)
		t.bedrock.see(&t.bedrock.read, m.CacheRead)
		t.bedrock.see(&t.bedrock.write, m.CacheWrite)
	}
	t.model.answer(&b.modelAnswer)
	if b.Message != nil {
		t.model.answer(b.Message)
	}
	if b.Response != nil {
		t.model.answer(b.Response)
	}
	if b.Metadata != nil {
		t.model.usage(b.Metadata.Usage)
	}
	if b.Event != nil && b.Event.Usage != nil {
		t.model.see(&t.model.input, b.Event.Usage.Input)
		t.model.see(&t.model.output, b.Event.Usage.Output)
	}
	if b.GuardrailAction == "INTERVENED" {
		o.Guardrail.Intervened = true
	}
}

// assessments returns the raw assessments of the guardrail's trace in the body.
func (b *invokeBody) assessments() []json.RawMessage {
	if b.Trace == nil || b.Trace.Guardrail == nil {
		return nil
	}
	return append([]json.RawMessage{b.Trace.Guardrail.Input}, b.Trace.Guardrail.Outputs...)
}

// chunkBody returns the content of a chunk of InvokeModelWithResponseStream; nil where
// there is none. The payload of a chunk is {"bytes":"…"}, the model's own JSON in
// base64.
func chunkBody(frame []byte) []byte {
	payload := eventframe.Payload(frame)
	const key = `"bytes":"`
	i := bytes.Index(payload, []byte(key))
	if i < 0 {
		return nil
	}
	text := payload[i+len(key):]
	j := bytes.IndexByte(text, '"')
	if j < 0 {
		return nil
	}
	body, err := base64.StdEncoding.AppendDecode(nil, text[:j])
	if err != nil {
		return nil
	}
	return body
}

// stop returns the model's stop reason, whatever the key's name.
func (b *invokeBody) stop() string {
	reason := b.modelAnswer.stop()
	if reason == "" && b.Delta != nil {
		reason = b.Delta.StopReason
	}
	if reason == "" && b.MessageStop != nil {
		reason = b.MessageStop.StopReason
	}
	if reason == "" && b.Message != nil {
		reason = b.Message.stop()
	}
	if reason == "" && b.Response != nil {
		reason = b.Response.stop()
	}
	if reason == "" && b.Event != nil && b.Event.End != nil {
		reason = b.Event.End.StopReason
	}
	return string(reason)
}

func (a *modelAnswer) stop() answerWord {
	for _, reason := range [...]answerWord{a.StopReason, a.StopReasonNova, a.FinishReason, a.FinishReasonCase, a.CompletionReason} {
		if reason != "" {
			return reason
		}
	}
	for _, list := range [...][]answerChoice{a.Choices, a.Outputs, a.Generations} {
		for _, c := range list {
			if c.FinishReason != "" {
				return c.FinishReason
			}
			if c.StopReason != "" {
				return c.StopReason
			}
		}
	}
	for _, r := range a.Results {
		if r.CompletionReason != "" {
			return r.CompletionReason
		}
	}
	for _, c := range a.Completions {
		if c.Finish.Reason != "" {
			return c.Finish.Reason
		}
	}
	return ""
}

func (c *tokenCounts) answer(a *modelAnswer) {
	c.usage(a.Usage)
	c.see(&c.input, a.PromptTokens)
	c.see(&c.output, a.GenerationTokens)
	c.see(&c.input, a.InputTextTokens)
	c.see(&c.output, a.OutputTextTokens)
	var sum answerCount
	for _, r := range a.Results {
		sum = answerCount{min(sum.n+r.Tokens.n, maxCount), sum.told || r.Tokens.told}
	}
	c.see(&c.output, sum)
	if a.TokenCount != nil {
		c.see(&c.input, a.TokenCount.Input)
		c.see(&c.output, a.TokenCount.Output)
	}
	if a.Meta != nil {
		c.usage(a.Meta.Billed)
		c.usage(a.Meta.Tokens)
	}
	if a.Prompt != nil {
		c.see(&c.input, elementsIn(a.Prompt.Tokens))
	}
	var words answerCount
	for i := range a.Completions {
		n := elementsIn(a.Completions[i].Data.Tokens)
		words = answerCount{words.n + n.n, words.told || n.told}
	}
	c.see(&c.output, words)
}

func elementsIn(list []skippedElement) answerCount {
	return answerCount{int64(len(list)), len(list) > 0}
}

func (c *tokenCounts) usage(u *modelUsage) {
	if u == nil {
		return
	}
	input, cached := u.Input, u.CacheRead
	for _, details := range [...]*cachedTokens{u.PromptDetails, u.InputDetails} {
		if details == nil || !details.Cached.told {
			continue
		}
		all := u.Prompt
		if !all.told {
			all = u.Input
		}
		c.prompt = max(c.prompt, all.n)
		input, cached = answerCount{max(all.n-details.Cached.n, 0), all.told}, details.Cached
		u.Prompt = answerCount{}
	}
	for _, n := range [...]answerCount{input, u.InputNova, u.Prompt} {
		c.see(&c.input, n)
	}
	for _, n := range [...]answerCount{u.Output, u.OutputNova, u.Completion} {
		c.see(&c.output, n)
	}
	for _, n := range [...]answerCount{cached, u.CacheReadNova, u.CacheReadConverse} {
		c.see(&c.read, n)
	}
	for _, n := range [...]answerCount{u.CacheWrite, u.CacheWriteNova, u.CacheWriteConverse} {
		c.see(&c.write, n)
	}
	if ttl := u.CacheCreation; ttl != nil {
		c.see(&c.write5m, ttl.FiveMinutes)
		c.see(&c.write1h, ttl.OneHour)
	}
	var short, long answerCount
	for _, d := range u.CacheDetailConverse {
		sum := &long
		if d.TTL == "5m" {
			sum = &short
		}
		*sum = answerCount{min(sum.n+d.Tokens.n, maxCount), sum.told || d.Tokens.told}
	}
	c.see(&c.write5m, short)
	c.see(&c.write1h, long)
}
