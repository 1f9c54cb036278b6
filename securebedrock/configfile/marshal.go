package configfile

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

//go:embed example.yaml
var example string

// Example is a file with every key, each with a comment. A key that is left out stands
// after "#".
func Example() string { return example }

// Marshal writes a file that Parse reads as opts and acct. The comments are those of
// Example. A zero acct is left out. Marshal refuses what Parse would refuse, and fields
// that are code: Middleware, Profiles and Role.STS.
func Marshal(opts securebedrock.Options, acct policy.Account) ([]byte, error) {
	return MarshalFile(File{Options: opts, Account: acct})
}

// MarshalFile is Marshal for a file that may have a proxy.
func MarshalFile(file File) ([]byte, error) {
	opts := file.Options
	var code refusal.Faults
	for name, set := range map[string]bool{
		"Middleware": opts.Middleware != nil, "Profiles": opts.Profiles != nil, "Role.STS": opts.Role != nil && opts.Role.STS != nil,
	} {
		if set {
			code.Add(name, "no file can hold it; take it out, and set it after Load")
		}
	}
	if err := code.Err(); err != nil {
		return nil, err
	}
	w := writer{comments: comments()}
	w.raw("# The rules of a securebedrock client, and the account under it. configfile.Example\n# shows every key. A key that is left out has the strict choice.\n")
	w.structure(reflect.ValueOf(document{Options: opts, Account: file.Account, Proxy: file.Proxy}), "", 0)
	text := w.out.Bytes()
	if _, _, err := Parse(text, "the new file"); err != nil {
		return nil, err
	}
	return text, nil
}

type writer struct {
	out      bytes.Buffer
	comments map[string][]string
}

func (w *writer) raw(s string) { w.out.WriteString(s) }

// structure writes the fields that are set. A zero field is left out.
func (w *writer) structure(v reflect.Value, path string, depth int) {
	indent := strings.Repeat("  ", depth)
	for _, f := range fieldsOf(v.Type()) {
		value := v.FieldByIndex(f.index)
		if empty(value) {
			continue
		}
		at := join(path, f.key)
		if depth == 0 {
			w.raw("\n")
		}
		for _, line := range w.comments[at] {
			w.raw(indent + line + "\n")
		}
		w.raw(indent + f.key + ":")
		w.value(value, at, depth)
	}
}

func (w *writer) value(v reflect.Value, path string, depth int) {
	indent := strings.Repeat("  ", depth+1)
	switch t := v.Type(); {
	case isDuration(t):
		w.raw(" " + time.Duration(v.Int()).String() + "\n")
	case t.Kind() == reflect.Pointer:
		w.value(v.Elem(), path, depth)
	case t.Kind() == reflect.Struct:
		w.raw("\n")
		w.structure(v, path, depth+1)
	case t.Kind() == reflect.Map:
		w.raw("\n")
		keys := map[string]reflect.Value{}
		for _, k := range v.MapKeys() {
			keys[k.String()] = v.MapIndex(k)
		}
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			w.raw(indent + quoted(k) + ":")
			w.value(keys[k], join(path, k), depth+1)
		}
	case t.Kind() == reflect.Slice:
		w.raw("\n")
		for i := range v.Len() {
			w.raw(indent + "-")
			w.value(v.Index(i), path, depth+1)
		}
	case t.Kind() == reflect.String:
		w.raw(" " + quoted(v.String()) + "\n")
	default:
		w.raw(fmt.Sprintf(" %v\n", v.Interface()))
	}
}

// empty reports a value that the file leaves out.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	case reflect.Struct:
		for _, f := range fieldsOf(v.Type()) {
			if !empty(v.FieldByIndex(f.index)) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

// quoted writes text plain where YAML cannot take it for anything else.
func quoted(s string) string {
	if regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._/:-]*$`).MatchString(s) && !ambiguous(s) && !strings.HasSuffix(s, ":") {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b) // a JSON string is a YAML string
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return `""`
	}
	return strings.TrimSpace(b.String())
}

// comments finds the comment of each key in Example.
func comments() map[string][]string {
	text := withKeys(example)
	f := &faults{}
	found := map[string][]string{}
	if !f.checkText(text) {
		return found
	}
	d := &decoder{faults: f, places: map[string]place{}}
	if root := f.parse(text); root != nil {
		d.structure(root, "", reflect.New(reflect.TypeFor[document]()).Elem())
	}
	for key, at := range d.places {
		first := at.line - 1
		for first > 0 && strings.HasPrefix(strings.TrimSpace(f.lines[first-1]), "# ") {
			first--
		}
		for _, line := range f.lines[first : at.line-1] {
			found[key] = append(found[key], strings.TrimSpace(line))
		}
	}
	return found
}

// withKeys puts every key of Example in that is left out: "#key" becomes "key".
func withKeys(text string) string {
	return regexp.MustCompile(`(?m)^( *)#([-a-z])`).ReplaceAllString(text, "$1$2")
}
