package audit

import (
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// noWord stands for what does not have the form of an identifier: it may be a
// prompt in the wrong place.
const noWord = "(no identifier)"

// word keeps a word that somebody else wrote where it can be an identifier: a
// request ID, an error code, an ARN, a stop reason.
func word(s string) string {
	const extra = "-_.:/+=,@*"
	if len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(extra, r))
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

// phrase keeps the owner's own text on one line and within bounds.
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

// modelOf records an identifier only where it parses: any other text in its place
// could be a prompt.
func modelOf(m securebedrock.Model) *Model {
	if m.ID == "" && m.Kind == "" {
		return nil
	}
	if m.Kind == "" {
		return &Model{ID: noWord}
	}
	return &Model{ID: m.ID, Kind: string(m.Kind), Prefix: m.Prefix, Regions: slices.Clone(m.Regions)}
}

// hostOf keeps a host name or address with its port.
func hostOf(s string) string {
	if _, err := netip.ParseAddrPort(s); err == nil {
		return s
	}
	return word(s)
}
