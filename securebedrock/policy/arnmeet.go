package policy

import "strings"

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
// colon before the resource's part. A variable of the policy can be any text. A wildcard
// of the policy may reach over colons.
func meets(pattern, form string) bool {
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

func patternTokens(s string) []arnToken {
	var tokens []arnToken
	for s != "" {
		if rest, isVariable := strings.CutPrefix(s, "${"); isVariable {
			_, s, _ = strings.Cut(rest, "}")
			tokens = append(tokens, arnToken{run: true})
			continue
		}
		c := []rune(s)[0]
		s = s[len(string(c)):]
		switch c {
		case '*':
			tokens = append(tokens, arnToken{run: true})
		case '?':
			tokens = append(tokens, arnToken{})
		default:
			tokens = append(tokens, arnToken{char: c})
		}
	}
	return tokens
}

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
