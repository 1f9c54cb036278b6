package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

const (
	maxText   = 64 << 10
	maxLevels = 32
)

// ParseError is a text that Parse refuses, and where in the text the fault is.
type ParseError struct {
	Line, Column int    // from 1; a column is a character
	Detail       string // the rule and the remedy
}

// Error says where the fault is, the rule, and the remedy.
func (e *ParseError) Error() string {
	return fmt.Sprintf("policy: line %d, column %d: %s", e.Line, e.Column, e.Detail)
}

// valueKind is a JSON value's type.
type valueKind byte

const (
	objectValue valueKind = iota + 1
	listValue
	textValue
	scalarValue // a number or a boolean
	nullValue
)

func (k valueKind) String() string {
	return [...]string{"nothing", "an object", "a list", "a text", "a number or a boolean", "null"}[k]
}

// value is one JSON value and its place in the text.
type value struct {
	kind    valueKind
	at      int
	text    string // of a text, a number or a boolean
	list    []value
	members []member
}

type member struct {
	name  string
	at    int
	value value
}

// reader reads one text. encoding/json would keep the last of two equal names, which
// lets one text mean two policies to two readers.
type reader struct {
	text   string
	pos    int
	levels int
}

// fail returns the error of the place at.
func (r *reader) fail(at int, format string, args ...any) error {
	before := r.text[:min(at, len(r.text))]
	line := strings.LastIndexByte(before, '\n') + 1
	return &ParseError{
		Line:   strings.Count(before, "\n") + 1,
		Column: utf8.RuneCountInString(before[line:]) + 1,
		Detail: fmt.Sprintf(format, args...),
	}
}

// characters checks the text against the characters that IAM accepts in a policy
// document: U+0009, U+000A, U+000D, and U+0020 to U+00FF
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html).
func (r *reader) characters() error {
	if len(r.text) > maxText {
		return r.fail(maxText, "a text has %d bytes at most, and this one has %d; no policy of AWS is as large", maxText, len(r.text))
	}
	for i, c := range r.text {
		switch {
		case i == 0 && c == '\ufeff':
			return r.fail(i, "a byte order mark stands before the text; save the file as UTF-8 without one")
		case c == utf8.RuneError && !strings.HasPrefix(r.text[i:], "\ufffd"):
			return r.fail(i, "the text is not UTF-8; save the file as UTF-8")
		case !allowedCharacter(c):
			return r.fail(i, "%U is not a character of a policy; use U+0009, U+000A, U+000D and U+0020 to U+00FF", c)
		}
	}
	return nil
}

func allowedCharacter(c rune) bool {
	return c >= 0x20 && c <= 0xff || c == '\t' || c == '\n' || c == '\r'
}

// document reads the whole text as one value.
func (r *reader) document() (value, error) {
	if err := r.characters(); err != nil {
		return value{}, err
	}
	v, err := r.value()
	if err != nil {
		return value{}, err
	}
	if r.space(); r.pos < len(r.text) {
		return value{}, r.fail(r.pos, "text follows the policy; end the text after the closing brace")
	}
	return v, nil
}

func (r *reader) space() {
	for r.pos < len(r.text) {
		switch r.text[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// next is the byte at the position; zero at the end.
func (r *reader) next() byte {
	if r.pos == len(r.text) {
		return 0
	}
	return r.text[r.pos]
}

func (r *reader) value() (value, error) {
	r.space()
	v := value{at: r.pos}
	var err error
	switch c := r.next(); {
	case c == '{' || c == '[':
		if r.levels++; r.levels > maxLevels {
			return v, r.fail(r.pos, "values are nested in more than %d levels; a policy needs six", maxLevels)
		}
		if c == '{' {
			v.kind = objectValue
			v.members, err = r.object()
		} else {
			v.kind = listValue
			v.list, err = r.array()
		}
		r.levels--
	case c == '"':
		v.kind = textValue
		v.text, err = r.string()
	case c == 0 && r.pos == len(r.text):
		err = r.fail(r.pos, "the text ends where a value is expected; complete the policy")
	default:
		v.kind, v.text, err = r.literal()
	}
	return v, err
}

func (r *reader) literal() (valueKind, string, error) {
	end := r.pos
	for end < len(r.text) && !strings.ContainsRune(" \t\n\r,:{}[]\"", rune(r.text[end])) {
		end++
	}
	word := r.text[r.pos:end]
	if word == "" || !json.Valid([]byte(word)) {
		return 0, "", r.fail(r.pos, "a JSON value is expected here; write texts within double quotation marks")
	}
	r.pos = end
	if word == "null" {
		return nullValue, "", nil
	}
	return scalarValue, word, nil
}

func (r *reader) array() ([]value, error) {
	list := make([]value, 0, 2)
	for r.pos++; ; {
		r.space()
		if r.next() == ']' && len(list) == 0 {
			r.pos++
			return nil, nil
		}
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		r.space()
		switch r.next() {
		case ',':
			r.pos++
		case ']':
			r.pos++
			return list, nil
		default:
			return nil, r.fail(r.pos, "a list goes on with ',' or ends with ']'")
		}
	}
}

func (r *reader) object() ([]member, error) {
	members := make([]member, 0, 4)
	var seen map[string]int // the index of a name in lower case; nil while there are few
	for r.pos++; ; {
		r.space()
		if r.next() == '}' && len(members) == 0 {
			r.pos++
			return nil, nil
		}
		m := member{at: r.pos}
		if r.next() != '"' {
			return nil, r.fail(r.pos, "a name within double quotation marks is expected here")
		}
		var err error
		if m.name, err = r.string(); err != nil {
			return nil, err
		}
		if i := indexOf(members, seen, m.name); i >= 0 {
			before := members[i].name
			if before == m.name {
				return nil, r.fail(m.at, "%s stands twice in one object; keep one", quotedName(m.name))
			}
			return nil, r.fail(m.at, "%s and %s differ only in case and mean the same to AWS; keep one", quotedName(before), quotedName(m.name))
		}
		r.space()
		if r.next() != ':' {
			return nil, r.fail(r.pos, "':' is expected after a name")
		}
		r.pos++
		if m.value, err = r.value(); err != nil {
			return nil, err
		}
		members = append(members, m)
		seen = index(members, seen)
		r.space()
		switch r.next() {
		case ',':
			r.pos++
		case '}':
			r.pos++
			return members, nil
		default:
			return nil, r.fail(r.pos, "an object goes on with ',' or ends with '}'")
		}
	}
}

// few is how many members are compared one by one. A map for each object would take
// most of the time of Parse.
const few = 16

// index keeps the map of names once there are more than a few.
func index(members []member, seen map[string]int) map[string]int {
	switch n := len(members); {
	case n < few:
		return nil
	case n == few:
		seen = make(map[string]int, 4*few)
		for i := range members {
			seen[strings.ToLower(members[i].name)] = i
		}
	default:
		seen[strings.ToLower(members[n-1].name)] = n - 1
	}
	return seen
}

// indexOf finds a member by its name in any case.
func indexOf(members []member, seen map[string]int, name string) int {
	if seen != nil {
		if i, found := seen[strings.ToLower(name)]; found {
			return i
		}
		return -1
	}
	return slices.IndexFunc(members, func(m member) bool { return strings.EqualFold(m.name, name) })
}

// string reads a text. An escape must stand for a character that IAM accepts, since the
// policy may be written again without it.
func (r *reader) string() (string, error) {
	start := r.pos
	escaped := false
	for r.pos++; r.pos < len(r.text); r.pos++ {
		switch c := r.text[r.pos]; {
		case c == '"':
			r.pos++
			if !escaped {
				return r.text[start+1 : r.pos-1], nil
			}
			return r.unescape(start)
		case c == '\\':
			escaped = true
			r.pos++
		case c < 0x20:
			return "", r.fail(r.pos, "a line break or a tab stands within a text; write it as \\n or \\t")
		}
	}
	return "", r.fail(start, "the text has no closing quotation mark")
}

func (r *reader) unescape(start int) (string, error) {
	var s string
	if json.Unmarshal([]byte(r.text[start:r.pos]), &s) != nil {
		return "", r.fail(start, "the text has an escape that JSON does not know; write a backslash as \\\\")
	}
	for _, c := range s {
		if !allowedCharacter(c) {
			return "", r.fail(start, "an escape stands for %U, which is not a character of a policy; use U+0009, U+000A, U+000D and U+0020 to U+00FF", c)
		}
	}
	return s, nil
}

// quotedName repeats the name of an element, an action or a condition key. Its words are
// letters, or what refusal.Quoted repeats. A token is neither.
func quotedName(s string) string {
	for word := range strings.FieldsFuncSeq(s, func(c rune) bool { return strings.ContainsRune(":/*?", c) }) {
		if quoted := refusal.QuotedWord(word); quoted != strconv.Quote(word) {
			return quoted
		}
	}
	return strconv.Quote(s)
}
