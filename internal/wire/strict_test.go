package wire

import (
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// walkSchema calls visit for a schema and everything below it once.
func walkSchema(s *smithy.Schema, seen map[string]bool, path string, visit func(path string, s *smithy.Schema)) {
	visit(path, s)
	id := s.TargetID().String() + s.ID().String()
	if s.TargetID().Name != "" {
		id = s.TargetID().String()
	}
	if seen[id] && len(s.Members()) > 0 {
		return
	}
	seen[id] = true
	for name, m := range s.Members() {
		walkSchema(m, seen, path+"."+name, visit)
	}
}

// No request has a value of a type that strictjson does not read, and a blob is either
// the whole body or base64 in JSON.
func TestTypesOfRequests(t *testing.T) {
	for _, op := range Operations() {
		walkSchema(op.input, map[string]bool{}, op.Name, func(path string, s *smithy.Schema) {
			if _, ok := smithy.SchemaTrait[*traits.HTTPQuery](s); ok {
				return
			}
			switch s.Type() {
			case smithy.ShapeTypeTimestamp, smithy.ShapeTypeBigDecimal, smithy.ShapeTypeBigInteger, smithy.ShapeTypeIntEnum, smithy.ShapeTypeSet:
				t.Errorf("%s is of type %d", path, s.Type())
			}
			if _, ok := smithy.SchemaTrait[*traits.JSONName](s); ok {
				t.Errorf("%s has another name in JSON", path)
			}
		})
	}
}

// Members that stand outside of the body are those that DecodeStrict checks.
func TestBindingsOfRequests(t *testing.T) {
	for _, op := range Operations() {
		for name, m := range op.input.Members() {
			if _, ok := smithy.SchemaTrait[*traits.HTTPPrefixHeaders](m); ok {
				t.Errorf("%s.%s", op.Name, name)
			}
			if _, ok := smithy.SchemaTrait[*traits.HTTPQueryParams](m); ok {
				t.Errorf("%s.%s", op.Name, name)
			}
			_, payload := smithy.SchemaTrait[*traits.HTTPPayload](m)
			if want := op.body == modelBody || op.body == eventBody; payload && !want {
				t.Errorf("%s.%s is the body", op.Name, name)
			}
			if _, label := smithy.SchemaTrait[*traits.HTTPLabel](m); label != strings.Contains(op.Path, "{"+name+"}") {
				t.Errorf("%s.%s: a label: %v", op.Name, name, label)
			}
			if h, ok := smithy.SchemaTrait[*traits.HTTPHeader](m); ok && !strings.HasPrefix(h.Name, apiHeaders) && h.Name != "Content-Type" && h.Name != "Accept" {
				t.Errorf("%s.%s stands in %s", op.Name, name, h.Name)
			}
		}
	}
}
