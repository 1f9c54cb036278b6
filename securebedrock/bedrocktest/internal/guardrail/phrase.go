package guardrail

import "regexp"

// phrase is one or more words, found whole and in any case.
type phrase struct {
	word    string
	pattern *regexp.Regexp
}

// phrases compiles every entry that is not empty.
func phrases(words []string) []phrase {
	var out []phrase
	for _, word := range words {
		if word != "" {
			// A quoted word always compiles.
			out = append(out, phrase{word, regexp.MustCompile(`(?i)(?:^|[^\pL\pN])(` + regexp.QuoteMeta(word) + `)(?:$|[^\pL\pN])`)})
		}
	}
	return out
}

// findPhrase returns the first match in texts.
func findPhrase(p phrase, texts []*string) (string, bool) {
	for _, text := range texts {
		if m := p.pattern.FindStringSubmatch(*text); m != nil {
			return m[1], true
		}
	}
	return "", false
}

// anyFound reports whether texts have one of the phrases.
func anyFound(phrases []phrase, texts []*string) bool {
	for _, p := range phrases {
		if _, ok := findPhrase(p, texts); ok {
			return true
		}
	}
	return false
}
