package policy

import (
	"slices"
	"strings"
)

// openDoors finds what a document leaves open beside the door that it shuts.
func (l *linter) openDoors(d Document) {
	endpoint := -1
	for i := range d.Statements {
		s := &d.Statements[i]
		l.sid = sidOf(d, i)
		switch {
		case s.Effect == Allow && s.names(invokeModel) && endpoint < 0:
			endpoint = i
		case s.Effect != Deny:
		case s.names(invokeModel) && !s.names(invokeModelStream) && s.reachesStreams() && !d.alsoDenies(s, invokeModelStream):
			l.add(RuleStreamOpen, "add "+invokeModelStream, "%s is denied and %s is not, so that ConverseStream passes", invokeModel, invokeModelStream)
		}
		if s.Effect == Deny && slices.ContainsFunc(s.Action, isAllOfBedrock) && !d.alsoDenies(s, "bedrock-mantle:CreateInference") {
			l.add(RuleMantleOpen, "add bedrock-mantle:*", "bedrock:* is denied and bedrock-mantle:* is not, so that inference through Mantle passes")
		}
	}
	allows := func(s Statement) bool { return s.Effect == Allow && s.names(applyGuardrail) }
	if d.Kind == KindEndpoint && endpoint >= 0 && !slices.ContainsFunc(d.Statements, allows) {
		l.sid = sidOf(d, endpoint)
		l.add(RuleEndpoint, "allow "+applyGuardrail+" on the guardrail", "the endpoint lets inference through and not %s, which every call needs once a guardrail is enforced", applyGuardrail)
	}
}

func isAllOfBedrock(pattern string) bool { return strings.EqualFold(pattern, "bedrock:*") }

// reachesStreams reports whether the statement's conditions and resources can also be
// said of the stream action.
func (s *Statement) reachesStreams() bool {
	for _, t := range s.Condition.tests() {
		if strings.HasPrefix(strings.ToLower(t.key), "bedrock:") && !hasKey(invokeModelStream, t.key) {
			return false
		}
	}
	types := typesOf(invokeModelStream)
	return s.Resource == nil || slices.ContainsFunc(s.Resource, func(r string) bool { return strings.Trim(r, "*") == "" || types.take(r) })
}

// alsoDenies reports whether a statement denies the action wherever s denies its own.
func (d Document) alsoDenies(s *Statement, action string) bool {
	return slices.ContainsFunc(d.Statements, func(other Statement) bool {
		return other.Effect == Deny && other.names(action) && s.Condition.demands(other.Condition) &&
			(slices.Equal(other.Resource, []string{"*"}) || slices.Equal(other.Resource, s.Resource) && slices.Equal(other.NotResource, s.NotResource)) &&
			(other.Principal == nil || other.Principal.Any || s.Principal != nil && slices.Equal(other.Principal.AWS, s.Principal.AWS))
	})
}

// demands reports whether a request that meets c also meets the other.
func (c Condition) demands(other Condition) bool {
	for operator, keys := range other {
		op, _ := readOperator(operator)
		for key, values := range keys {
			own, ok := c[operator][key]
			narrow, wide := own, values
			if op.negated {
				narrow, wide = values, own
			}
			if !ok || slices.ContainsFunc(narrow, func(v string) bool { return !slices.Contains(wide, v) }) {
				return false
			}
		}
	}
	return true
}
