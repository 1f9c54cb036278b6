package bedrocktest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// ReplyInvoke puts reply in the model's place for InvokeModel and
// InvokeModelWithResponseStream, before Reply; nil restores Reply. reply gets the
// model as the client wrote it and the body as it was received, and returns the
// answer's body. A nil body leaves the call to Reply, so that one ReplyInvoke can
// answer for the models whose bodies this server does not know.
//
// A stream carries the body as one chunk; a JSON array is one chunk for each of its
// elements. The last chunk, if it is a JSON object, gains
// amazon-bedrock-invocationMetrics. The token counts of headers and metrics are
// those that the body states (under the names of the families that this server
// knows), and else its words.
//
// A guardrail evaluates the prompt before reply is called, and does not evaluate
// the body that reply returns: of a model whose body the server does not know, the
// prompt is every string of the body.
//
// reply is called by many goroutines at once. Its errors and panics are those of a
// Reply.
func (s *Server) ReplyInvoke(reply func(model string, body []byte) ([]byte, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replyInvoke = reply
}

// askInvoke asks ReplyInvoke. The answer stands for its body where the exchange
// wants one: it has the counts and no text.
func askInvoke(reply func(string, []byte) ([]byte, error), in *bedrockruntime.InvokeModelInput, prompt *bedrockruntime.ConverseInput, start time.Time) (*bedrockruntime.ConverseOutput, []byte, error) {
	raw, err := called("ReplyInvoke", func() ([]byte, error) { return reply(aws.ToString(in.ModelId), bytes.Clone(in.Body)) })
	if err != nil || raw == nil {
		return nil, nil, err
	}
	input, output := statedUsage(raw)
	if input < 0 {
		input = promptTokens(prompt.System, prompt.Messages)
	}
	if output < 0 {
		output = 0
		for _, text := range stringsOf(raw) {
			output += tokens(text)
		}
	}
	return complete(&bedrockruntime.ConverseOutput{Output: Content().Output, Usage: usage(input, output)}, prompt, 0, start), raw, nil
}

// anyPrompt is the prompt of a body whose form is not known: all its strings.
func anyPrompt(in *bedrockruntime.InvokeModelInput) *bedrockruntime.ConverseInput {
	var content []types.ContentBlock
	for _, text := range stringsOf(in.Body) {
		if strings.TrimSpace(text) != "" {
			content = append(content, &types.ContentBlockMemberText{Value: text})
		}
	}
	if content == nil {
		content = append(content, &types.ContentBlockMemberText{Value: "{}"})
	}
	return &bedrockruntime.ConverseInput{ModelId: in.ModelId, Messages: []types.Message{{Role: types.ConversationRoleUser, Content: content}}}
}

// stringsOf are the strings that JSON holds as values, in the order of the keys.
func stringsOf(raw []byte) []string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	var found []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			found = append(found, v)
		case []any:
			for _, element := range v {
				walk(element)
			}
		case map[string]any:
			var keys []string
			for key := range v {
				keys = append(keys, key)
			}
			slices.Sort(keys)
			for _, key := range keys {
				walk(v[key])
			}
		}
	}
	walk(v)
	return found
}

// statedUsage is what a body counts itself; -1 where it does not say.
func statedUsage(raw []byte) (input, output int) {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return -1, -1
	}
	input, output = -1, -1
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		if depth > 4 {
			return
		}
		switch v := v.(type) {
		case []any:
			for _, element := range v {
				walk(element, depth+1)
			}
		case map[string]any:
			for key, value := range v {
				n, isNumber := value.(float64)
				switch key {
				case "input_tokens", "inputTokens", "prompt_tokens", "prompt_token_count", "inputTextTokenCount", "inputTokenCount":
					if isNumber {
						input = max(input, int(n))
					}
				case "output_tokens", "outputTokens", "completion_tokens", "generation_token_count", "totalOutputTextTokenCount", "tokenCount", "outputTokenCount":
					if isNumber {
						output = max(output, int(n))
					}
				}
				walk(value, depth+1)
			}
		}
	}
	walk(v, 0)
	return input, output
}

// rawChunks are the chunks of a stream of ReplyInvoke's body.
func rawChunks(raw []byte) [][]byte {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil || len(elements) == 0 {
		return [][]byte{raw}
	}
	var chunks [][]byte
	for _, element := range elements {
		chunks = append(chunks, element)
	}
	return chunks
}

// extended adds keys to JSON that is an object, and leaves anything else.
func extended(raw []byte, keys map[string]any) ([]byte, error) {
	var object map[string]json.RawMessage
	if len(keys) == 0 || json.Unmarshal(raw, &object) != nil || object == nil {
		return raw, nil
	}
	for key, value := range keys {
		if _, stated := object[key]; stated {
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		object[key] = encoded
	}
	return json.Marshal(object)
}
