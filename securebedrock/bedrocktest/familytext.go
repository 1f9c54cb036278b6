package bedrocktest

import (
	"encoding/json"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// textForm is the form of a family whose prompt is one text, and whose answer too.
type textForm struct {
	prompt    string // the key of the prompt
	maxTokens string // the key of the maximum; both may be inside config
	stop      string
	config    string // the key of an object that holds the settings; empty: the body
	answer    func(x *invocation, prompt, text string) map[string]any
	// chunk is a piece of the answer. The last one has no text. nil: no streams.
	chunk func(x *invocation, piece textPiece) map[string]any
}

type textPiece struct {
	text        string
	words       int // up to here
	first, last bool
}

func (f *textForm) family() *family {
	out := &family{read: f.read, answer: func(x *invocation, r reading) (map[string]any, error) {
		text, err := wordsOnly(x, contentOf(x.out))
		if err != nil {
			return nil, err
		}
		prompt, _ := r.(string)
		return f.answer(x, prompt, text), nil
	}}
	if f.chunk != nil {
		out.chunks = f.chunks
	}
	return out
}

func (f *textForm) read(body []byte, in *bedrockruntime.ConverseInput) (reading, error) {
	keys := keysOf(body)
	if keys[f.prompt] == nil {
		return nil, missingKey(f.prompt)
	}
	var prompt string
	if json.Unmarshal(keys[f.prompt], &prompt) != nil {
		return nil, malformedBody()
	}
	say(in, types.ConversationRoleUser, textBlock(prompt))
	from := keys
	if f.config != "" {
		from = keysOf(keys[f.config])
	}
	var c inferenceSettings
	var stop oneOrMore
	for key, into := range map[string]any{f.maxTokens: &c.maxTokens, f.stop: &stop, "temperature": &c.temperature} {
		if from[key] != nil && json.Unmarshal(from[key], into) != nil {
			return nil, malformedBody()
		}
	}
	for _, key := range []string{"top_p", "topP", "p"} {
		if from[key] != nil && json.Unmarshal(from[key], &c.topP) != nil {
			return nil, malformedBody()
		}
	}
	c.stop = stop
	c.into(in)
	return prompt, nil
}

func (f *textForm) chunks(x *invocation, _ reading, content []types.ContentBlock) ([]map[string]any, error) {
	text, err := wordsOnly(x, content)
	if err != nil {
		return nil, err
	}
	var chunks []map[string]any
	words := 0
	for i, piece := range split(text, wordsPerDelta) {
		words += tokens(piece)
		chunks = append(chunks, f.chunk(x, textPiece{text: piece, words: words, first: i == 0}))
	}
	return append(chunks, f.chunk(x, textPiece{last: true, first: len(chunks) == 0})), nil
}

// lastly is a value of the last chunk, and null in the others.
func (p textPiece) lastly(v any) any {
	if p.last {
		return v
	}
	return nil
}

// stopWord is the stop reason, in a family's words.
func (x *invocation) stopWord(end, length, filtered string) string {
	switch x.out.StopReason {
	case types.StopReasonMaxTokens:
		return length
	case types.StopReasonGuardrailIntervened, types.StopReasonContentFiltered:
		return filtered
	}
	return end
}

// titanText is model-parameters-titan-text.
func titanText() *family {
	stop := func(x *invocation) string {
		if x.out.StopReason == types.StopReasonStopSequence {
			return "STOP_CRITERIA_MET"
		}
		return x.stopWord("FINISH", "LENGTH", "CONTENT_FILTERED")
	}
	f := textForm{
		prompt: "inputText", config: "textGenerationConfig", maxTokens: "maxTokenCount", stop: "stopSequences",
		answer: func(x *invocation, _, text string) map[string]any {
			return map[string]any{"inputTextTokenCount": x.out.Usage.InputTokens, "results": []any{map[string]any{
				"tokenCount": x.out.Usage.OutputTokens, "outputText": text, "completionReason": stop(x),
			}}}
		},
		chunk: func(x *invocation, p textPiece) map[string]any {
			m := map[string]any{
				"outputText": p.text, "index": 0, "completionReason": p.lastly(stop(x)), "totalOutputTextTokenCount": p.lastly(x.out.Usage.OutputTokens),
				"inputTextTokenCount": x.out.Usage.InputTokens,
			}
			if p.last {
				m["inputTextTokenCount"] = nil
			}
			return m
		},
	}
	return f.family()
}

// claudeText is the completions of Claude 2 and Instant
// (model-parameters-anthropic-claude-text-completion).
func claudeText() *family {
	stop := func(x *invocation) string { return x.stopWord("stop_sequence", "max_tokens", "stop_sequence") }
	f := textForm{
		prompt: "prompt", maxTokens: "max_tokens_to_sample", stop: "stop_sequences",
		answer: func(x *invocation, _, text string) map[string]any {
			return map[string]any{"type": "completion", "completion": text, "stop_reason": stop(x), "stop": "\n\nHuman:"}
		},
		chunk: func(x *invocation, p textPiece) map[string]any {
			return map[string]any{"type": "completion", "completion": p.text, "stop_reason": p.lastly(stop(x)), "stop": p.lastly("\n\nHuman:")}
		},
	}
	return f.family()
}

// llama is model-parameters-meta.
func llama() *family {
	stop := func(x *invocation) string { return x.stopWord("stop", "length", "stop") }
	f := textForm{
		prompt: "prompt", maxTokens: "max_gen_len", stop: "",
		answer: func(x *invocation, _, text string) map[string]any {
			return map[string]any{
				"generation": text, "prompt_token_count": x.out.Usage.InputTokens, "generation_token_count": x.out.Usage.OutputTokens, "stop_reason": stop(x),
			}
		},
		chunk: func(x *invocation, p textPiece) map[string]any {
			m := map[string]any{"generation": p.text, "prompt_token_count": nil, "generation_token_count": p.words, "stop_reason": p.lastly(stop(x))}
			if p.first {
				m["prompt_token_count"] = x.out.Usage.InputTokens
			}
			if p.last {
				m["generation_token_count"] = x.out.Usage.OutputTokens
			}
			return m
		},
	}
	return f.family()
}

// mistralText is model-parameters-mistral-text-completion.
func mistralText() *family {
	stop := func(x *invocation) string { return x.stopWord("stop", "length", "stop") }
	outputs := func(text string, stop any) map[string]any {
		return map[string]any{"outputs": []any{map[string]any{"text": text, "stop_reason": stop}}}
	}
	f := textForm{
		prompt: "prompt", maxTokens: "max_tokens", stop: "stop",
		answer: func(x *invocation, _, text string) map[string]any { return outputs(text, stop(x)) },
		chunk:  func(x *invocation, p textPiece) map[string]any { return outputs(p.text, p.lastly(stop(x))) },
	}
	return f.family()
}

// deepSeekText is the completions of DeepSeek-R1 (model-parameters-deepseek).
func deepSeekText() *family {
	stop := func(x *invocation) string { return x.stopWord("stop", "length", "stop") }
	choices := func(text string, stop any) map[string]any {
		return map[string]any{"choices": []any{map[string]any{"text": text, "stop_reason": stop}}}
	}
	f := textForm{
		prompt: "prompt", maxTokens: "max_tokens", stop: "stop",
		answer: func(x *invocation, _, text string) map[string]any { return choices(text, stop(x)) },
		chunk:  func(x *invocation, p textPiece) map[string]any { return choices(p.text, p.lastly(stop(x))) },
	}
	return f.family()
}

// jurassic is model-parameters-jurassic2; these models do not stream.
func jurassic() *family {
	list := func(n int32) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = map[string]any{}
		}
		return out
	}
	f := textForm{
		prompt: "prompt", maxTokens: "maxTokens", stop: "stopSequences",
		answer: func(x *invocation, prompt, text string) map[string]any {
			return map[string]any{
				"id":     1234,
				"prompt": map[string]any{"text": prompt, "tokens": list(aws.ToInt32(x.out.Usage.InputTokens))},
				"completions": []any{map[string]any{
					"data":         map[string]any{"text": text, "tokens": list(aws.ToInt32(x.out.Usage.OutputTokens))},
					"finishReason": map[string]any{"reason": x.stopWord("endoftext", "length", "endoftext")},
				}},
			}
		},
	}
	return f.family()
}

// cohereText is model-parameters-cohere-command.
func cohereText() *family {
	stop := func(x *invocation) string { return x.stopWord("COMPLETE", "MAX_TOKENS", "ERROR_TOXIC") }
	f := textForm{
		prompt: "prompt", maxTokens: "max_tokens", stop: "stop_sequences",
		answer: func(x *invocation, prompt, text string) map[string]any {
			return map[string]any{"id": newID(), "prompt": prompt, "generations": []any{
				map[string]any{"id": newID(), "text": text, "finish_reason": stop(x)},
			}}
		},
		chunk: func(x *invocation, p textPiece) map[string]any {
			if p.last {
				return map[string]any{"is_finished": true, "finish_reason": stop(x)}
			}
			return map[string]any{"text": p.text, "is_finished": false}
		},
	}
	return f.family()
}

// pegasus is TwelveLabs' video understanding (model-parameters-pegasus).
func pegasus() *family {
	stop := func(x *invocation) string { return x.stopWord("stop", "length", "stop") }
	f := textForm{
		prompt: "inputPrompt", maxTokens: "maxOutputTokens", stop: "",
		answer: func(x *invocation, _, text string) map[string]any {
			return map[string]any{"message": text, "finishReason": stop(x)}
		},
		chunk: func(x *invocation, p textPiece) map[string]any {
			return map[string]any{"message": p.text, "finishReason": p.lastly(stop(x))}
		},
	}
	return f.family()
}

// commandR is model-parameters-cohere-command-r-plus. Its tools have no IDs: a
// call's place in the conversation serves as one.
func commandR() *family {
	return &family{read: readCommandR, answer: answerCommandR, chunks: chunkCommandR}
}

type commandRCall struct {
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
}

type commandRRequest struct {
	Message     string `json:"message"`
	Preamble    string `json:"preamble"`
	ChatHistory []struct {
		Role    string `json:"role"`
		Message string `json:"message"`
	} `json:"chat_history"`
	MaxTokens   *int32   `json:"max_tokens"`
	Temperature *float32 `json:"temperature"`
	P           *float32 `json:"p"`
	Stop        []string `json:"stop_sequences"`
	Tools       []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Parameters  map[string]struct {
			Description string `json:"description,omitempty"`
			Type        string `json:"type"`
			Required    bool   `json:"required,omitempty"`
		} `json:"parameter_definitions"`
	} `json:"tools"`
	ToolResults []struct {
		Call    commandRCall      `json:"call"`
		Outputs []json.RawMessage `json:"outputs"`
	} `json:"tool_results"`
}

func readCommandR(body []byte, in *bedrockruntime.ConverseInput) (reading, error) {
	var b commandRRequest
	if err := readBody(body, &b, "message"); err != nil {
		return nil, err
	}
	inferenceSettings{b.MaxTokens, b.Temperature, b.P, b.Stop}.into(in)
	if b.Preamble != "" {
		in.System = append(in.System, &types.SystemContentBlockMemberText{Value: b.Preamble})
	}
	for _, turn := range b.ChatHistory {
		role := types.ConversationRoleUser
		switch turn.Role {
		case "CHATBOT":
			role = types.ConversationRoleAssistant
		case "SYSTEM":
			in.System = append(in.System, &types.SystemContentBlockMemberText{Value: turn.Message})
			continue
		}
		say(in, role, textBlock(turn.Message))
	}
	say(in, types.ConversationRoleUser, textBlock(b.Message))
	var calls, results []types.ContentBlock
	for i, r := range b.ToolResults {
		id := "call_" + strconv.Itoa(i)
		calls = append(calls, toolUse(id, r.Call.Name, r.Call.Parameters))
		var content []types.ToolResultContentBlock
		for _, output := range r.Outputs {
			content = append(content, &types.ToolResultContentBlockMemberJson{Value: rawDocument(output)})
		}
		results = append(results, toolResult(id, content, false))
	}
	if calls != nil {
		say(in, types.ConversationRoleAssistant, calls...)
		say(in, types.ConversationRoleUser, results...)
	}
	var tools []types.Tool
	for _, t := range b.Tools {
		properties, required := map[string]any{}, []string{}
		for name, p := range t.Parameters {
			properties[name] = map[string]any{"type": p.Type, "description": p.Description}
			if p.Required {
				required = append(required, name)
			}
		}
		schema, err := json.Marshal(map[string]any{"type": "object", "properties": properties, "required": required})
		if err != nil {
			return nil, err
		}
		tools = append(tools, toolSpec(t.Name, t.Description, schema))
	}
	addTools(in, tools, nil)
	return &b, nil
}

func (x *invocation) commandRStop() string {
	return x.stopWord("COMPLETE", "MAX_TOKENS", "ERROR_TOXIC")
}

func commandRParts(x *invocation, content []types.ContentBlock) (string, []map[string]any, error) {
	a, err := readAnswer(x, content)
	if err != nil {
		return "", nil, err
	}
	var calls []map[string]any
	for i, call := range a.calls {
		calls = append(calls, map[string]any{
			"name": call["function"].(map[string]any)["name"], "parameters": json.RawMessage(a.arguments[i]),
		})
	}
	return a.text, calls, nil
}

func commandRBody(x *invocation, r reading, text string, calls []map[string]any) map[string]any {
	history := []any{}
	if b, ok := r.(*commandRRequest); ok {
		for _, turn := range b.ChatHistory {
			history = append(history, map[string]any{"role": turn.Role, "message": turn.Message})
		}
		history = append(history, map[string]any{"role": "USER", "message": b.Message})
	}
	out := map[string]any{
		"response_id": newID(), "generation_id": newID(), "text": text, "finish_reason": x.commandRStop(),
		"chat_history": append(history, map[string]any{"role": "CHATBOT", "message": text}),
		"meta": map[string]any{
			"api_version":  map[string]any{"version": "1"},
			"billed_units": map[string]any{"input_tokens": x.out.Usage.InputTokens, "output_tokens": x.out.Usage.OutputTokens},
		},
	}
	if calls != nil {
		out["tool_calls"] = calls
	}
	return out
}

func answerCommandR(x *invocation, r reading) (map[string]any, error) {
	text, calls, err := commandRParts(x, contentOf(x.out))
	if err != nil {
		return nil, err
	}
	return commandRBody(x, r, text, calls), nil
}

func chunkCommandR(x *invocation, r reading, content []types.ContentBlock) ([]map[string]any, error) {
	text, calls, err := commandRParts(x, content)
	if err != nil {
		return nil, err
	}
	var chunks []map[string]any
	for _, piece := range split(text, wordsPerDelta) {
		chunks = append(chunks, map[string]any{"is_finished": false, "event_type": "text-generation", "text": piece})
	}
	if calls != nil {
		chunks = append(chunks, map[string]any{"is_finished": false, "event_type": "tool-calls-generation", "tool_calls": calls})
	}
	return append(chunks, map[string]any{
		"is_finished": true, "event_type": "stream-end", "finish_reason": x.commandRStop(), "response": commandRBody(x, r, text, calls),
	}), nil
}
