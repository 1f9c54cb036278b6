package profiles

import "strings"

// isRegion accepts what can be a region's name: words of letters, then a number.
func isRegion(s string) bool {
	words := strings.Split(s, "-")
	if len(words) < 3 || len(s) > 32 {
		return false
	}
	last := words[len(words)-1]
	if last == "" || strings.Trim(last, "0123456789") != "" {
		return false
	}
	for _, w := range words[:len(words)-1] {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return r < 'a' || r > 'z' }) {
			return false
		}
	}
	return true
}
