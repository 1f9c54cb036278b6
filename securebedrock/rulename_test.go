package securebedrock

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every Err… value of the package has a name of its own, which is made of the
// value's: a rule that is added without one would be _OTHER in every metric.
func TestEveryRuleHasAName(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared, inTable := map[string]bool{}, map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, s := range g.Specs {
					for _, n := range s.(*ast.ValueSpec).Names {
						if strings.HasPrefix(n.Name, "Err") {
							declared[n.Name] = true
						}
					}
				}
			}
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "rulesByName" {
				ast.Inspect(f, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok && strings.HasPrefix(id.Name, "Err") {
						inTable[id.Name] = true
					}
					return true
				})
			}
		}
	}
	words := regexp.MustCompile(`([a-z])([A-Z])`)
	names := map[string]bool{}
	for _, r := range rulesByName() {
		if names[r.name] || !isRuleName(r.name) || RuleName(&PolicyError{Rule: r.rule}) != r.name {
			t.Errorf("%v is named %q", r.rule, r.name)
		}
		names[r.name] = true
	}
	if len(declared) < 20 {
		t.Fatalf("%d rules are declared", len(declared))
	}
	for rule := range declared {
		want := strings.ToLower(words.ReplaceAllString(strings.TrimPrefix(rule, "Err"), "${1}_$2"))
		if !inTable[rule] || !names[want] {
			t.Errorf("%s has no name in rulesByName; %q would be it", rule, want)
		}
	}
}
