package policy

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

const (
	invokeModelAction = "bedrock:InvokeModel"
	streamAction      = "bedrock:InvokeModelWithResponseStream"
)

// oneSpec is the Spec of one.
func oneSpec(t *testing.T) *Spec {
	t.Helper()
	opts, acct := one()
	return specOf(t, opts, acct)
}

// names of the documents of All that belong to the organisation.
func names(t *testing.T, s *Spec) []string {
	t.Helper()
	docs, err := All(s)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, d := range docs {
		list = append(list, d.Name)
	}
	return list
}

func TestSCPsOrTwins(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	suffixes := []string{"regions", "guardrail", "api-keys", "guarded-routes", "data-retention", "changes"}
	alone := names(t, specOf(t, opts, acct))
	acct.Organization = "o-abcdefghij"
	member := names(t, specOf(t, opts, acct))
	for _, suffix := range suffixes {
		if !slices.Contains(alone, "deny-"+suffix) || slices.Contains(alone, "scp-"+suffix) {
			t.Errorf("without an organisation: the twin of scp-%s is not alone in %v", suffix, alone)
		}
		if slices.Contains(member, "deny-"+suffix) || !slices.Contains(member, "scp-"+suffix) {
			t.Errorf("with an organisation: scp-%s is not alone in %v", suffix, member)
		}
	}
	for _, c := range []struct {
		name string
		list []string
		want bool
	}{
		{"boundary", alone, true}, {"boundary", member, false},
		{"organization-guardrail", alone, false}, {"organization-guardrail", member, true},
		{"guardrail-sharing", alone, false}, {"guardrail-sharing", member, true},
	} {
		if got := slices.Contains(c.list, c.name); got != c.want {
			t.Errorf("%s in %v is %v, want %v", c.name, c.list, got, c.want)
		}
	}
}

// TestBoundary: a boundary of Deny statements alone would permit nothing.
func TestBoundary(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	docs, err := Boundary(specOf(t, opts, acct))
	if err != nil {
		t.Fatal(err)
	}
	const key = "bedrock:GuardrailIdentifier"
	rows := []verdict{
		{"a call with the guardrail", true, ask(invokeModelAction, haiku, key, pinned+":3")},
		{"a call without the guardrail", false, ask(invokeModelAction, haiku)},
		{"another region", false, in("us-east-1", ask(invokeModelAction, haiku, key, pinned+":3"))},
		{"a bearer token", false, ask("bedrock:CallWithBearerToken", "*")},
		{"Mantle", false, ask("bedrock-mantle:CreateInference", "*")},
		{"the retention", false, ask("bedrock:PutAccountDataRetention", "*", "bedrock:DataRetentionMode", "default")},
		{"the logging", false, ask("bedrock:DeleteModelInvocationLoggingConfiguration", "*")},
		{"another service", true, ask("s3:GetObject", "arn:aws:s3:::bucket/key")},
	}
	for _, row := range rows {
		got, err := Decide([]Document{doc(KindManaged, allowing("Everything", nil, "*", "*")), docs[0]}, row.req)
		if err != nil || got.Allowed != row.allowed {
			t.Errorf("%s: %v, %v; want %v", row.about, got, err, row.allowed)
		}
	}
}

func TestTwinsRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about string
		d     Document
		want  string
	}{
		{"an identity policy", doc(KindManaged, denying("No", nil, "*", "s3:*")), "Document.Kind: \"managed\" is not a service control policy"},
		{"an SCP that allows", doc(KindSCP, allowing("Yes", nil, "*", "s3:*")), "Document.Statements: statement \"Yes\" allows"},
	} {
		_, identity := AsIdentity(c.d)
		_, boundary := AsBoundary(c.d)
		for _, err := range []error{identity, boundary} {
			if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", c.about, err, c.want)
			}
		}
	}
}

// TestTwinsLeaveTheSCP: the SCP stays as it was when its twin is written into.
func TestTwinsLeaveTheSCP(t *testing.T) {
	t.Parallel()
	docs, err := DenyAPIKeys(oneSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	before := docs[0].JSON()
	twin, err := AsIdentity(docs[0])
	if err != nil {
		t.Fatal(err)
	}
	bound, err := AsBoundary(docs...)
	if err != nil {
		t.Fatal(err)
	}
	twin.Statements[0].Action[0], bound.Statements[1].Action[0] = "s3:*", "s3:*"
	if after := docs[0].JSON(); after != before {
		t.Errorf("the SCP is now %s", after)
	}
}
