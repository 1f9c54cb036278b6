package policy

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/securebedrock/securebedrock-go/internal/token"
)

// checkName admits what is a file name, a fragment of a link and a part of an ID
// everywhere. Letters are lower case, since some file systems take two cases for one.
func checkName(name string) error {
	good := name != "" && len(name) <= 100 && name[0] != '-'
	for _, c := range name {
		good = good && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	if !good {
		return fmt.Errorf("policy: %.120q is no name of a document; use up to 100 lower-case letters, digits and hyphens", name)
	}
	return nil
}

// fileName makes a document's name of a prefix and a name of AWS's, such as a role's. The
// result is a file name everywhere: some file systems take two cases for one, and IAM does
// so for the names of roles.
func fileName(prefix, name string) string {
	return prefix + "-" + strings.Map(func(r rune) rune {
		if token.NotAlphanumeric(r) {
			return '-'
		}
		return unicode.ToLower(r)
	}, name)
}

// numberNames numbers the documents that share a name.
func numberNames(docs []Document) {
	taken := make(map[string]bool, len(docs))
	for i := range docs {
		name := docs[i].Name
		for n := 2; taken[docs[i].Name]; n++ {
			docs[i].Name = fmt.Sprintf("%s-%d", name, n)
		}
		taken[docs[i].Name] = true
	}
}
