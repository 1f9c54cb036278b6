package wire_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// names are member names of the API and of no API, for mutations.
func names() []string {
	return []string{
		"messages", "content", "text", "guardContent", "guardrailConfig", "trace", "streamProcessingMode", "system", "role", "image", "source", "bytes",
		"s3Location", "toolUse", "input", "json", "toolConfig", "tools", "toolSpec", "inputSchema", "cachePoint", "type", "requestMetadata", "converse",
		"invokeModel", "body", "modelId", "guardrailIdentifier", "qualifiers", "citations", "reasoningContent", "signature", "additionalModelRequestFields",
		"amazon-bedrock-guardrailConfig", "Text", "unknown", "__type", "", "é", "ttl", "strict", "name",
	}
}

// mutate changes one place of a JSON tree: it adds a member, takes another value, or
// doubles or removes what is there.
func (g *generator) mutate(v any) any {
	if !g.one(4) {
		switch v := v.(type) {
		case map[string]any:
			if len(v) == 0 {
				break
			}
			keys := slices.Sorted(maps.Keys(v))
			key := keys[g.IntN(len(keys))]
			v[key] = g.mutate(v[key])
			return v
		case []any:
			if len(v) == 0 {
				break
			}
			i := g.IntN(len(v))
			v[i] = g.mutate(v[i])
			return v
		}
	}
	other := []any{nil, true, "", "x", "eHh4", json.Number("0"), json.Number("7"), json.Number("1.5"), json.Number("1e3"), json.Number("-1e400"),
		map[string]any{}, []any{}, []any{nil}, map[string]any{"text": "x"}, map[string]any{"text": map[string]any{"text": "x"}}}[g.IntN(15)]
	switch v := v.(type) {
	case map[string]any:
		if g.one(3) {
			return other
		}
		v[names()[g.IntN(len(names()))]] = other
		return v
	case []any:
		if g.one(3) {
			return other
		}
		return append(v, other)
	}
	return other
}

// lost says what of a body is not in the body that is sent on; empty if nothing is.
// Numbers are compared by their value, as the API's type has it.
func lost(want, have any, path string) string {
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: %v, want %v", path, have, want)
		}
		for key := range have {
			if _, ok := want[key]; !ok {
				return fmt.Sprintf("%s.%s is new", path, key)
			}
		}
		for key, value := range want {
			if _, ok := have[key]; !ok && value == nil { // a member that is null is not set
				continue
			} else if !ok {
				return path + "." + key
			}
			if why := lost(value, have[key], path+"."+key); why != "" {
				return why
			}
		}
		return ""
	case []any:
		have, ok := have.([]any)
		if !ok || len(have) != len(want) {
			return fmt.Sprintf("%s: %v, want %v", path, have, want)
		}
		for i, value := range want {
			if why := lost(value, have[i], path+"[]"); why != "" {
				return why
			}
		}
		return ""
	case json.Number:
		if have, ok := have.(json.Number); ok && sameNumber(string(want), string(have)) {
			return ""
		}
	}
	if !reflect.DeepEqual(have, want) {
		return fmt.Sprintf("%s: %v, want %v", path, have, want)
	}
	return ""
}

func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	x, err := strconv.ParseFloat(a, 32)
	if err != nil {
		return false
	}
	y, err := strconv.ParseFloat(b, 32)
	return err == nil && x == y
}

// nothingLost checks the property that a guard rests on: a request is refused, or all of
// it is sent on.
func nothingLost(t testing.TB, r sentRequest) (taken bool) {
	t.Helper()
	in, err := decodeStrict(r)
	if err != nil {
		return false
	}
	sent := wireOf(t, in)
	if sent.method != r.method || sent.path != r.path {
		t.Errorf("%s %s is sent as %s %s", r.method, r.path, sent.method, sent.path)
	}
	have := plain(t, sent.body)
	if strings.HasPrefix(r.path, "/async-invoke") { // the SDK adds a token of its own
		want := plain(t, r.body).(map[string]any)
		if want["clientRequestToken"] == nil {
			delete(have.(map[string]any), "clientRequestToken")
		}
	}
	if why := lost(plain(t, r.body), have, ""); why != "" {
		t.Errorf("lost: %s\nof   %s\nsent %s", why, r.body, sent.body)
	}
	return true
}

// Whatever a body has in it is refused or sent on. A member is never dropped.
func TestNothingIsLost(t *testing.T) {
	n := 1500
	if testing.Short() {
		n = 300
	}
	for _, like := range requestTypes() {
		if json := wireOf(t, newGenerator(1).input(like)); json.method != "POST" || strings.Contains(json.path, "/invoke") && strings.HasPrefix(json.path, "/model") {
			continue // no JSON of the API's
		}
		t.Run(reflect.TypeOf(like).Elem().Name(), func(t *testing.T) {
			t.Parallel()
			taken := 0
			for seed := range n {
				g := newGenerator(uint64(seed))
				r := wireOf(t, g.input(like))
				tree := plain(t, r.body)
				for range 1 + g.IntN(2) {
					tree = g.mutate(tree)
				}
				r.body, _ = json.Marshal(tree)
				if nothingLost(t, r) {
					taken++
				}
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
			t.Logf("%d of %d taken", taken, n)
			if taken == 0 || taken == n {
				t.Error("the mutations prove nothing")
			}
		})
	}
}
