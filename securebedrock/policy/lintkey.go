package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/iamdata"
)

// test is one operator and key of a condition.
type test struct {
	operator string
	op       operator
	key      string
	values   []string
}

// tests lists a condition's in a fixed order. An operator that IAM does not have is left
// out; Parse and Decide refuse it.
func (c Condition) tests() []test {
	var list []test
	for _, name := range slices.Sorted(maps.Keys(c)) {
		op, ok := readOperator(name)
		if !ok {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(c[name])) {
			list = append(list, test{name, op, key, c[name][key]})
		}
	}
	return list
}

// restricts reports whether a test fails where the key is absent or has another value.
func (t test) restricts() bool {
	return t.op.family != null && !t.op.negated && !t.op.ifExists && t.op.set != forAllValues
}

// keys finds condition keys that do not exist.
func (l *linter) keys(s *Statement) {
	for _, t := range s.Condition.tests() {
		prefix, _, _ := strings.Cut(strings.ToLower(t.key), ":")
		var known []string
		switch {
		case prefix == "aws":
			known = iamdata.GlobalKeys()
		case iamdata.Known(prefix):
			known = iamdata.ServiceKeys(prefix)
		case strings.HasPrefix(prefix, "bedrock") && !slices.Contains(iamdata.Prefixes(), prefix):
		default:
			continue
		}
		if !slices.ContainsFunc(known, func(k string) bool { return keyIs(k, t.key) }) {
			l.add(RuleKey, insteadOfKey(t.key), "%s is no condition key, and no request has it%s", quotedName(t.key), absence(s.Effect, t, "call that the statement names"))
		}
	}
}

func insteadOfKey(key string) string {
	switch strings.ToLower(key) {
	case "bedrock:guardrailarn", "bedrock:guardrailid", "bedrock:guardrail", "bedrock:guardrailversion":
		return "write bedrock:GuardrailIdentifier, whose value is the guardrail's ARN, a colon and the version"
	case "bedrock:modelid", "bedrock:foundationmodel":
		return "name the model's ARN in Resource"
	}
	return "look the key up in AWS's Service Authorization Reference, or in the global condition keys of the IAM User Guide"
}

// keyIs compares a key of the table, in which ${Name} and <key> stand for a text, with
// one of a policy. Keys have no case.
func keyIs(known, key string) bool {
	if i := strings.IndexAny(known, "$<"); i >= 0 {
		end := strings.IndexAny(known[i:], "}>")
		known = known[:i] + "?*" + known[i+end+1:]
	}
	return glob(known, key, true)
}

// absence says what a statement does to calls without the key.
func absence(effect Effect, t test, calls string) string {
	switch holds, fault := t.op.holds(t.values, nil, nil); {
	case fault != "":
		return ""
	case holds && effect == Deny:
		return "; " + t.operator + " holds for an absent key, so every " + calls + " is denied"
	case holds:
		return "; " + t.operator + " holds for an absent key, so the test restricts no " + calls
	default:
		return "; " + t.operator + " does not hold for an absent key, so no " + calls + " is " + participle(effect)
	}
}

// keysOfActions finds keys that exist and that an action of the statement does not have.
// IfExists says that the author knows, and has no finding.
func (l *linter) keysOfActions(s *Statement) {
	for _, t := range s.Condition.tests() {
		prefix, _, _ := strings.Cut(strings.ToLower(t.key), ":")
		exists := slices.ContainsFunc(iamdata.ServiceKeys(prefix), func(k string) bool { return keyIs(k, t.key) })
		if t.op.ifExists || !exists {
			continue
		}
		for _, pattern := range s.Action {
			service, _, _ := strings.Cut(strings.ToLower(pattern), ":")
			if service != prefix && (!strings.HasPrefix(service, "bedrock") || !strings.HasPrefix(prefix, "bedrock")) {
				continue
			}
			actions, known := actionsOf(pattern)
			if known && !slices.ContainsFunc(actions, func(action string) bool { return hasKey(action, t.key) }) {
				l.add(RuleKeyOfAction, "put the action into a statement of its own, with a key that it has", "%s has no key %s%s",
					quotedName(pattern), quotedName(t.key), absence(s.Effect, t, "call of the action"))
			}
		}
	}
}

// hasKey reports whether a request of an action may have a key, also where the table
// does not know.
func hasKey(action, key string) bool {
	keys, known := iamdata.Keys(action)
	return !known || slices.ContainsFunc(keys, func(k string) bool { return keyIs(k, key) })
}

func isGuardrailKey(key string) bool {
	return strings.EqualFold(key, keyGuardrail)
}
