package configfile

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// decoder writes the tree into a document. A value has one form for each type, and a key
// that is there has a value: null, "", [] and 0 would read as "none" and mean a default.
type decoder struct {
	*faults
	places map[string]place // where each key stands
}

func (d *decoder) value(n *node, path string, into reflect.Value) {
	if n.kind == kindNothing {
		d.add(n.at, path, "the key has no value; write one, or leave the key out")
		return
	}
	switch t := into.Type(); {
	case isDuration(t):
		d.duration(n, path, into)
	case t.Kind() == reflect.Pointer:
		into.Set(reflect.New(t.Elem()))
		d.value(n, path, into.Elem())
	case t.Kind() == reflect.Struct:
		d.structure(n, path, into)
	case t.Kind() == reflect.Map:
		d.mapOf(n, path, into)
	case t.Kind() == reflect.Slice:
		d.listOf(n, path, into)
	case t.Kind() == reflect.String:
		if s, ok := d.text(n, path); ok {
			if s == "" {
				d.add(n.at, path, "the value is empty; write one, or leave the key out")
			}
			into.SetString(s)
		}
	case t.Kind() == reflect.Bool:
		if n.kind != kindWord || n.text != "true" && n.text != "false" {
			d.add(n.at, path, "%s is not valid; write true or false", describe(n))
			return
		}
		into.SetBool(n.text == "true")
	case into.CanInt():
		d.integer(n, path, into)
	default: // TestEveryFieldHasAForm fails for a field that comes here
		d.add(n.at, path, "no file can hold this value; set it in code")
	}
}

// text takes quoted and plain text. A plain word that YAML reads as a number, a boolean
// or a date is no text: 012345678901 is an account to a reader and octal to YAML 1.1.
func (d *decoder) text(n *node, path string) (string, bool) {
	switch {
	case n.kind == kindString:
		return n.text, true
	case n.kind != kindWord:
		d.add(n.at, path, "%s where text is due", describe(n))
	case n.resolved || ambiguous(n.text):
		d.add(n.at, path, "%s could be a number or a truth value; write it in quotes", describe(n))
	default:
		return n.text, true
	}
	return "", false
}

// ambiguous reports a plain word that one parser of YAML or another takes for a number, a
// date, a truth value or null.
func ambiguous(word string) bool {
	if strings.Trim(word, "0123456789+-._:eETZ") == "" {
		return true
	}
	return slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", ".inf", ".nan"}, strings.ToLower(word))
}

func (d *decoder) duration(n *node, path string, into reflect.Value) {
	v, err := time.ParseDuration(n.text)
	switch {
	case n.kind != kindString && n.kind != kindWord:
		d.add(n.at, path, "%s where a duration is due, such as 5s", describe(n))
	case err != nil:
		d.add(n.at, path, "%s is not a duration; write one such as 500ms, 5s or 1h", describe(n))
	case v == 0:
		d.add(n.at, path, "0 stands for the default; leave the key out")
	default:
		into.SetInt(int64(v))
	}
}

func (d *decoder) integer(n *node, path string, into reflect.Value) {
	v, err := strconv.ParseInt(n.text, 10, into.Type().Bits())
	switch {
	case n.kind != kindWord || err != nil || strconv.FormatInt(v, 10) != n.text:
		d.add(n.at, path, "%s is not a whole number in range", describe(n))
	case v == 0:
		d.add(n.at, path, "0 stands for the default; leave the key out")
	default:
		into.SetInt(v)
	}
}

func (d *decoder) structure(n *node, path string, into reflect.Value) {
	if !d.mappingDue(n, path) {
		return
	}
	fields := fieldsOf(into.Type())
	for _, e := range n.keys {
		at := join(path, e.name)
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == e.name })
		if i < 0 {
			d.unknown(e, path, fields)
			continue
		}
		d.places[at] = e.at
		d.value(e.value, at, into.FieldByIndex(fields[i].index))
	}
}

func (d *decoder) unknown(e entry, path string, fields []field) {
	where := ""
	if path != "" {
		where = " of " + path
	}
	if secretName(e.name) {
		d.addHidden(e.at, "", "%s is no key%s: a secret never stands in this file; leave it to the SDK's credential chain", refusal.QuotedWord(e.name), where)
		return
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	if near := nearest(e.name, names); near != "" {
		d.add(e.at, "", "%s is no key%s; did you mean %s?", refusal.QuotedWord(e.name), where, near)
		return
	}
	d.add(e.at, "", "%s is no key%s; the keys are %s", refusal.QuotedWord(e.name), where, strings.Join(names, ", "))
}

func (d *decoder) mapOf(n *node, path string, into reflect.Value) {
	if !d.mappingDue(n, path) {
		return
	}
	t := into.Type()
	made := reflect.MakeMapWithSize(t, len(n.keys))
	for _, e := range n.keys {
		at := join(path, e.name)
		v := reflect.New(t.Elem()).Elem()
		d.places[at] = e.at
		switch {
		case t.Elem().Kind() == reflect.String && e.value.kind == kindString && e.value.text == "":
			// A session tag may be empty; a reason may not, which Validate says.
		default:
			d.value(e.value, at, v)
		}
		made.SetMapIndex(reflect.ValueOf(e.name).Convert(t.Key()), v)
	}
	into.Set(made)
}

func (d *decoder) mappingDue(n *node, path string) bool {
	if n.kind != kindMap {
		d.add(n.at, path, "%s where keys with values are due", describe(n))
		return false
	}
	if len(n.keys) == 0 {
		d.add(n.at, path, "the value is empty; write a key, or leave %s out", path)
		return false
	}
	return true
}

func (d *decoder) listOf(n *node, path string, into reflect.Value) {
	switch {
	case n.kind != kindList:
		d.add(n.at, path, "%s where a list is due; write one entry a line, each after a dash", describe(n))
		return
	case len(n.list) == 0: // an empty models means any model
		d.add(n.at, path, "the list is empty; write an entry, or leave the key out")
		return
	}
	made := reflect.MakeSlice(into.Type(), len(n.list), len(n.list))
	for i, v := range n.list {
		at := path + "[" + strconv.Itoa(i) + "]"
		d.places[at] = v.at
		d.value(v, at, made.Index(i))
	}
	into.Set(made)
}

// describe is a value in an error.
func describe(n *node) string {
	if n.kind == kindString || n.kind == kindWord {
		return refusal.Quoted(n.text)
	}
	return string(n.kind)
}

// nearest is the name that differs from a word by a letter or two, or in the style of
// its writing.
func nearest(word string, names []string) string {
	best := slices.MinFunc(append(slices.Clone(names), ""), func(a, b string) int { return cmp.Compare(distance(word, a), distance(word, b)) })
	if distance(word, best) > 2 {
		best = ""
	}
	for _, n := range names {
		if plainKey(n) == plainKey(word) {
			return n
		}
	}
	return best
}

func plainKey(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
}

// distance counts the letters to put in, take out or change (Levenshtein).
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := min(row[j], row[j+1]) + 1
			if a[i] == b[j] {
				next = min(next, diagonal)
			} else {
				next = min(next, diagonal+1)
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
