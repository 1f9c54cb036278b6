package family

import (
	"encoding/json"
	"slices"
)

// Strings returns the strings that JSON holds as values, in the order of the sorted
// keys.
func Strings(raw []byte) []string {
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

// StatedUsage returns the counts that a body states, and -1 for a count that it does
// not state.
func StatedUsage(raw []byte) (input, output int) {
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

// Chunks returns the chunks of a stream of ReplyInvoke's body.
func Chunks(raw []byte) [][]byte {
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

// membersOf returns the members of a JSON object; nil for other JSON.
func membersOf(raw []byte) map[string]json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return nil
	}
	return object
}

// Extend adds keys to a JSON object. It leaves other JSON, and keys that the object
// has, as they are.
func Extend(raw []byte, keys map[string]any) ([]byte, error) {
	if len(keys) == 0 {
		return raw, nil
	}
	object := membersOf(raw)
	if object == nil {
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
