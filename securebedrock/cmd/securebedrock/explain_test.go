package main

import (
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// TestExplain keeps what is said of each kind of call.
func TestExplain(t *testing.T) {
	path := golden(t, "explain.golden")
	t.Chdir(t.TempDir())
	writeConfig(t, "securebedrock.yaml", sound)
	writeConfig(t, "role.yaml", sound+"role: {arn: \"arn:aws:iam::123456789012:role/ask\"}\n")
	var b strings.Builder
	for _, row := range []struct {
		line string
		code int
	}{
		{"explain anthropic.claude-3-haiku-20240307-v1:0", exitOK},
		{"explain eu.anthropic.claude-3-haiku-20240307-v1:0 --operation ConverseStream", exitOK},
		{"explain cohere.command-text-v14 --operation InvokeModel", exitOK},
		{"explain --operation ApplyGuardrail", exitOK},
		{"explain anthropic.claude-3-haiku-20240307-v1:0 --operation CountTokens", exitOK},
		{"explain anthropic.claude-3-haiku-20240307-v1:0 -c role.yaml", exitOK}, // whether the role may be assumed is undecided
		// The client refuses these.
		{"explain amazon.nova-lite-v1:0", exitFinding},
		{"explain us.anthropic.claude-3-haiku-20240307-v1:0", exitFinding},
		{"explain anthropic.claude-3-haiku-20240307-v1:0 --operation StartAsyncInvoke", exitFinding},
	} {
		code, stdout, stderr := call("", strings.Fields(row.line)...)
		if code != row.code || stderr != "" {
			t.Errorf("%s: %d %s %s", row.line, code, stdout, stderr)
		}
		b.WriteString("$ securebedrock " + row.line + "\n" + stdout + "\n")
	}
	compare(t, path, b.String())
	for _, row := range []struct{ line, want string }{
		{"explain", "name a model, such as anthropic."},
		{"explain a b", `name one argument, a model; "b" is another`},
		{"explain anthropic.claude-3-haiku-20240307-v1:0 --operation Fly", `"Fly" is no operation of the client`},
		{"explain anthropic.claude-3-haiku-20240307-v1:0 --operation ApplyGuardrail", "names no model"},
	} {
		if code, stdout, stderr := call("", strings.Fields(row.line)...); code != exitUsage || !strings.Contains(stderr, row.want) || stdout != "" {
			t.Errorf("%s: %d %q %q", row.line, code, stdout, stderr)
		}
	}
	if code, _, stderr := call("", "explain", "x", "-c", "none.yaml"); code != exitFault || !strings.Contains(stderr, "none.yaml is missing") {
		t.Errorf("no file: %d %s", code, stderr)
	}
	if _, stdout, _ := call("", "__complete", "explain", ""); !strings.Contains(stdout, "eu.anthropic.claude-3-haiku-20240307-v1:0\n") {
		t.Errorf("the models complete to %q", stdout)
	}
}

// TestExplainTellsWhatIsDenied prints authorizations that are not allowed.
func TestExplainTellsWhatIsDenied(t *testing.T) {
	var out strings.Builder
	c := newRoot()
	c.SetOut(&out)
	one := policy.Authorization{Action: "bedrock:InvokeModel", Resource: "arn:aws:bedrock:eu-west-1::foundation-model/m", Region: "eu-west-1", Why: "a destination"}
	allowed, denied, undecided := one, one, one
	allowed.Decision = policy.Decision{Allowed: true, Document: "invoke", Sid: "Models", Reason: "it allows"}
	denied.Decision = policy.Decision{Document: "deny-regions", Reason: "it denies"}
	undecided.Undecided = "a key policy decides"
	for _, row := range []struct {
		list []policy.Authorization
		code int
		want string
	}{
		{[]policy.Authorization{allowed, denied}, exitFinding, "The policies stop the call: 1 of 2 authorizations denied."},
		{[]policy.Authorization{allowed, undecided}, exitOK, "The policies let the call through: 2 authorizations, 1 allowed, 1 for others to decide."},
		{[]policy.Authorization{allowed}, exitOK, "The policies let the call through: 1 authorization, all allowed."},
	} {
		out.Reset()
		if code := report(c, tellAuthorizations(c, row.list), &out); code != row.code || !strings.Contains(out.String(), row.want) {
			t.Errorf("%d %s", code, out.String())
		}
	}
	out.Reset()
	if err := tellAuthorizations(c, []policy.Authorization{allowed, denied, undecided}); err == nil {
		t.Error("no finding")
	}
	for _, want := range []string{
		"allowed    eu-west-1  bedrock:InvokeModel  invoke/Models  arn:",
		"denied     eu-west-1  bedrock:InvokeModel  deny-regions   arn:",
		"undecided  eu-west-1  bedrock:InvokeModel  -              arn:",
		"denied: bedrock:InvokeModel on arn:aws:bedrock:eu-west-1::foundation-model/m in eu-west-1 (a destination): it denies",
		"undecided: ", "a key policy decides", "1 of 3 authorizations",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
