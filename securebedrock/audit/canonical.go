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

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
