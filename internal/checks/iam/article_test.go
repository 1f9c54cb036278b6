package iam_test

import (
	"encoding/json"
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/checks/policycases"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// TestArticle shows that the article's policies fail as package policy says, by the
// word of the other evaluator.
func TestArticle(t *testing.T) {
	e := simulator(t)
	for _, c := range policycases.ArticleCases() {
		t.Run(c.Policy+": "+c.Fault, func(t *testing.T) {
			if c.Unsimulated != "" {
				t.Skip(c.Unsimulated)
			}
			d, err := policycases.Article(c.Policy)
			if err != nil {
				t.Fatal(err)
			}
			docs := []policy.Document{d}
			if d.Kind != policy.KindManaged {
				docs = append(docs, policycases.Everything())
			}
			got, err := e.evaluate(docs, c.Request)
			if err != nil {
				t.Fatal(err)
			}
			if (got.Result == "Allowed") != c.Allowed {
				t.Errorf("%s of %s", got.Result, policycases.Describe(c.Request))
			}
		})
	}
}

// TestArticleTrust shows the confused deputy: a service principal without SourceAccount
// and SourceArn trusts what Bedrock does for any other account, too.
func TestArticleTrust(t *testing.T) {
	e := simulator(t)
	d, err := policycases.Article("trust-service")
	if err != nil {
		t.Fatal(err)
	}
	// A trust policy has no Resource; the evaluator has the role's.
	statement := d.Statements[0]
	guarded := statement.Clone()
	guarded.Condition = policy.Condition{
		"StringEquals": {"aws:SourceAccount": {policycases.AccountID}},
		"ArnLike":      {"aws:SourceArn": {"arn:aws:bedrock:us-east-1:" + policycases.AccountID + ":knowledge-base/*"}},
	}
	for _, row := range []struct {
		name      string
		statement policy.Statement
		account   string
		want      string
	}{
		{"the article's trust serves another account", statement, policycases.OtherAccount, "Allowed"},
		{"with both conditions it does not", guarded, policycases.OtherAccount, "ImplicitlyDenied"},
		{"and serves its own", guarded, policycases.AccountID, "Allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			trust := policy.Document{Kind: policy.KindTrust, Statements: []policy.Statement{row.statement}}
			got, err := e.ask(resourceSimulation("bedrock.amazonaws.com", "sts:AssumeRole", "arn:aws:iam::"+policycases.AccountID+":role/service", trust, map[string][]string{
				"aws:SourceAccount": {row.account},
				"aws:SourceArn":     {"arn:aws:bedrock:us-east-1:" + row.account + ":knowledge-base/KB12345678"},
			}))
			if err != nil {
				t.Fatal(err)
			}
			if got.Result != row.want {
				t.Errorf("%s, want %s", got.Result, row.want)
			}
		})
	}
}

// TestArticleKey shows that a key for the service alone stops the caller of a guardrail
// or a custom model, for whom Bedrock decrypts.
func TestArticleKey(t *testing.T) {
	e := simulator(t)
	service, err := policycases.Article("key-service")
	if err != nil {
		t.Fatal(err)
	}
	caller := service.Clone()
	caller.Statements[0].Principal = &policy.Principal{AWS: []string{policycases.Role}}
	caller.Statements[0].Condition = policy.Condition{"StringEquals": {"kms:ViaService": {"bedrock.us-east-1.amazonaws.com"}}}
	for _, row := range []struct {
		name string
		key  policy.Document
		via  string
		want string
	}{
		{"the article's key stops the caller", service, "bedrock.us-east-1.amazonaws.com", "ImplicitlyDenied"},
		{"a key for the caller through Bedrock does not", caller, "bedrock.us-east-1.amazonaws.com", "Allowed"},
		{"and gives the caller nothing beside Bedrock", caller, "s3.us-east-1.amazonaws.com", "ImplicitlyDenied"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := e.ask(resourceSimulation(policycases.Role, "kms:Decrypt", "arn:aws:kms:us-east-1:"+policycases.AccountID+":key/11111111-2222-3333-4444-555555555555", row.key, map[string][]string{
				"kms:ViaService": {row.via},
			}))
			if err != nil {
				t.Fatal(err)
			}
			if got.Result != row.want {
				t.Errorf("%s, want %s", got.Result, row.want)
			}
		})
	}
}

// resourceSimulation is a request under a resource's policy, for the documents that are
// no layer of policy.Decide.
func resourceSimulation(principal, action, resource string, d policy.Document, context map[string][]string) simulation {
	s := simulation{IdentityPolicies: []named{}, ServiceControlPolicies: []level{}, ResourceControlPolicies: []level{}}
	s.Request.Principal, s.Request.Action, s.Request.ContextVariables = principal, action, context
	s.Request.Resource.Resource, s.Request.Resource.AccountID = resource, policycases.AccountID
	s.ResourcePolicy = json.RawMessage(d.JSON())
	return s
}
