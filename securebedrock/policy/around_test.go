package policy

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// grant is what a document allows: a principal, actions on a resource, and the context
// that it demands.
type grant struct {
	doc      string
	who      string // an ARN, a service, or the ARN of an identity provider
	actions  string // separated by spaces
	resource string
	needs    map[string]string // demanded with this value; lists are separated by spaces
}

// aroundRequest is one request to one document, and what the document says of it.
type aroundRequest struct {
	about, doc, who, action, resource string
	context                           map[string][]string
	allowed                           bool
	identity                          bool // an identity policy allows everything beside it
}

// stranger is of another account.
const stranger = "arn:aws:iam::444455556666:role/stranger"

// requests are the request of a grant, and those that lack one demand of it.
func (g grant) requests() []aroundRequest {
	var all []aroundRequest
	context := make(map[string][]string)
	for key, value := range g.needs {
		context[key] = strings.Fields(value)
	}
	for _, action := range strings.Fields(g.actions) {
		add := func(about, who, action, resource string, context map[string][]string, allowed bool) {
			all = append(all, aroundRequest{about: g.doc + ": " + about, doc: g.doc, who: who, action: action, resource: resource, context: context, allowed: allowed})
		}
		add(action+" by "+g.who+" on "+g.resource, g.who, action, g.resource, context, true)
		add(action+" by a stranger", stranger, action, g.resource, context, !isAround(g.doc))
		add("another action than "+action, g.who, "iam:CreateUser", g.resource, context, false)
		for key := range g.needs {
			lacking, other := maps.Clone(context), maps.Clone(context)
			delete(lacking, key)
			other[key] = []string{"another"}
			if strings.HasSuffix(strings.ToLower(key), "arn") {
				other[key] = []string{"arn:aws:bedrock:eu-central-1:444455556666:agent/another"}
			}
			// A set may be absent: STS asks for sts:TagSession only where there are tags.
			add(action+" without "+key, g.who, action, g.resource, lacking, strings.HasSuffix(key, "TagKeys"))
			add(action+" with another "+key, g.who, action, g.resource, other, false)
		}
	}
	return all
}

// isAround reports whether a document names its principals itself.
func isAround(doc string) bool {
	for _, prefix := range []string{"trust-", "service-trust-", "key-", "bucket-"} {
		if strings.HasPrefix(doc, prefix) {
			return true
		}
	}
	return false
}

// decide evaluates a resource policy by Decide: the statements that are about the
// principal, as an identity policy of that principal.
func (r aroundRequest) decide(t *testing.T, d Document) bool {
	t.Helper()
	d = d.Clone()
	d.Kind = KindManaged
	d.Statements = slices.DeleteFunc(d.Statements, func(s Statement) bool {
		return s.Principal != nil && !s.Principal.isAbout(r.who)
	})
	for i := range d.Statements {
		d.Statements[i].Principal = nil
		if len(d.Statements[i].Resource) == 0 {
			d.Statements[i].Resource = []string{"*"}
		}
	}
	docs := []Document{d}
	if r.identity {
		docs = append(docs, doc(KindManaged, allowing("Everything", nil, "*", "*")))
	}
	principal := r.who
	if !strings.Contains(principal, ":role/") {
		principal = stranger
	}
	got, err := Decide(docs, Request{Principal: principal, Action: r.action, Resource: r.resource, Context: r.context})
	if err != nil {
		t.Fatalf("%s: %v", r.about, err)
	}
	return got.Allowed
}

// isAbout compares as IAM does. The account's root stands for each principal of the account
// whose own policy allows the action, which is throughIAM here.
func (p *Principal) isAbout(who string) bool {
	return p.Any || slices.Contains(p.Service, who) || slices.Contains(p.Federated, who) ||
		slices.Contains(p.AWS, who) || slices.Contains(p.AWS, "arn:aws:iam::"+resAccount+":root") && who == throughIAM
}

// principalMutants are the document with one principal less.
func principalMutants(d Document) map[string]Document {
	all := make(map[string]Document)
	for i := range d.Statements {
		p := d.Statements[i].Principal
		if p == nil || len(p.AWS) < 2 {
			continue
		}
		for _, arn := range p.AWS {
			m := d.Clone()
			m.Statements[i].Principal.AWS = without(p.AWS, arn)
			all[d.Name+" "+d.Statements[i].Sid+" without "+arn] = m
		}
	}
	return all
}

func everythingSpec(t *testing.T) *Spec {
	t.Helper()
	return specOf(t, resOptions(), Account{
		ID: resAccount, Resources: everything(), Unguardable: map[string]string{"amazon.titan-embed-text-v2:0": "embeddings", "cohere.embed-english-v3": "embeddings"},
	})
}

// aroundDocs are the documents of Account.Resources.
func aroundDocs(t *testing.T) map[string]Document {
	t.Helper()
	all := make(map[string]Document)
	s := everythingSpec(t)
	for _, build := range []builder{
		GuardrailReader, GuardrailAdmin, KnowledgeBaseCaller, KnowledgeBaseRole, AgentCaller,
		RoleTrust, WorkloadTrust, ServiceTrust, LoggingRole, TrailRole, KeyPolicies, BucketPolicies,
	} {
		docs, err := build(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			if _, twice := all[d.Name]; twice {
				t.Errorf("two documents are called %s", d.Name)
			}
			all[d.Name] = d
		}
	}
	return all
}

// TestEachPartOfTheDocumentsDecides shows what each document allows and refuses, and that
// no statement, condition, action, resource or principal can be taken away unseen.
func TestEachPartOfTheDocumentsDecides(t *testing.T) {
	docs := aroundDocs(t)
	rows := refusals()
	for _, g := range grants() {
		rows = append(rows, g.requests()...)
	}
	byDoc := make(map[string][]aroundRequest)
	for _, row := range rows {
		d, ok := docs[row.doc]
		if !ok {
			t.Fatalf("there is no document %s", row.doc)
		}
		byDoc[row.doc] = append(byDoc[row.doc], row)
		if got := row.decide(t, d); got != row.allowed {
			t.Errorf("%s: allowed is %v, want %v", row.about, got, row.allowed)
		}
	}
	killed := 0
	for name, d := range docs {
		all := mutants(d)
		killed += len(all)
		maps.Copy(all, principalMutants(d))
		for lack, m := range all {
			if !slices.ContainsFunc(byDoc[name], func(row aroundRequest) bool { return row.decide(t, m) != row.allowed }) {
				t.Errorf("no request tells %s", lack)
			}
		}
	}
	t.Logf("%d requests, %d documents, %d changes told", len(rows), len(docs), killed)
}
