package policycases

import (
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// Columns are the documents of one configuration that a Case is held against, one after
// the other. Each stands beside a layer that allows everything, so that its letter in
// Case.Want is what this document alone does.
func Columns() []string {
	return []string{
		"invoke-any", "invoke", "session", Endpoint,
		"regions", "guardrail", "api-keys", "guarded-routes", "data-retention", "changes",
	}
}

// Endpoint is the column of the VPC endpoint. FirstDenial is the first column of a
// denial, whether an SCP or an identity policy in its place.
const (
	Endpoint    = "endpoint-bedrock-runtime"
	FirstDenial = 4
)

// Asked is the request of a case as it is put to a document: to an endpoint's through the
// endpoint.
func Asked(c Case, column string) Request {
	q := c.Request
	q.ThroughEndpoint = q.ThroughEndpoint || strings.HasPrefix(column, "endpoint-")
	return q
}

// Documents returns every document of a configuration: those of policy.All, and
// InvokeAny, which All leaves out.
func Documents(c Config) ([]policy.Document, error) {
	s, err := policy.For(c.Options, c.Account)
	if err != nil {
		return nil, err
	}
	all, err := policy.All(s)
	if err != nil {
		return nil, err
	}
	any, err := policy.InvokeAny(s)
	return append(all, any...), err
}

// Everything is an identity policy that allows everything.
func Everything() policy.Document {
	return policy.Document{
		Name: "everything", Kind: policy.KindManaged,
		Statements: []policy.Statement{{Sid: "Everything", Effect: policy.Allow, Action: []string{"*"}, Resource: []string{"*"}}},
	}
}

// ColumnOf is the column of a document. A document that is split has a number at its end,
// and a denial is an SCP, or the identity policy in its place.
func ColumnOf(d policy.Document) string {
	name := d.Name
	if d.Kind == policy.KindSCP || d.Kind == policy.KindManaged {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "scp-"), "deny-")
	}
	if i := strings.LastIndexByte(name, '-'); i > 0 && strings.Trim(name[i+1:], "0123456789") == "" {
		name = name[:i]
	}
	return name
}

// Column returns the documents of a column, and the layers beside them. None are
// returned where the configuration calls for no such document.
func Column(all []policy.Document, column string) []policy.Document {
	var docs []policy.Document
	grants := false
	for _, d := range all {
		if ColumnOf(d) == column {
			docs = append(docs, d)
			grants = grants || d.Kind == policy.KindManaged && slices.ContainsFunc(d.Statements, func(s policy.Statement) bool { return s.Effect == policy.Allow })
		}
	}
	if len(docs) == 0 || grants {
		return docs
	}
	return append(docs, Everything())
}
