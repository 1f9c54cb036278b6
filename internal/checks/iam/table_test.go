package iam_test

import (
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/checks/policycases"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// TestTable holds the other evaluator against the verdicts that are expected by hand,
// document by document. Package policy's TestVerdicts holds Decide against the same.
func TestTable(t *testing.T) {
	e := simulator(t)
	configs, all := policycases.Configs(), make(map[string][]policy.Document)
	asked := 0
	for _, c := range policycases.Cases() {
		if all[c.Config] == nil {
			docs, err := policycases.Documents(configs[c.Config])
			if err != nil {
				t.Fatal(err)
			}
			all[c.Config] = docs
		}
		t.Run(c.Config+"/"+c.Name, func(t *testing.T) {
			if c.Unsimulated != "" {
				t.Skip(c.Unsimulated)
			}
			for i, column := range c.Columns() {
				docs := policycases.Column(all[c.Config], column)
				if docs == nil {
					continue
				}
				asked++
				got, err := e.evaluate(docs, policycases.Asked(c, column))
				switch {
				case err != nil:
					t.Errorf("%s: %v", column, err)
				case len(got.Ignored) > 0:
					t.Errorf("%s: the action has no key %v, so that AWS would not have it in the request", column, got.Ignored)
				case (got.Result == "Allowed") != (c.Letter(i) == 'A'):
					t.Errorf("%s: %s, want %c for %s", column, got.Result, c.Letter(i), policycases.Describe(c.Request))
				}
			}
		})
	}
	t.Logf("%d requests, %d verdicts", len(policycases.Cases()), asked)
}
