package audit

import (
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/securebedrock/securebedrock-go/internal/token"
)

// noWord replaces a text that does not have the form of an identifier. Such a text
// may be a prompt in the wrong place.
const noWord = "(no identifier)"

// word returns a text from somebody else if it has the form of an identifier: a
// request ID, an error code, an ARN, a stop reason.
func word(s string) string {
	const extra = "-_.:/+=,@*"
	if len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool {
		return token.NotAlphanumeric(r) && !strings.ContainsRune(extra, r)
	}) {
		return s
	}
	return noWord
}

func words(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	out := slices.Clone(list)
	for i := range out {
		out[i] = word(out[i])
	}
	return out
}

// phrase returns the owner's own text on one line, with at most 1024 bytes.
func phrase(s string) string {
	const most = 1024
	s = strings.ToValidUTF8(s, "\uFFFD")
	for len(s) > most {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// hostOf returns a host name or address with its port.
func hostOf(s string) string {
	if _, err := netip.ParseAddrPort(s); err == nil {
		return s
	}
	return word(s)
}

// identifier is word for a name that a caller chose. It also rejects keys and
// tokens, which have the form of a word.
func identifier(s string) string {
	if token.In(s) {
		return noWord
	}
	return word(s)
}
