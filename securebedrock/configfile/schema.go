package configfile

import (
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// document is the whole file: the fields of Options, the account and the proxy.
type document struct {
	securebedrock.Options
	Account policy.Account
	Proxy   *Proxy
}

// inCode names the fields that no file can hold, because they are code.
func inCode() map[string]string {
	return map[string]string{
		"Options.Middleware": "functions around a call",
		"Options.Profiles":   "a client that asks AWS",
		"Role.STS":           "a client of STS",
	}
}

// field is one key of a mapping.
type field struct {
	key   string
	name  string // of the Go field
	index []int
	typ   reflect.Type
}

// fieldsOf lists the keys of a struct in the order of its fields.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous:
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				fields = append(fields, inner)
			}
		case !f.IsExported() || inCode()[t.Name()+"."+f.Name] != "":
		default:
			fields = append(fields, field{key: keyOf(f.Name), name: f.Name, index: []int{i}, typ: f.Type})
		}
	}
	return fields
}

// keyOf is the name of a field in snake case: MaxTokens is max_tokens, ExternalID is
// external_id, and TagARNs is tag_arns.
func keyOf(name string) string {
	if plural, ok := strings.CutSuffix(name, "s"); ok && plural != "" && isUpper(plural[len(plural)-1]) {
		return keyOf(plural) + "s"
	}
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		begins := i > 0 && isUpper(c) && (!isUpper(name[i-1]) || i+1 < len(name) && !isUpper(name[i+1]))
		if begins {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(rune(c)))
	}
	return b.String()
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// isDuration tells a duration from a number of the same kind.
func isDuration(t reflect.Type) bool { return t == reflect.TypeFor[time.Duration]() }

// keyOfField turns the name of a field in a fault, such as "Role.ARN" or
// "Account.Resources.Agents[0].ID", into the key, as far as the file has one.
func keyOfField(name string) string {
	t := reflect.TypeFor[document]()
	var path []string
	for _, part := range strings.Split(name, ".") {
		plain, _, _ := strings.Cut(part, "[")
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			break
		}
		fields := fieldsOf(t)
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == plain })
		if i < 0 {
			break
		}
		t = fields[i].typ
		path = append(path, fields[i].key+part[len(plain):]) // with its number
	}
	return strings.Join(path, ".")
}
