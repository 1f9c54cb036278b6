package strictjson

import (
	"strconv"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Fault says what is refused and where. It repeats names of members and no values.
type Fault struct {
	Path   string // such as messages[0].content[1].text; empty for the whole body
	Why    string
	Syntax bool // the body is no JSON, or a value has another type than the API's
}

func (f *Fault) Error() string {
	if f.Path == "" {
		return "the body " + f.Why
	}
	return f.Path + " " + f.Why
}

// memberPath is the path of a member that has no schema. Its name is the caller's
// text, and is repeated only where it can be a name.
func memberPath(path, name string) string {
	quoted := refusal.QuotedWord(name)
	if plain, err := strconv.Unquote(quoted); err == nil {
		quoted = plain
	}
	if path == "" {
		return quoted
	}
	return path + "." + quoted
}
