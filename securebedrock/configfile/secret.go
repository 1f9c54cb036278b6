package configfile

import (
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/token"
)

// checkKey refuses a key that is a secret, and one that asks for a substitution.
func (f *faults) checkKey(e entry, path string) bool {
	switch {
	case token.In(e.name):
		f.addHidden(e.at, "", "a key that holds a token or an access key; take it out of the file and revoke it")
	case strings.ContainsFunc(e.name, invisible):
		f.addHidden(e.at, "", "a key with a character that cannot be seen, by an escape; take it out")
	case strings.Contains(e.name, "${"):
		f.addHidden(e.at, "", "a key with ${: nothing is substituted in this file; write the key itself")
	default:
		return true
	}
	return false
}

// checkScalar refuses a secret, and a text that looks as if the environment filled it in.
func (f *faults) checkScalar(n *node, path string) {
	switch {
	case n.kind != kindString && n.kind != kindWord:
	case token.In(n.text):
		f.addHidden(n.at, path, "the value holds a token or an access key; take it out of the file and revoke it")
	case strings.ContainsFunc(n.text, invisible):
		f.add(n.at, path, "the value has a character that cannot be seen, by an escape; take it out")
	case strings.Contains(n.text, "${"):
		f.add(n.at, path, "the value has ${: nothing is substituted in this file; write the value itself")
	}
}

// secretName reports whether an unknown key is the name of a secret.
func secretName(key string) bool {
	plain := strings.Map(func(r rune) rune {
		if token.NotAlphanumeric(r) {
			return -1
		}
		return r
	}, strings.ToLower(key))
	for _, word := range []string{"secret", "password", "passwd", "passphrase", "token", "apikey", "accesskey", "privatekey", "credential", "bearer"} {
		if strings.Contains(plain, word) {
			return true
		}
	}
	return false
}
