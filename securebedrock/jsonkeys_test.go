package securebedrock

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzMembers compares the members of an object with what encoding/json reads.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, ` { "a" : [ 1 , {"b":"}"} ] , "c":"\"" , "a" : -1e9 } `, `{"a\u0062":true,"":null}`, `[]`, `7`, `"x"`, `{"a":{"b":[[]]}}`,
		`{"a":"\\","b":"\\\""}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) || !json.Valid(text) {
			return
		}
		got := make(map[string]json.RawMessage)
		n := 0
		for key, value := range members(text) {
			if !json.Valid(value) {
				t.Fatalf("the value of %q is %q", key, value)
			}
			got[key] = value // the last one counts, as in encoding/json
			n++
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(text, &want) != nil {
			want = nil
		}
		if len(got) != len(want) || n < len(want) {
			t.Fatalf("%q has %d members, want %d", text, len(got), len(want))
		}
		for key, value := range want {
			if !bytes.Equal(got[key], value) {
				t.Fatalf("%q: %q is %q, want %q", text, key, got[key], value)
			}
		}
	})
}
