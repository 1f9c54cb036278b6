package strictjson

import (
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Error says what is refused and where. It repeats names of members and no values.
type Error struct {
	Path   string // such as messages[0].content[1].text; empty for the whole body
	Why    string
	Syntax bool // the body is no JSON, or a value has another type than the API's
}

func (f *Error) Error() string {
	if f.Path == "" {
		return "the body " + f.Why
	}
	return f.Path + " " + f.Why
}

// Name repeats a name from outside where it can be the name of a member or a header:
// short words of letters and digits.
func Name(name string) string {
	if len(name) > 64 || name == "" {
		return noName
	}
	for _, c := range []byte(name) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return noName
		}
	}
	for word := range strings.FieldsFuncSeq(name, func(c rune) bool { return c == '_' || c == '-' }) {
		if refusal.QuotedWord(word)[0] != '"' {
			return noName
		}
	}
	return name
}

const noName = "(no identifier)"

// memberPath is the path of a member that has no schema.
func memberPath(path, name string) string {
	if path == "" {
		return Name(name)
	}
	return path + "." + Name(name)
}
