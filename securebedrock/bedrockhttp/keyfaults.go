package bedrockhttp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/internal/token"
)

const (
	maxName   = 64
	minID     = 16
	maxID     = 128
	minSecret = 32
	maxSecret = 512
)

func noKeys() error {
	return refusal.Fault("bedrockhttp: Keys", "there is no key, and nobody could enter; give NewKeys at least one, of NewKey for example")
}

// keyFaults returns all faults of the keys.
func keyFaults(keys []Key) error {
	var f refusal.Faults
	names, ids, bearers := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, k := range keys {
		f.Scope = fmt.Sprintf("bedrockhttp: Keys[%d].", i)
		k.faults(&f)
		twice := func(seen map[string]bool, field, value string) {
			if value != "" && seen[value] {
				f.Add(field, "another key has the same; each key has its own")
			}
			seen[value] = true
		}
		twice(names, "Name", k.Name)
		twice(ids, "AccessKeyID", k.AccessKeyID)
		twice(bearers, "Bearer", k.Bearer)
	}
	return f.Err()
}

// faults adds the faults of one key. None of them repeats a secret.
func (k Key) faults(f *refusal.Faults) {
	if !isName(k.Name) {
		f.Add("Name", "%s is not an identifier of 1 to %d letters, digits and -_.:/@+=; the audit record shows the name as it is", refusal.Quoted(k.Name), maxName)
	}
	switch {
	case k.AccessKeyID == "" && k.SecretAccessKey == "" && k.Bearer == "":
		f.Add("AccessKeyID", "the key has neither a pair for SigV4 nor a bearer token; NewKey makes both")
	case k.AccessKeyID == "" && k.SecretAccessKey != "":
		f.Add("AccessKeyID", "it is missing, and SecretAccessKey is set; set both or none")
	case k.AccessKeyID != "" && k.SecretAccessKey == "":
		f.Add("SecretAccessKey", "it is missing, and AccessKeyID is set; set both or none")
	}
	if id := k.AccessKeyID; id != "" {
		switch {
		case isAWS(id):
			f.Add("AccessKeyID", "it has the form of AWS's own; a real AWS key must not be used here, NewKey makes one of another form")
		case len(id) < minID || len(id) > maxID || strings.ContainsFunc(id, func(r rune) bool { return token.NotAlphanumeric(r) && r != '_' }):
			f.Add("AccessKeyID", "it is not of %d to %d letters, digits and underscores", minID, maxID)
		}
	}
	if s := k.SecretAccessKey; s != "" && !isSecret(s) {
		f.Add("SecretAccessKey", "it is not of %d to %d letters, digits and -._~+/=; NewKey makes one", minSecret, maxSecret)
	}
	if s := k.Bearer; s != "" {
		switch {
		case token.In(s):
			f.Add("Bearer", "it holds a token of another kind, such as a Bedrock API key or a JSON web token; a real one must not be used here, NewKey makes one")
		case !isSecret(s):
			f.Add("Bearer", "it is not of %d to %d letters, digits and -._~+/=; NewKey makes one", minSecret, maxSecret)
		case s == k.SecretAccessKey:
			f.Add("Bearer", "it is the SecretAccessKey too; a bearer token travels with each request, a secret never does")
		}
	}
	if k.Models != nil && len(k.Models) == 0 {
		f.Add("Models", "the list is empty; leave it nil for all models of the client, or name those of the key")
	}
	if slices.Contains(k.Models, "") {
		f.Add("Models", "a pattern is empty")
	}
}

// isName reports whether the audit record shows a name as it is. Options.Subject of
// package audit records what is no identifier as "(no identifier)".
func isName(name string) bool {
	return name != "" && len(name) <= maxName && !token.In(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return token.NotAlphanumeric(r) && !strings.ContainsRune("-_.:/@+=", r) })
}

// isAWS reports whether an ID has the form of an AWS access key
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
func isAWS(id string) bool {
	return slices.ContainsFunc([]string{"AKIA", "ASIA", "ABIA", "ACCA"}, func(prefix string) bool { return strings.HasPrefix(strings.ToUpper(id), prefix) })
}

// isSecret reports whether s is long enough, and fits into a header and into a line of
// an AWS credentials file as it is.
func isSecret(s string) bool {
	return len(s) >= minSecret && len(s) <= maxSecret && !strings.ContainsFunc(s, func(r rune) bool { return token.NotAlphanumeric(r) && !strings.ContainsRune("-._~+/=", r) })
}
