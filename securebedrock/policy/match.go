package policy

import (
	"strings"
	"unicode/utf8"
)

// literalStar and literalMark stand in an expanded pattern for the characters * and ?
// themselves, which a policy writes as ${*} and ${?}. IAM's character set has neither
// control character.
const (
	literalStar = '\x01'
	literalMark = '\x02'
)

// glob matches s against a pattern in which * stands for any run of characters and ?
// for one character.
func glob(pattern, s string, fold bool) bool {
	// The end differs most often: models and regions share their beginnings.
	for len(pattern) > 0 && len(s) > 0 {
		c := pattern[len(pattern)-1]
		if c == '*' || c == '?' {
			break
		}
		if !sameByte(c, s[len(s)-1], fold) {
			return false
		}
		pattern, s = pattern[:len(pattern)-1], s[:len(s)-1]
	}
	p, i := 0, 0
	star, mark := -1, 0 // the last * and where its run ends
	for i < len(s) {
		if p < len(pattern) {
			switch c := pattern[p]; {
			case c == '*':
				star, mark = p, i
				p++
				continue
			case c == '?':
				p++
				i += runeLen(s[i:])
				continue
			case sameByte(c, s[i], fold):
				p++
				i++
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark++
		p, i = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func runeLen(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

func sameByte(p, c byte, fold bool) bool {
	switch {
	case p == literalStar:
		return c == '*'
	case p == literalMark:
		return c == '?'
	case p == c:
		return true
	}
	return fold && lower(p) == lower(c)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// actionFault says why an entry of Action or NotAction cannot be read; empty for none.
func actionFault(entry string) string {
	if entry == "*" {
		return ""
	}
	prefix, name, ok := strings.Cut(entry, ":")
	switch {
	case !ok || prefix == "" || name == "":
		return "is no action of the form prefix:Name"
	case prefix != "*" && strings.ContainsAny(prefix, "*?"):
		return "has a wildcard in its service prefix"
	}
	for i := range len(entry) {
		switch c := lower(entry[i]); {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == ':', c == '*', c == '?':
		default:
			return "has a character that no action has"
		}
	}
	return ""
}

// arnParts is the number of an ARN's parts.
const arnParts = 6

// splitARN cuts an ARN, or a pattern of one, into its six parts. The last part may hold
// colons.
func splitARN(s string) (parts [arnParts]string, ok bool) {
	for i := range arnParts - 1 {
		head, rest, found := strings.Cut(s, ":")
		if !found {
			return parts, false
		}
		parts[i], s = head, rest
	}
	parts[arnParts-1] = s
	return parts, parts[0] == "arn"
}

// arnLike matches each of the six parts by itself.
func arnLike(pattern, arn [arnParts]string) bool {
	for i := arnParts - 1; i >= 0; i-- { // the last part differs most often
		if !glob(pattern[i], arn[i], false) {
			return false
		}
	}
	return true
}

// resourceFault says why an entry of Resource or NotResource cannot be read; empty for
// none.
func resourceFault(kind Kind, entry string) string {
	if onlyStars(entry) {
		return ""
	}
	if !strings.HasPrefix(entry, "arn:") {
		return "is neither * nor an ARN"
	}
	head := entry
	if !plain(entry) {
		if i := strings.Index(entry, "${"); i >= 0 {
			head = entry[:i]
		}
	}
	switch colons := strings.Count(head, ":"); {
	case colons >= arnParts-1:
		return variableFault(entry)
	case len(head) < len(entry):
		return "has a variable before the resource's part" // reference_policies_variables
	}
	switch kind {
	// IAM completes such an ARN with wildcards in an identity policy, and refuses it in a
	// session policy (Service Authorization pages on ARNs; reference_identifiers).
	case KindManaged, KindInline, KindBoundary:
		return variableFault(entry)
	}
	return "is an ARN of fewer than six parts"
}

func onlyStars(s string) bool {
	return s == "*" || s != "" && s[0] == '*' && strings.Trim(s, "*") == ""
}

// resourceMatch is how a pattern of Resource stands to a resource.
type resourceMatch int

const (
	matchNo resourceMatch = iota
	matchYes
	// matchUnclear: whether the wildcard reaches over a colon is not documented.
	matchUnclear
)

// matchResource matches a resource against an entry of Resource whose variables are
// expanded. The resource "*" is that of an action without a resource type. No ARN matches
// it.
//
// A wildcard stands for characters within one of the ARN's parts. A * at the end of a
// part may match over colons (IAM User Guide reference_policies_elements_resource).
func matchResource(pattern, resource string) resourceMatch {
	if onlyStars(pattern) {
		return matchYes
	}
	if strings.Count(pattern, ":") < arnParts-1 {
		pattern += ":*" // stands for the missing parts, all of them
	}
	if !glob(pattern, resource, false) {
		return matchNo
	}
	if p, ok := splitARN(pattern); ok {
		if r, isARN := splitARN(resource); isARN && arnLike(p, r) {
			return matchYes
		}
	}
	rest := pattern
	for range arnParts - 1 {
		part, after, _ := strings.Cut(rest, ":")
		if strings.ContainsAny(strings.TrimSuffix(part, "*"), "*?") {
			return matchUnclear
		}
		rest = after
	}
	return matchYes
}
