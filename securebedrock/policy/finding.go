package policy

import (
	"cmp"
	"fmt"
	"slices"
)

// Finding is what Lint has against a document.
type Finding struct {
	// Sid is the statement's Sid, or its place, such as "#2", where the statement has no
	// Sid. Sid is empty where the finding is about the whole document.
	Sid    string
	Rule   Rule
	Detail string // what is wrong, and what AWS makes of it
	Remedy string
}

// String says everything in one line.
func (f Finding) String() string {
	if f.Sid == "" {
		return fmt.Sprintf("%s: %s; %s", f.Rule, f.Detail, f.Remedy)
	}
	return fmt.Sprintf("%s: %s: %s; %s", f.Sid, f.Rule, f.Detail, f.Remedy)
}

// Rule names what a Finding is about, so that a program can leave a rule out.
type Rule string

// The rules of Lint.
const (
	RuleAction           Rule = "unknown-action"               // an action, or a service's prefix, that does not exist
	RuleWildcard         Rule = "wildcard-matches-nothing"     // a pattern that matches no action
	RuleKey              Rule = "unknown-key"                  // a condition key that does not exist
	RuleKeyOfAction      Rule = "key-not-of-action"            // a condition key that the action does not have
	RuleResourceType     Rule = "resource-type"                // an action on resources of types that it does not take, or a resource that no action takes
	RuleNoResourceType   Rule = "no-resource-type"             // an action that takes "*" alone, on an ARN
	RuleARN              Rule = "arn-form"                     // a Bedrock ARN that no resource has
	RuleLiteralWildcard  Rule = "literal-wildcard"             // a wildcard under an operator that compares texts
	RuleGuardrailNull    Rule = "guardrail-present-only"       // a guardrail is demanded, and any is enough
	RuleGuardrailDraft   Rule = "guardrail-draft"              // the working draft of a guardrail is enough
	RuleStreamOpen       Rule = "stream-left-open"             // InvokeModel is denied and the stream action is not
	RuleMantleOpen       Rule = "mantle-left-open"             // bedrock:* is denied and bedrock-mantle:* is not
	RuleEndpoint         Rule = "endpoint-without-guardrail"   // an endpoint policy without ApplyGuardrail
	RuleEndpointLanguage Rule = "endpoint-language"            // what the language of endpoint policies refuses
	RuleAllowNotAction   Rule = "allow-not-action"             // Allow with NotAction
	RuleServicePrincipal Rule = "service-without-source"       // a service is trusted for any account
	RuleTrustAnyone      Rule = "trust-anyone"                 // a role that trusts "*"
	RuleWebIdentity      Rule = "web-identity-without-subject" // an OIDC provider is trusted for any subject or audience
	RuleSid              Rule = "sid"                          // a Sid that AWS refuses
	RuleEnforced         Rule = "enforced-guardrail"           // an organisation's Bedrock policy that AWS refuses
)

// linter collects the findings of one document.
type linter struct {
	sid      string // of the statement at hand
	findings []Finding
}

func (l *linter) add(rule Rule, remedy, format string, args ...any) {
	f := Finding{Sid: l.sid, Rule: rule, Detail: fmt.Sprintf(format, args...), Remedy: remedy}
	if !slices.Contains(l.findings, f) {
		l.findings = append(l.findings, f)
	}
}

// sidOf names a statement.
func sidOf(d Document, i int) string {
	return cmp.Or(d.Statements[i].Sid, fmt.Sprintf("#%d", i+1))
}

func participle(effect Effect) string {
	if effect == Deny {
		return "denied"
	}
	return "allowed"
}
