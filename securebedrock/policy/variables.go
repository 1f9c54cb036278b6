package policy

import "strings"

// variable is one ${…} of a policy's string.
type variable struct {
	literal  byte   // of ${*}, ${?} and ${$}; zero for a key
	key      string // a condition key
	fallback string // the value where the request has no such key
	defaults bool   // there is a fallback
}

// cutVariable cuts s before and after its first variable. fault says why the variable
// cannot be read. Forms: IAM User Guide reference_policies_variables.
func cutVariable(s string) (before string, v variable, after string, found bool, fault string) {
	before, rest, found := strings.Cut(s, "${")
	if !found {
		return s, v, "", false, ""
	}
	inner, after, closed := strings.Cut(rest, "}")
	if !closed {
		return "", v, "", false, "has a variable that is not closed"
	}
	switch inner {
	case "*":
		return before, variable{literal: literalStar}, after, true, ""
	case "?":
		return before, variable{literal: literalMark}, after, true, ""
	case "$":
		return before, variable{literal: '$'}, after, true, ""
	}
	v.key, v.fallback, v.defaults = strings.Cut(inner, ",")
	if v.defaults {
		quoted := strings.TrimLeft(v.fallback, " ")
		v.fallback = strings.TrimSuffix(strings.TrimPrefix(quoted, "'"), "'")
		if len(quoted) != len(v.fallback)+2 || strings.ContainsAny(v.fallback, "'*?${") {
			return "", v, "", false, "has a variable whose default value is not plain text in single quotes"
		}
	}
	if !isConditionKey(v.key) {
		return "", v, "", false, "has a variable that is no condition key"
	}
	return before, v, after, true, ""
}

// isConditionKey reports whether s has the form of a condition key. A tag's key may hold
// blanks.
func isConditionKey(s string) bool {
	prefix, name, ok := strings.Cut(s, ":")
	if !ok || prefix == "" || name == "" || strings.TrimSpace(s) != s {
		return false
	}
	return !strings.ContainsAny(s, "*?${}'\"\\,")
}

// plain reports whether a string holds neither a variable nor a control character.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c == '$' || c < ' ' {
			return false
		}
	}
	return true
}

// variableFault says why the variables of a string cannot be read; empty for none.
func variableFault(s string) string {
	if plain(s) {
		return ""
	}
	for strings.Contains(s, "${") {
		_, _, after, _, fault := cutVariable(s)
		if fault != "" {
			return fault
		}
		s = after
	}
	if strings.ContainsAny(s, "\x01\x02") {
		return "has a control character"
	}
	return ""
}

// expand puts the request's values in the place of the variables. pattern says that the
// result is matched with wildcards: ${*} and ${?} become literalStar and literalMark
// then. ok is false where a variable has no value; such a string matches nothing.
func (f *facts) expand(s string, pattern bool) (text string, ok bool, fault string) {
	if !strings.Contains(s, "${") {
		return s, true, ""
	}
	var b strings.Builder
	for {
		before, v, after, found, fault := cutVariable(s)
		if fault != "" {
			return "", false, fault
		}
		b.WriteString(before)
		if !found {
			return b.String(), true, ""
		}
		s = after
		switch v.literal {
		case 0:
		case literalStar, literalMark:
			if pattern {
				b.WriteByte(v.literal)
			} else {
				b.WriteByte(map[byte]byte{literalStar: '*', literalMark: '?'}[v.literal])
			}
			continue
		default:
			b.WriteByte(v.literal)
			continue
		}
		values := f.values(v.key)
		switch {
		case len(values) > 1: // IAM User Guide reference_policies_condition-single-vs-multi-valued-context-keys
			return "", false, "has a variable of a key with several values"
		case len(values) == 1 && strings.ContainsAny(values[0], "*?\x01\x02") && pattern:
			return "", false, "has a variable whose value holds a wildcard"
		case len(values) == 1:
			b.WriteString(values[0])
		case v.defaults:
			b.WriteString(v.fallback)
		default:
			return "", false, ""
		}
	}
}
