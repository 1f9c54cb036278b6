package runtimemodel

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGeneratedFileIsFresh(t *testing.T) {
	model, err := Parse(read(t, "bedrock-runtime.json"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := Render(model)
	if err != nil {
		t.Fatal(err)
	}
	const goFile = "../../securebedrock/bedrocktest/internal/shapes/shapes.go"
	if !bytes.Equal(read(t, goFile), want) {
		t.Errorf("%s is not what bedrock-runtime.json makes; run go generate ./securebedrock/bedrocktest/internal/shapes", goFile)
	}
}

func TestParseRefuses(t *testing.T) {
	const good = `{"operations":{"Ask":{"input":{"shape":"In"}}},"shapes":{"In":{"type":"structure","members":{"a":{"shape":"Text"}}},"Text":{"type":"string","pattern":"[a-z]+"}}}`
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, old, new, says string }{
		{"not JSON", `{"operations"`, `{`, "bedrock-runtime.json"},
		{"no operations", `"Ask":{"input":{"shape":"In"}}`, ``, "no operations"},
		{"a shape that is not there", `"shape":"Text"`, `"shape":"Other"`, "Other"},
		{"a pattern that Go does not read", `[a-z]+`, `(?=x)`, "Text"},
		{"a type that is not known", `"type":"string"`, `"type":"intEnum"`, "intEnum"},
	} {
		if _, err := Parse([]byte(strings.Replace(good, row.old, row.new, 1))); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
