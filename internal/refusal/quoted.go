package refusal

import (
	"strconv"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/token"
)

// Quoted repeats a caller's value in an error where the value can be an identifier,
// and not a text or a secret that was put in the wrong place.
func Quoted(s string) string {
	if len(s) > 128 || !Repeatable(s) || strings.ContainsFunc(s, func(r rune) bool { return token.NotIdentifier(r) && !strings.ContainsRune("; =", r) }) {
		return "(no identifier)"
	}
	return strconv.Quote(s)
}

// QuotedWord repeats what can be the name of an operation, mistyped.
func QuotedWord(s string) string {
	if len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') }) {
		return Quoted(s)
	}
	return strconv.Quote(s)
}

// Repeatable reports whether s has the form of an identifier's words. Such words are
// short, or keep to one case. Tokens and keys do neither.
func Repeatable(s string) bool {
	if token.In(s) {
		return false
	}
	for run := range strings.FieldsFuncSeq(s, token.NotAlphanumeric) {
		if len(run) > 24 || len(run) >= 12 && run != strings.ToLower(run) && run != strings.ToUpper(run) {
			return false
		}
	}
	return true
}
