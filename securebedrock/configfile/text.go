package configfile

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of a file. A file that a person wrote is far below them. go-yaml needs a
// minute for 64 KiB of opening brackets.
const (
	maxSize  = 64 << 10
	maxLine  = 4 << 10
	maxDepth = 16
)

// checkText refuses a text that a reader could see otherwise than the parser does. It
// reports whether the parser may have the text.
func (f *faults) checkText(text string) bool {
	before := len(f.list)
	switch {
	case len(text) > maxSize:
		f.addHidden(place{}, "", "the file has more than %d bytes", maxSize)
		return false
	case strings.HasPrefix(text, "\ufeff"):
		f.addHidden(place{1, 1}, "", "the file begins with a byte order mark; save it as UTF-8 without one")
		return false
	case !utf8.ValidString(text):
		f.addHidden(place{}, "", "the file is not UTF-8")
		return false
	}
	f.lines = strings.Split(text, "\n")
	for i, line := range f.lines {
		line = strings.TrimSuffix(line, "\r")
		f.lines[i] = line
		if len(line) > maxLine {
			f.addHidden(place{i + 1, 1}, "", "the line has more than %d bytes", maxLine)
			continue
		}
		column := 0
		for _, r := range line {
			column++
			if r == '\t' { // go-yaml drops some tabs in silence
				f.add(place{i + 1, column}, "", "a tab; write spaces")
				break
			}
			if invisible(r) {
				f.add(place{i + 1, column}, "", "the character %U cannot be seen; take it out", r)
				break
			}
		}
	}
	return len(f.list) == before
}

// invisible reports control characters, marks of direction and spaces other than the
// plain one: with them a file reads otherwise than it works.
func invisible(r rune) bool { return !unicode.IsPrint(r) }
