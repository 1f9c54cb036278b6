package middleware

import (
	"encoding/json"
	"strings"
	"testing"
)

// Each string and number of a body, but for the names of its lists of messages, is in
// one part at least: what is left out is what
// the owner left out, and no more.
func FuzzParts(f *testing.F) {
	for _, s := range []string{
		`{"system":"s","messages":[{"role":"user","content":[{"type":"tool_result","content":"t"},{"toolResult":{"a":1},"b":2},["c"],"d"]},{"role":"tool","x":{"y":[true,null,3]}}]}`,
		`{"messages":[{"role":"user","content":{"a":"b"}},{"role":"user"}],"messages2":"x"}`,
		`{"messages":{"a":{"role":"user"}}}`, `{"messages":[{"role":"user","role":"tool","content":"x"}]}`, `{"chat_history":[],"message":"x"}`,
		`{"chat_history":[{"role":"User","message":"m"}],"tool_results":[1],"documents":["d"],"preamble":"p"}`, `[{"messages":[]}]`, `"x"`, `{"messages":[1,"a"]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		whole := anyContent()
		whole.body(body)
		if !json.Valid(body) {
			return
		}
		var parts []string
		for part := PartSystem; part < AllParts; part <<= 1 {
			c := anyContent()
			c.parts = part
			c.body(body)
			parts = append(parts, strings.Split(strings.Join(c.texts, "\n"), "\n")...)
		}
		have := map[string]int{}
		for _, s := range parts {
			have[s]++
		}
		for _, s := range strings.Split(strings.Join(whole.texts, "\n"), "\n") {
			if have[s]--; have[s] < 0 && s != "" && !isTurns(s) {
				t.Fatalf("%q of %q is in no part", s, body)
			}
		}
	})
}
