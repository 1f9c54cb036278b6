package policy

import (
	"strings"
	"unicode/utf8"
)

// arnToken is one step of a pattern: a character, or a wildcard.
type arnToken struct {
	char rune // zero for a wildcard
	run  bool // any number of characters, and not one
	part bool // no colon
}

// takes reports whether some character is of both tokens.
func (a arnToken) takes(b arnToken) bool {
	switch {
	case a.char != 0 && b.char != 0:
		return a.char == b.char
	case a.part:
		return b.char != ':'
	case b.part:
		return a.char != ':'
	}
	return true
}

// meets reports whether some ARN matches both a pattern of a policy and the form of a
// resource type's ARNs, in which ${Name} stands for a text that is not empty, without a
// colon before the resource's part. A variable of the policy can be any text.
func meets(pattern, form string) bool {
	if p, ok := splitARN(pattern); ok && !strings.Contains(pattern, "${") {
		// Most forms differ in the resource type, and need no table.
		f, _ := splitARN(form)
		x, y := head(p[arnParts-1]), head(f[arnParts-1])
		if n := min(len(x), len(y)); x[:n] != y[:n] {
			return false
		}
	}
	a, b := patternTokens(pattern), formTokens(form)
	width := len(b) + 1
	reached := make([]bool, (len(a)+1)*width) // the tokens of a and of b that one text can match
	reached[0] = true
	for i := range len(a) + 1 {
		for j := range width {
			at := i*width + j
			if !reached[at] {
				continue
			}
			if i < len(a) && a[i].run { // of no characters
				reached[at+width] = true
			}
			if j < len(b) && b[j].run {
				reached[at+1] = true
			}
			if i == len(a) || j == len(b) || !a[i].takes(b[j]) {
				continue
			}
			switch {
			case !a[i].run && !b[j].run:
				reached[at+width+1] = true
			case !a[i].run:
				reached[at+width] = true
			case !b[j].run:
				reached[at+1] = true
			}
		}
	}
	return reached[len(reached)-1]
}

// head is what stands before the first wildcard or variable.
func head(s string) string {
	if i := strings.IndexAny(s, wildcards); i >= 0 {
		return s[:i]
	}
	return s
}

// patternTokens reads a pattern of a policy. A wildcard in one of the first parts of an
// ARN of six parts has no colon.
func patternTokens(s string) []arnToken {
	var tokens []arnToken
	whole, colons := strings.Count(withoutVariables(s), ":") >= arnParts-1, 0
	for s != "" {
		part := whole && colons < arnParts-1
		if rest, isVariable := strings.CutPrefix(s, "${"); isVariable {
			_, s, _ = strings.Cut(rest, "}")
			tokens = append(tokens, arnToken{run: true, part: part})
			continue
		}
		c, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch c {
		case '*':
			tokens = append(tokens, arnToken{run: true, part: part})
		case '?':
			tokens = append(tokens, arnToken{part: part})
		default:
			if c == ':' {
				colons++
			}
			tokens = append(tokens, arnToken{char: c})
		}
	}
	return tokens
}

// formTokens reads the form of a resource type's ARNs.
func formTokens(s string) []arnToken {
	var tokens []arnToken
	colons := 0
	for s != "" {
		if rest, isName := strings.CutPrefix(s, "${"); isName {
			_, s, _ = strings.Cut(rest, "}")
			part := colons < arnParts-1
			tokens = append(tokens, arnToken{part: part}, arnToken{run: true, part: part})
			continue
		}
		if s[0] == ':' {
			colons++
		}
		tokens = append(tokens, arnToken{char: rune(s[0])})
		s = s[1:]
	}
	return tokens
}

// withoutVariables puts a wildcard for each ${…}.
func withoutVariables(s string) string {
	var b strings.Builder
	for {
		head, rest, found := strings.Cut(s, "${")
		b.WriteString(head)
		if !found {
			return b.String()
		}
		_, s, _ = strings.Cut(rest, "}")
	}
}
