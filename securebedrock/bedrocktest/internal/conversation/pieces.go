package conversation

import (
	"unicode/utf16"
	"unicode/utf8"
)

// JSONPieces cuts the JSON of a tool's arguments in two, as a stream carries them. The
// cut never falls inside a character, an escape or a surrogate pair of escapes, since
// a client may decode each piece by itself.
func JSONPieces(text string) []string {
	at := 0
	for at < len(text)/2 {
		at += unitLen(text[at:])
	}
	if at == 0 || at == len(text) {
		return []string{text}
	}
	return []string{text[:at], text[at:]}
}

// unitLen returns the length of the first character of JSON, or of the escape that
// stands for one.
func unitLen(text string) int {
	const escape = len(`\u0000`)
	if text[0] != '\\' {
		_, n := utf8.DecodeRuneInString(text)
		return n
	}
	first, ok := escaped(text)
	switch {
	case !ok:
		return min(len(`\n`), len(text))
	case utf16.IsSurrogate(first):
		if second, ok := escaped(text[escape:]); ok && utf16.DecodeRune(first, second) != utf8.RuneError {
			return 2 * escape
		}
	}
	return escape
}

// escaped reads the \uXXXX that text begins with.
func escaped(text string) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(text[2:6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// bytePieces cuts the bytes of an image in two, as a stream carries them.
func bytePieces(data []byte) [][]byte {
	if len(data) < 2 {
		return [][]byte{data}
	}
	return [][]byte{data[:len(data)/2], data[len(data)/2:]}
}
