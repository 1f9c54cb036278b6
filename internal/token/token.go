// Package token finds the secrets that lie about where Bedrock is used.
package token

import "strings"

// In reports whether s holds a JSON web token, an AWS access key or a Bedrock API key.
func In(s string) bool {
	for run := range strings.FieldsFuncSeq(s, NotAlphanumeric) {
		switch {
		case strings.HasPrefix(run, "eyJ") && len(run) >= 10, strings.HasPrefix(run, "ABSK") && len(run) >= 16:
			return true
		case (strings.HasPrefix(run, "AKIA") || strings.HasPrefix(run, "ASIA")) && len(run) == 20:
			return true
		}
	}
	return strings.Contains(s, "bedrock-api-key-")
}

// NotAlphanumeric reports whether r is no letter and no digit of ASCII.
func NotAlphanumeric(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
}

// NotIdentifier reports whether r stands in no identifier of AWS. White space and
// control characters do not, nor does anything that could change a URL's path.
func NotIdentifier(r rune) bool {
	return NotAlphanumeric(r) && !strings.ContainsRune("-_.:/", r)
}
