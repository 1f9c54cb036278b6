package policy

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// mutants are the document with one statement, condition key, action, resource or value
// less, each with what it lacks. A list's last entry is not dropped: an empty list is no
// policy.
func mutants(d Document) map[string]Document {
	all := make(map[string]Document)
	change := func(i int, lack string, change func(*Statement)) {
		m := d.Clone()
		change(&m.Statements[i])
		all[d.Name+" "+d.Statements[i].Sid+" without "+lack] = m
	}
	for i, st := range d.Statements {
		m := d.Clone()
		m.Statements = slices.Delete(m.Statements, i, i+1)
		all[d.Name+" without "+fmt.Sprintf("%d ", i+1)+st.Sid] = m
		for operator, keys := range st.Condition {
			for key, values := range keys {
				change(i, operator+" "+key, func(s *Statement) { delete(s.Condition[operator], key) })
				if len(values) < 2 {
					continue
				}
				for _, v := range values {
					change(i, v, func(s *Statement) { s.Condition[operator][key] = without(values, v) })
				}
			}
		}
		for name, list := range map[string]func(*Statement) *[]string{
			"action":      func(s *Statement) *[]string { return &s.Action },
			"resource":    func(s *Statement) *[]string { return &s.Resource },
			"no resource": func(s *Statement) *[]string { return &s.NotResource },
		} {
			values := *list(&st)
			if len(values) < 2 {
				continue
			}
			for _, v := range values {
				change(i, name+" "+v, func(s *Statement) { *list(s) = without(values, v) })
			}
		}
	}
	return all
}

func without(list []string, v string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(e string) bool { return e == v })
}

// verdict is a request and what a document alone must say of it.
type verdict struct {
	about   string
	allowed bool
	req     Request
}

// judge decides each request by the documents, and shows that every mutant of every
// document decides one of them otherwise.
func judge(t *testing.T, docs []Document, rows []verdict) {
	t.Helper()
	decide := func(docs []Document, req Request) bool {
		t.Helper()
		got, err := Decide(docs, req)
		if err != nil {
			t.Fatalf("%s: %v", req.describe(), err)
		}
		return got.Allowed
	}
	everything := doc(KindManaged, allowing("Everything", nil, "*", "*"))
	for _, row := range rows {
		if got := decide(append([]Document{everything}, docs...), row.req); got != row.allowed {
			t.Errorf("%s: allowed is %v, want %v", row.about, got, row.allowed)
		}
	}
	for i, d := range docs {
		all := mutants(d)
		for _, lack := range slices.Sorted(maps.Keys(all)) {
			changed := slices.Clone(docs)
			changed[i] = all[lack]
			changed = append(changed, everything)
			if len(changed[i].Statements) == 0 {
				changed = slices.Delete(changed, i, i+1)
			}
			if !slices.ContainsFunc(rows, func(row verdict) bool { return decide(changed, row.req) != row.allowed }) {
				t.Errorf("%s: every request is decided as before", lack)
			}
		}
	}
}
