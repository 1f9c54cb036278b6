package configfile

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Error is one thing that is wrong with a file. It wraps securebedrock.ErrConfig and what
// Err wraps.
type Error struct {
	File string // as it was named to Load or Parse
	// Line and Column count from 1, a column in characters. Both are zero where the
	// fault has no place, such as a required key that is missing.
	Line, Column int
	Key          string // with its parents: "guardrail.version"; empty where no key is at fault
	Err          error  // what is wrong
	// Excerpt is the faulty line and a caret under its column. What could be a secret
	// is shown as asterisks. Excerpt is empty where the line must not be shown at all.
	Excerpt string
}

// Error says file, line, column, key, what is wrong, and the excerpt.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	b.WriteString(": " + e.Err.Error())
	if e.Excerpt != "" {
		b.WriteString("\n" + e.Excerpt)
	}
	return b.String()
}

// Unwrap returns securebedrock.ErrConfig and Err.
func (e *Error) Unwrap() []error { return []error{securebedrock.ErrConfig, e.Err} }

// faults collects what is wrong with one file.
type faults struct {
	file  string
	lines []string
	list  []error
}

// place is a position in the file. The zero place is none.
type place struct{ line, column int }

// add notes a fault with the excerpt of its line.
func (f *faults) add(at place, key, format string, args ...any) {
	f.note(at, key, f.excerpt(at), fmt.Errorf(format, args...))
}

// addHidden notes a fault whose line may hold a secret.
func (f *faults) addHidden(at place, key, format string, args ...any) {
	f.note(at, key, "", fmt.Errorf(format, args...))
}

func (f *faults) note(at place, key, excerpt string, err error) {
	f.list = append(f.list, &Error{File: f.file, Line: at.line, Column: at.column, Key: key, Err: err, Excerpt: excerpt})
}

// excerpt is go-yaml's excerpt, made here because go-yaml's would show any value.
func (f *faults) excerpt(at place) string {
	if at.line < 1 || at.line > len(f.lines) {
		return ""
	}
	number := fmt.Sprintf("%4d | ", at.line)
	bar := strings.Repeat(" ", len(number)-2) + "| "
	return number + shown(f.lines[at.line-1]) + "\n" + bar + strings.Repeat(" ", max(at.column-1, 0)) + "^"
}

// shown replaces what could be a secret, or is no text, by asterisks, one a character,
// so that columns stay where they are.
func shown(line string) string {
	const separators = " \t\"',[]{}"
	var b strings.Builder
	for len(line) > 0 {
		end := strings.IndexAny(line, separators)
		switch end {
		case 0:
			b.WriteByte(line[0])
			line = line[1:]
			continue
		case -1:
			end = len(line)
		}
		word := line[:end]
		line = line[end:]
		if !refusal.Repeatable(word) || strings.ContainsFunc(word, invisible) {
			word = strings.Repeat("*", utf8.RuneCountInString(word))
		}
		b.WriteString(word)
	}
	return strings.ReplaceAll(b.String(), "\t", " ")
}
