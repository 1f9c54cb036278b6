package policy_test

import (
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/checks/policycases"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// documentsOf returns every document of a configuration.
func documentsOf(t testing.TB, name string) []policy.Document {
	t.Helper()
	c, ok := policycases.Configs()[name]
	if !ok {
		t.Fatalf("there is no configuration %q", name)
	}
	docs, err := policycases.Documents(c)
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// TestVerdicts holds Decide against the verdicts that are expected by hand, document by
// document. The tests of internal/checks/iam hold another evaluator against the same.
func TestVerdicts(t *testing.T) {
	all := make(map[string][]policy.Document)
	for _, c := range policycases.Cases() {
		if all[c.Config] == nil {
			all[c.Config] = documentsOf(t, c.Config)
		}
		t.Run(c.Config+"/"+c.Name, func(t *testing.T) {
			passes := true // every denial
			for i, column := range c.Columns() {
				docs := policycases.Column(all[c.Config], column)
				if (c.Letter(i) == '.') != (docs == nil) {
					t.Errorf("%s: %d documents, want %c", column, len(docs), c.Letter(i))
				}
				if docs == nil {
					continue
				}
				expect(t, column, docs, policycases.Asked(c, column), c.Letter(i) == 'A')
				if column == policycases.Endpoint { // which counts for no other request
					expect(t, "not through the "+column, docs, c.Request, true)
				}
				passes = passes && (i < policycases.FirstDenial || c.Letter(i) == 'A')
			}
			// The boundary of an account without an organisation denies what its denials do.
			if docs := policycases.Column(all[c.Config], "boundary"); docs != nil && c.Only == "" {
				expect(t, "boundary", docs, c.Request, passes)
			}
		})
	}
}

// expect decides a request.
func expect(t *testing.T, what string, docs []policy.Document, q policy.Request, allowed bool) {
	t.Helper()
	got, err := policy.Decide(docs, q)
	if err != nil {
		t.Errorf("%s: %v", what, err)
	} else if got.Allowed != allowed {
		t.Errorf("%s: %+v, want allowed %v for %s", what, got, allowed, policycases.Describe(q))
	}
}

// TestArticleFails shows each of the article's policies failing as the package
// documentation says.
func TestArticleFails(t *testing.T) {
	for _, c := range policycases.ArticleCases() {
		t.Run(c.Policy+": "+c.Fault, func(t *testing.T) {
			d, err := policycases.Article(c.Policy)
			if err != nil {
				t.Fatal(err)
			}
			got, err := policy.Decide([]policy.Document{d, policycases.Everything()}[:layersOf(d)], c.Request)
			if err != nil {
				t.Fatal(err)
			}
			if got.Allowed != c.Allowed {
				t.Errorf("%+v of %s", got, policycases.Describe(c.Request))
			}
		})
	}
}

// layersOf is how many documents a verdict of d needs: an identity policy stands alone.
func layersOf(d policy.Document) int {
	if d.Kind == policy.KindManaged {
		return 1
	}
	return 2
}
