package policy

import (
	"strings"
)

// guardrail finds conditions that more guardrails meet than the author means.
func (l *linter) guardrail(s *Statement) {
	asked, compared := false, false
	for _, t := range s.Condition.tests() {
		if !isGuardrailKey(t.key) {
			continue
		}
		if t.op.family == null {
			asked = true
			continue
		}
		compared = true
		for _, value := range t.values {
			l.version(s.Effect, t, value)
		}
	}
	if asked && !compared {
		l.add(RuleGuardrailNull, "compare the value: StringNotEquals in a Deny, StringEquals in an Allow, with the guardrail's ARN, a colon and the version; a call without a guardrail fails both",
			"Null asks only whether a guardrail is there, and any guardrail of the account, a lax one too, is enough")
	}
}

// version finds values that stand for the working draft, which changes without notice.
// Its ARN has no version (UG guardrails-permissions-id).
func (l *linter) version(effect Effect, t test, value string) {
	const remedy = "write the guardrail's ARN, a colon and a published version"
	id := value
	if i := strings.LastIndexByte(value, '/'); i >= 0 {
		id = value[i+1:]
	}
	_, version, versioned := strings.Cut(id, ":")
	if !strings.Contains(value, "/") && strings.HasPrefix(value, "arn:") {
		versioned = false // a pattern such as arn:aws:bedrock:*, in which the colons are the ARN's
	}
	passes := effect == Allow && !t.op.negated || effect == Deny && t.op.negated
	switch {
	case versioned && strings.EqualFold(version, "DRAFT"):
		l.add(RuleGuardrailDraft, remedy, "%s matches no call: the working draft has the ARN without a version", quotedName(value))
	case !versioned && passes:
		l.add(RuleGuardrailDraft, remedy, "%s names no version, and the working draft of the guardrail is enough", quotedName(value))
	}
}
