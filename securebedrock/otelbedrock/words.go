package otelbedrock

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"

	"github.com/securebedrock/securebedrock-go/internal/token"
)

// guardrailID is the last part of a guardrail's ARN, or the ID itself.
func guardrailID(s string) string {
	return s[strings.LastIndexByte(s, '/')+1:]
}

func appendWord(a []attribute.KeyValue, key attribute.Key, s string) []attribute.KeyValue {
	if s = word(s); s == "" {
		return a
	}
	return append(a, key.String(s))
}

func appendWords(a []attribute.KeyValue, key attribute.Key, all []string) []attribute.KeyValue {
	kept := make([]string, 0, len(all))
	for _, s := range all {
		if s = word(s); s != "" {
			kept = append(kept, s)
		}
	}
	if len(kept) == 0 {
		return a
	}
	return append(a, key.StringSlice(kept))
}

const longestWord = 128

// word returns s where it can be an identifier, and nothing where it could be a
// text: what a server writes into a stop reason or an error code is its own
// choice.
func word(s string) string {
	if len(s) > longestWord || strings.ContainsFunc(s, token.NotIdentifier) {
		return ""
	}
	return s
}

// reason is the owner's sentence, from securebedrock.Options. It is kept as it is
// unless it is none.
func reason(s string) string {
	if len(s) > 256 || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "(not one line of at most 256 bytes)"
	}
	return s
}

// widened is the number that was meant: 0.7, not 0.699999988079071.
func widened(f float32) float64 {
	d, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		return float64(f)
	}
	return d
}
