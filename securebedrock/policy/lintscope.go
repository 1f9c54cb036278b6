package policy

import (
	"errors"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// scope finds statements that reach further than they seem to.
func (l *linter) scope(s *Statement, kind Kind) {
	if s.Effect != Allow {
		return
	}
	if s.NotAction != nil {
		l.add(RuleAllowNotAction, "name the allowed actions in Action", "Allow with NotAction allows every other action, also those of services that AWS adds later")
	}
	p := s.Principal
	if p == nil {
		return
	}
	if kind == KindTrust && (p.Any || slices.Contains(p.AWS, "*")) {
		l.add(RuleTrustAnyone, "name the accounts or roles in Principal", `the role trusts "*", which is every principal of every account`)
	}
	if services := slices.DeleteFunc(slices.Clone(p.Service), tellsNoSource); len(services) > 0 && !s.restricts(isSource) {
		l.add(RuleServicePrincipal, "compare aws:SourceAccount and aws:SourceArn", "%s acts for every account of AWS, and nothing says for which one it may act here", quotedName(services[0]))
	}
	if kind == KindTrust && len(p.Federated) > 0 && s.names("sts:AssumeRoleWithWebIdentity") && !slices.Contains(p.Federated, "cognito-identity.amazonaws.com") &&
		!(s.restricts(endsIn(":aud")) && s.restricts(endsIn(":sub"))) {
		l.add(RuleWebIdentity, "compare the provider's keys that end in :aud and :sub", "an identity of the provider gets the role whatever its audience or subject is")
	}
}

// tellsNoSource are services whose role is passed to them with iam:PassRole, and whose
// pages show no source key in the role's trust policy. Whether they send one is unverified.
func tellsNoSource(service string) bool {
	return service == "ec2.amazonaws.com" || service == "lambda.amazonaws.com"
}

// isSource are the keys that say on whose behalf a service acts. KMS Developer Guide
// services-cwl (CloudWatch Logs) and UG encryption-agents use an encryption context; EKS
// User Guide pod-id-role uses request tags.
func isSource(key string) bool {
	switch key = strings.ToLower(key); key {
	case "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:requesttag/eks-cluster-arn":
		return true
	}
	return strings.HasPrefix(key, "kms:encryptioncontext:")
}

func endsIn(suffix string) func(string) bool {
	return func(key string) bool { return strings.HasSuffix(strings.ToLower(key), suffix) }
}

// restricts reports whether the statement demands a value of a key.
func (s *Statement) restricts(key func(string) bool) bool {
	return slices.ContainsFunc(s.Condition.tests(), func(t test) bool { return t.restricts() && key(t.key) })
}

// sids finds what IAM refuses: reference_policies_elements_sid.
func (l *linter) sids(d Document) {
	seen := make(map[string]bool)
	for _, s := range d.Statements {
		l.sid = s.Sid
		switch {
		case s.Sid == "":
			continue
		case seen[s.Sid]:
			l.add(RuleSid, "give each statement a Sid of its own", "the Sid stands twice")
		case !d.Kind.facts().resource && strings.ContainsFunc(s.Sid, func(c rune) bool { return !isAlphanumeric(c) }):
			l.add(RuleSid, "use letters and digits of ASCII alone", "the Sid has another character than a letter or a digit")
		}
		seen[s.Sid] = true
	}
}

func isAlphanumeric(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// enforced turns the faults of an organisation's Bedrock policy into findings.
func (l *linter) enforced(g *GuardrailInference) {
	var faults refusal.Faults
	g.faults(&faults)
	l.addAll(RuleEnforced, "correct the entry, since a wrong identifier stops all inference under the policy", faults.Err())
}

// endpointLanguage turns what an endpoint cannot be given into findings.
func (l *linter) endpointLanguage(d *Document) {
	if d.Kind == KindEndpoint {
		l.addAll(RuleEndpointLanguage, "write the statement in the language of endpoint policies (AWS PrivateLink Guide, vpc-endpoints-access)", endpointLanguage(d))
	}
}

// addAll turns each of the joined faults into a finding.
func (l *linter) addAll(rule Rule, remedy string, faults error) {
	var list interface{ Unwrap() []error }
	if errors.As(faults, &list) {
		for _, fault := range list.Unwrap() {
			l.add(rule, remedy, "%v", fault)
		}
	}
}
