package securebedrock

// RuleName returns the name of the rule that refused a call, for records, metrics and
// alerts. The name of an Err… value of this package is the value's name in lower case
// with underscores: "residency", "guardrail_override", "read_timeout", … RuleName
// returns "" for nil and for an error of no rule.
//
// A Middleware's own rule has a name where its error, or an error that it wraps, has a
// method RuleName() string. The name must have 1 to 64 lower-case letters, digits and
// underscores, and must begin with a letter. A name of another form is ignored. Use a
// small fixed set of names. Never put a value into a name.
//
// Where an error wraps or joins several, the outermost and first named one counts. A
// panic in one of the error's methods is caught, and RuleName returns "".
func RuleName(err error) (name string) {
	defer func() {
		if recover() != nil {
			name = ""
		}
	}()
	nodes := maxErrors
	return ruleName(err, rulesByName(), &nodes)
}

// maxErrors bounds how many errors are examined, since Unwrap may return anything.
const maxErrors = 256

func ruleName(err error, rules []namedRule, nodes *int) string {
	if *nodes--; err == nil || *nodes < 0 {
		return ""
	}
	if named, ok := err.(interface{ RuleName() string }); ok {
		if name := named.RuleName(); isRuleName(name) {
			return name
		}
	}
	is, _ := err.(interface{ Is(error) bool })
	for _, r := range rules {
		if err == r.rule || is != nil && is.Is(r.rule) { //nolint:errorlint // each of the errors is asked by itself
			return r.name
		}
	}
	switch wrapper := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		return ruleName(wrapper.Unwrap(), rules, nodes)
	case interface{ Unwrap() []error }:
		for _, err := range wrapper.Unwrap() {
			if name := ruleName(err, rules, nodes); name != "" {
				return name
			}
		}
	}
	return ""
}

type namedRule struct {
	rule error
	name string
}

// rulesByName returns all rules of this package.
func rulesByName() []namedRule {
	return []namedRule{
		{ErrConfig, "config"},
		{ErrClosed, "closed"},
		{ErrRegion, "region"},
		{ErrAccount, "account"},
		{ErrResidency, "residency"},
		{ErrModel, "model"},
		{ErrBypassed, "bypassed"},
		{ErrGuardrailRequired, "guardrail_required"},
		{ErrGuardrailOverride, "guardrail_override"},
		{ErrGuardrailCoverage, "guardrail_coverage"},
		{ErrGuardrailUnverified, "guardrail_unverified"},
		{ErrUnguardedOperation, "unguarded_operation"},
		{ErrEndpoint, "endpoint"},
		{ErrAuth, "auth"},
		{ErrRedirect, "redirect"},
		{ErrConnectTimeout, "connect_timeout"},
		{ErrReadTimeout, "read_timeout"},
		{ErrCallTimeout, "call_timeout"},
		{ErrStreamTruncated, "stream_truncated"},
		{ErrAnswerIncomplete, "answer_incomplete"},
		{ErrAnswerSize, "answer_size"},
		{ErrAudit, "audit"},
	}
}

func isRuleName(s string) bool {
	if len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}
