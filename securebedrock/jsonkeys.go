package securebedrock

import (
	"bytes"
	"encoding/json"
	"iter"
)

// members yields the keys of a JSON object and their raw values. A key that occurs
// twice is yielded twice; encoding/json would drop one. The text must be valid JSON in
// UTF-8. A text that is not an object has no members.
func members(text []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		text = bytes.TrimLeft(text, jsonSpace)
		if len(text) == 0 || text[0] != '{' {
			return
		}
		rest := bytes.TrimLeft(text[1:], jsonSpace)
		for len(rest) > 0 && rest[0] == '"' {
			n := jsonLen(rest)
			key := string(rest[1 : n-1])
			if bytes.IndexByte(rest[:n], '\\') >= 0 {
				_ = json.Unmarshal(rest[:n], &key) // valid
			}
			rest = bytes.TrimLeft(rest[n:], jsonSpace)
			rest = bytes.TrimLeft(rest[1:], jsonSpace) // the colon
			n = jsonLen(rest)
			if !yield(key, rest[:n]) {
				return
			}
			rest = bytes.TrimLeft(rest[n:], jsonSpace)
			if len(rest) == 0 || rest[0] != ',' {
				return
			}
			rest = bytes.TrimLeft(rest[1:], jsonSpace)
		}
	}
}

const jsonSpace = " \t\r\n"

// jsonLen returns the length of the JSON value at the start of a text.
func jsonLen(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i // a number or a word before the object's end
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}
