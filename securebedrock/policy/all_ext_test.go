package policy_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/checks/policycases"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// mutant is a document that lacks one statement, or one condition key of a statement.
type mutant struct {
	lacks string
	doc   policy.Document
}

// mutants returns a document without each of its parts, one at a time.
func mutants(d policy.Document) []mutant {
	var all []mutant
	for i, s := range d.Statements {
		without := d.Clone()
		without.Statements = slices.Delete(without.Statements, i, i+1)
		all = append(all, mutant{s.Sid, without})
		for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
			for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
				without := d.Clone()
				delete(without.Statements[i].Condition[operator], key)
				all = append(all, mutant{s.Sid + " " + operator + " " + key, without})
			}
		}
	}
	return all
}

// decidable is whether Decide evaluates documents of a kind. The tests of the other
// kinds drop their parts themselves.
func decidable(k policy.Kind) bool {
	switch k {
	case policy.KindManaged, policy.KindInline, policy.KindBoundary, policy.KindSession, policy.KindSCP, policy.KindEndpoint:
		return true
	}
	return false
}

// TestEveryPartDecides drops each statement and each condition of each document, and
// demands that a request of the table, whose verdict is expected by hand, gets another
// verdict. TestVerdicts then fails for that document.
func TestEveryPartDecides(t *testing.T) {
	cases := make(map[string][]policycases.Case)
	for _, c := range policycases.Cases() {
		cases[c.Config] = append(cases[c.Config], c)
	}
	total, survivors := 0, 0
	for _, config := range slices.Sorted(maps.Keys(policycases.Configs())) {
		for _, d := range documentsOf(t, config) {
			if !decidable(d.Kind) {
				continue
			}
			for _, m := range mutants(d) {
				total++
				if !slices.ContainsFunc(cases[config], func(c policycases.Case) bool {
					return slices.Contains(append(c.Columns(), boundaryOf(c)...), policycases.ColumnOf(d)) && verdict(t, d, policycases.Asked(c, d.Name)) != verdict(t, m.doc, policycases.Asked(c, d.Name))
				}) {
					survivors++
					t.Errorf("%s: %s lacks %s, and no request of the table tells", config, d.Name, m.lacks)
				}
			}
		}
	}
	t.Logf("%d parts dropped, %d survivors", total, survivors)
}

// boundaryOf names the boundary, whose verdict TestVerdicts derives from the columns.
func boundaryOf(c policycases.Case) []string {
	if c.Only != "" {
		return nil
	}
	return []string{"boundary"}
}

// verdict is what one document does, beside a layer that allows everything.
func verdict(t *testing.T, d policy.Document, q policy.Request) bool {
	t.Helper()
	docs := []policy.Document{d}
	if d.Kind != policy.KindManaged || !slices.ContainsFunc(d.Statements, func(s policy.Statement) bool { return s.Effect == policy.Allow }) {
		docs = append(docs, policycases.Everything())
	}
	got, err := policy.Decide(docs, q)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", d.Name, err))
	}
	return got.Allowed
}
