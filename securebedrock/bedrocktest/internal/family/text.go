package family

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
)

// textForm describes a family whose prompt is one text and whose answer is one text.
type textForm struct {
	prompt    string // the key of the prompt
	maxTokens string // the key of the maximum; maxTokens and stop may stand inside config
	stop      string
	config    string // the key of the object with the settings; empty: the body itself
	answer    func(x *Answer, prompt, text string) map[string]any
	// chunk returns the chunk for a piece of the answer. The last piece has no text.
	// nil: the family does not stream.
	chunk func(x *Answer, piece textPiece) map[string]any
}

type textPiece struct {
	text        string
	words       int // counted up to and including this piece
	first, last bool
}

func (f *textForm) family() *Form {
	out := &Form{Read: f.read, Answer: func(x *Answer, r Reading) (map[string]any, error) {
		text, err := wordsOnly(x, conversation.Content(x.Out))
		if err != nil {
			return nil, err
		}
		prompt, _ := r.(string)
		return f.answer(x, prompt, text), nil
	}}
	if f.chunk != nil {
		out.Chunks = f.chunks
	}
	return out
}

func (f *textForm) read(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
	keys := keysOf(body)
	if keys[f.prompt] == nil {
		return nil, wire.MissingKey(f.prompt)
	}
	var prompt string
	if json.Unmarshal(keys[f.prompt], &prompt) != nil {
		return nil, wire.MalformedBody("")
	}
	addMessage(in, types.ConversationRoleUser, textBlock(prompt))
	from := keys
	if f.config != "" {
		from = keysOf(keys[f.config])
	}
	var c inferenceSettings
	var stop oneOrMore
	for key, into := range map[string]any{f.maxTokens: &c.maxTokens, f.stop: &stop, "temperature": &c.temperature} {
		if from[key] != nil && json.Unmarshal(from[key], into) != nil {
			return nil, wire.MalformedBody("")
		}
	}
	for _, key := range []string{"top_p", "topP", "p"} {
		if from[key] != nil && json.Unmarshal(from[key], &c.topP) != nil {
			return nil, wire.MalformedBody("")
		}
	}
	c.stop = stop
	c.into(in)
	return prompt, nil
}

func (f *textForm) chunks(x *Answer, _ Reading, content []types.ContentBlock) ([]map[string]any, error) {
	text, err := wordsOnly(x, content)
	if err != nil {
		return nil, err
	}
	var chunks []map[string]any
	words := 0
	for i, piece := range conversation.Split(text, conversation.WordsPerDelta) {
		words += conversation.Tokens(piece)
		chunks = append(chunks, f.chunk(x, textPiece{text: piece, words: words, first: i == 0}))
	}
	return append(chunks, f.chunk(x, textPiece{last: true, first: len(chunks) == 0})), nil
}

// lastly returns v for the last chunk, and null for the others.
func (p textPiece) lastly(v any) any {
	if p.last {
		return v
	}
	return nil
}

// stopWord returns the stop reason in a family's words.
func (x *Answer) stopWord(end, length, filtered string) string {
	switch x.Out.StopReason {
	case types.StopReasonMaxTokens:
		return length
	case types.StopReasonGuardrailIntervened, types.StopReasonContentFiltered:
		return filtered
	}
	return end
}

// titanText is the form of model-parameters-titan-text.
func titanText() *Form {
	stop := func(x *Answer) string {
		if x.Out.StopReason == types.StopReasonStopSequence {
			return "STOP_CRITERIA_MET"
		}
		return x.stopWord("FINISH", "LENGTH", "CONTENT_FILTERED")
	}
	f := textForm{
		prompt: "inputText", config: "textGenerationConfig", maxTokens: "maxTokenCount", stop: "stopSequences",
		answer: func(x *Answer, _, text string) map[string]any {
			return map[string]any{"inputTextTokenCount": x.Out.Usage.InputTokens, "results": []any{map[string]any{
				"tokenCount": x.Out.Usage.OutputTokens, "outputText": text, "completionReason": stop(x),
			}}}
		},
		chunk: func(x *Answer, p textPiece) map[string]any {
			m := map[string]any{
				"outputText": p.text, "index": 0, "completionReason": p.lastly(stop(x)), "totalOutputTextTokenCount": p.lastly(x.Out.Usage.OutputTokens),
				"inputTextTokenCount": x.Out.Usage.InputTokens,
			}
			if p.last {
				m["inputTextTokenCount"] = nil
			}
			return m
		},
	}
	return f.family()
}

// claudeText is the form of the completions of Claude 2 and Instant
// (model-parameters-anthropic-claude-text-completion).
func claudeText() *Form {
	stop := func(x *Answer) string { return x.stopWord("stop_sequence", "max_tokens", "stop_sequence") }
	f := textForm{
		prompt: "prompt", maxTokens: "max_tokens_to_sample", stop: "stop_sequences",
		answer: func(x *Answer, _, text string) map[string]any {
			return map[string]any{"type": "completion", "completion": text, "stop_reason": stop(x), "stop": "\n\nHuman:"}
		},
		chunk: func(x *Answer, p textPiece) map[string]any {
			return map[string]any{"type": "completion", "completion": p.text, "stop_reason": p.lastly(stop(x)), "stop": p.lastly("\n\nHuman:")}
		},
	}
	return f.family()
}

// llama is the form of model-parameters-meta.
func llama() *Form {
	stop := func(x *Answer) string { return x.stopWord("stop", "length", "stop") }
	f := textForm{
		prompt: "prompt", maxTokens: "max_gen_len", stop: "",
		answer: func(x *Answer, _, text string) map[string]any {
			return map[string]any{
				"generation": text, "prompt_token_count": x.Out.Usage.InputTokens, "generation_token_count": x.Out.Usage.OutputTokens, "stop_reason": stop(x),
			}
		},
		chunk: func(x *Answer, p textPiece) map[string]any {
			m := map[string]any{"generation": p.text, "prompt_token_count": nil, "generation_token_count": p.words, "stop_reason": p.lastly(stop(x))}
			if p.first {
				m["prompt_token_count"] = x.Out.Usage.InputTokens
			}
			if p.last {
				m["generation_token_count"] = x.Out.Usage.OutputTokens
			}
			return m
		},
	}
	return f.family()
}

// mistralText is the form of model-parameters-mistral-text-completion.
func mistralText() *Form {
	stop := func(x *Answer) string { return x.stopWord("stop", "length", "stop") }
	outputs := func(text string, stop any) map[string]any {
		return map[string]any{"outputs": []any{map[string]any{"text": text, "stop_reason": stop}}}
	}
	f := textForm{
		prompt: "prompt", maxTokens: "max_tokens", stop: "stop",
		answer: func(x *Answer, _, text string) map[string]any { return outputs(text, stop(x)) },
		chunk:  func(x *Answer, p textPiece) map[string]any { return outputs(p.text, p.lastly(stop(x))) },
	}
	return f.family()
}

// deepSeekText is the form of the completions of DeepSeek-R1
// (model-parameters-deepseek).
func deepSeekText() *Form {
	stop := func(x *Answer) string { return x.stopWord("stop", "length", "stop") }
	choices := func(text string, stop any) map[string]any {
		return map[string]any{"choices": []any{map[string]any{"text": text, "stop_reason": stop}}}
	}
	f := textForm{
		prompt: "prompt", maxTokens: "max_tokens", stop: "stop",
		answer: func(x *Answer, _, text string) map[string]any { return choices(text, stop(x)) },
		chunk:  func(x *Answer, p textPiece) map[string]any { return choices(p.text, p.lastly(stop(x))) },
	}
	return f.family()
}

// jurassic is the form of model-parameters-jurassic2. These models do not stream.
func jurassic() *Form {
	list := func(n int32) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = map[string]any{}
		}
		return out
	}
	f := textForm{
		prompt: "prompt", maxTokens: "maxTokens", stop: "stopSequences",
		answer: func(x *Answer, prompt, text string) map[string]any {
			return map[string]any{
				"id":     1234,
				"prompt": map[string]any{"text": prompt, "tokens": list(aws.ToInt32(x.Out.Usage.InputTokens))},
				"completions": []any{map[string]any{
					"data":         map[string]any{"text": text, "tokens": list(aws.ToInt32(x.Out.Usage.OutputTokens))},
					"finishReason": map[string]any{"reason": x.stopWord("endoftext", "length", "endoftext")},
				}},
			}
		},
	}
	return f.family()
}

// cohereText is the form of model-parameters-cohere-command.
func cohereText() *Form {
	stop := func(x *Answer) string { return x.stopWord("COMPLETE", "MAX_TOKENS", "ERROR_TOXIC") }
	f := textForm{
		prompt: "prompt", maxTokens: "max_tokens", stop: "stop_sequences",
		answer: func(x *Answer, prompt, text string) map[string]any {
			return map[string]any{"id": ids.New(), "prompt": prompt, "generations": []any{
				map[string]any{"id": ids.New(), "text": text, "finish_reason": stop(x)},
			}}
		},
		chunk: func(x *Answer, p textPiece) map[string]any {
			if p.last {
				return map[string]any{"is_finished": true, "finish_reason": stop(x)}
			}
			return map[string]any{"text": p.text, "is_finished": false}
		},
	}
	return f.family()
}

// pegasus is the form of TwelveLabs' video understanding (model-parameters-pegasus).
func pegasus() *Form {
	stop := func(x *Answer) string { return x.stopWord("stop", "length", "stop") }
	f := textForm{
		prompt: "inputPrompt", maxTokens: "maxOutputTokens", stop: "",
		answer: func(x *Answer, _, text string) map[string]any {
			return map[string]any{"message": text, "finishReason": stop(x)}
		},
		chunk: func(x *Answer, p textPiece) map[string]any {
			return map[string]any{"message": p.text, "finishReason": p.lastly(stop(x))}
		},
	}
	return f.family()
}
