package policy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The policies that this package corrects have the finding that says why. identity-models
// has none: each of its names is right, and Decide shows what the policy leaves out.
func TestLintOfTheArticle(t *testing.T) {
	dir := filepath.Join("..", "..", "internal", "checks", "policycases", "testdata", "article")
	want := map[string][]Rule{
		"endpoint-named":          {RuleEndpoint},
		"endpoint-runtime":        {RuleEndpoint},
		"identity-converse":       {RuleAction, RuleAction},
		"identity-draft":          {RuleGuardrailDraft},
		"identity-knowledge-base": {RuleNoResourceType},
		"identity-models":         nil,
		"key-service":             {RuleServicePrincipal},
		"scp-guardrail":           {RuleKey},
		"scp-guardrail-null":      {RuleGuardrailNull},
		"scp-invoke-only":         {RuleStreamOpen},
		"scp-regions":             {RuleMantleOpen},
		"trust-service":           {RuleServicePrincipal},
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, want %d: %v", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		word, _, _ := strings.Cut(name, "-")
		kind := Kind(word)
		if word == "identity" {
			kind = KindManaged
		}
		d, err := Parse(text, kind)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []Rule
		for _, f := range Lint(d) {
			got = append(got, f.Rule)
		}
		if !slices.Equal(got, want[name]) {
			t.Errorf("%s: got %v, want %v", name, got, want[name])
		}
	}
}
