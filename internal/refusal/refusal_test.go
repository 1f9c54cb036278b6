package refusal_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

func TestRefusalSaysRuleAndDetail(t *testing.T) {
	err := fmt.Errorf("x: %w", refusal.New(refusal.Region, "it is of eu-west-1"))
	if !errors.Is(err, refusal.Region) || errors.Is(err, refusal.Model) {
		t.Errorf("%v is found by another rule than its own", err)
	}
	var r *refusal.Refusal
	if !errors.As(err, &r) || r.Rule != refusal.Region || r.Detail != "it is of eu-west-1" {
		t.Errorf("errors.As gave %+v", r)
	}
	if got, want := r.Error(), "securebedrock: region is not the pinned one: it is of eu-west-1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	sts := &refusal.Refusal{Rule: refusal.Auth, Operation: "AssumeRole", Detail: "x"}
	if got, want := sts.Error(), "securebedrock: AssumeRole: credentials are not the configured ones: x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := refusal.New(refusal.Closed, "").Error(), "securebedrock: client is closed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFaultsAreReportedAtOnce(t *testing.T) {
	var f refusal.Faults
	if err := f.Err(); err != nil {
		t.Errorf("no fault gave %v", err)
	}
	f.Scope = "Role."
	f.Add("ARN", "%q is not an ARN", "x")
	f.Join(nil, io.EOF)
	f.Add("Policy", "%w", io.ErrUnexpectedEOF)
	err := f.Err()
	want := "invalid configuration: Role.ARN: \"x\" is not an ARN\nEOF\ninvalid configuration: Role.Policy: unexpected EOF"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, target := range []error{refusal.Config, io.EOF, io.ErrUnexpectedEOF} {
		if !errors.Is(err, target) {
			t.Errorf("%v is not %v", err, target)
		}
	}
	var field *refusal.FieldFault
	if !errors.As(err, &field) || field.Field != "Role.ARN" || field.Err.Error() != "\"x\" is not an ARN" {
		t.Errorf("the first fault is %+v", field)
	}
	if err := refusal.Fault("Region", "the value is missing"); !errors.Is(err, refusal.Config) || err.Error() != "invalid configuration: Region: the value is missing" {
		t.Errorf("Fault gave %v", err)
	}
}

func TestQuotedRepeatsIdentifiersAlone(t *testing.T) {
	const none = "(no identifier)"
	for _, row := range []struct{ text, want string }{
		{"eu-central-1", `"eu-central-1"`},
		{"arn:aws:bedrock:eu-central-1::foundation-model/a.b-v1:0", `"arn:aws:bedrock:eu-central-1::foundation-model/a.b-v1:0"`},
		{"application/json; charset=x", `"application/json; charset=x"`},
		{"", `""`},
		{"text with ümlaut", none},
		{"tab\there", none},
		{strings.Repeat("a-", 65), none},
		{strings.Repeat("a", 25), none},
		{"aBcDeFgHiJkL", none},
		{"AKIA1234567890ABCDEF", none},
	} {
		if got := refusal.Quoted(row.text); got != row.want {
			t.Errorf("Quoted(%q) is %s, want %s", row.text, got, row.want)
		}
	}
	if got := refusal.QuotedWord("InvokeModelWithResponseStreams"); got != `"InvokeModelWithResponseStreams"` {
		t.Errorf("QuotedWord gave %s", got)
	}
	if got := refusal.QuotedWord("Invoke-ümlaut"); got != none {
		t.Errorf("QuotedWord gave %s", got)
	}
}
