package audit

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
)

// parseJSON reads one JSON value, numbers as they are written.
func parseJSON(text []byte) (any, bool) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil, false
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, false
	}
	return v, true
}

// canonical is JSON with sorted keys and without space; any other text is itself.
func canonical(text []byte) string {
	v, ok := parseJSON(text)
	if !ok {
		return string(text)
	}
	return writeJSON(v)
}

func writeJSON(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return ""
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// redactJSON redacts every string, number and key by itself: in the text an
// escape could hide a match.
func redactJSON(r Redactor, text string) string {
	v, ok := parseJSON([]byte(text))
	if !ok {
		return r.Redact(text)
	}
	return writeJSON(redactValue(r, v))
}

func redactValue(r Redactor, v any) any {
	switch v := v.(type) {
	case string:
		return r.Redact(v)
	case json.Number:
		if red := r.Redact(v.String()); red != v.String() {
			return red
		}
	case []any:
		for i := range v {
			v[i] = redactValue(r, v[i])
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			val := redactValue(r, v[k])
			delete(v, k)
			v[r.Redact(k)] = val
		}
	}
	return v
}
