package configfile

import (
	"encoding/json"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// checkVerbatim reads a scalar's text again, from the place where it stands, and refuses
// what go-yaml reads otherwise. go-yaml joins lines that other parsers keep apart, takes a
// comment into a text of several lines, and takes a value from the line below its key. A
// text that stands on one line has none of these.
func (f *faults) checkVerbatim(t *token.Token, value string) bool {
	at := positionOf(t)
	if at.line < 1 || at.line > len(f.lines) {
		f.add(place{}, "", "a text whose place is unknown; write it on one line")
		return false
	}
	line := []rune(f.lines[at.line-1])
	if at.column < 1 || at.column > len(line) {
		f.add(at, "", "a text over several lines; write it on one line, in quotes where needed")
		return false
	}
	if !standsAt(string(line[at.column-1:]), value) {
		f.add(at, "", "a text that parsers of YAML read differently; write it on one line, in double quotes")
		return false
	}
	return true
}

// standsAt reports whether a text begins with a scalar of this value, and ends it.
func standsAt(text, value string) bool {
	var after string
	var ok bool
	switch text[0] {
	case '\'':
		after, ok = strings.CutPrefix(text, "'"+strings.ReplaceAll(value, "'", "''")+"'")
	case '"': // the escapes are JSON's
		var read string
		d := json.NewDecoder(strings.NewReader(text))
		ok = d.Decode(&read) == nil && read == value
		after = text[d.InputOffset():]
	default:
		after, ok = strings.CutPrefix(text, value)
		ok = ok && isPlain(value) && !(inBrackets(after) && strings.ContainsAny(value, ",[]{}"))
	}
	after, spaced := strings.TrimLeft(after, " "), strings.HasPrefix(after, " ")
	switch {
	case after == "", after[0] == ':', inBrackets(after):
		return ok
	}
	return ok && spaced && after[0] == '#'
}

// inBrackets reports that a scalar ends as one within brackets does.
func inBrackets(after string) bool {
	after = strings.TrimLeft(after, " ")
	return after != "" && strings.IndexByte(",]}", after[0]) >= 0
}

// isPlain reports a text that needs no quotes.
func isPlain(s string) bool {
	if s == "" || strings.IndexByte(",[]{}#&*!|>%@`?\"'", s[0]) >= 0 || s == "-" || s[0] == ':' || strings.HasPrefix(s, "- ") {
		return false
	}
	return !strings.Contains(s, ": ") && !strings.Contains(s, " #") && !strings.HasSuffix(s, ":") && strings.Trim(s, " ") == s
}
