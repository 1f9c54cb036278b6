package configfile

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

// walk calls visit for each key, with the types of the keys that hold other keys.
func walk(t reflect.Type, path string, visit func(path string, f field)) {
	for _, f := range fieldsOf(t) {
		at := join(path, f.key)
		visit(at, f)
		inner := f.typ
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice || inner.Kind() == reflect.Map {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			walk(inner, at, visit)
		}
	}
}

// TestKeysAreKept fails where a change of Options or Account changes the file's format. A
// key that is gone breaks the files of users.
func TestKeysAreKept(t *testing.T) {
	var b strings.Builder
	walk(reflect.TypeFor[document](), "", func(path string, f field) {
		fmt.Fprintf(&b, "%-50s %v\n", path, f.typ)
	})
	path := filepath.Join("testdata", "keys.golden")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || b.String() != string(want) {
		t.Errorf("%v: the keys are now\n%s\nrun with -update, read the difference, and tell of it in CHANGELOG.md", err, b.String())
	}
}

// TestEveryFieldHasAForm finds a field that is neither in the file nor code, and an
// exception that is no field any more.
func TestEveryFieldHasAForm(t *testing.T) {
	for _, s := range []any{securebedrock.Options{}, securebedrock.Guardrail{}, securebedrock.Role{}, securebedrock.Endpoint{}, securebedrock.Timeouts{}, securebedrock.Retry{}, policy.Account{}, policy.Resources{}} {
		typ := reflect.TypeOf(s)
		keys := map[string]bool{}
		for _, f := range fieldsOf(typ) {
			if keys[f.key] {
				t.Errorf("%v has two keys %s", typ, f.key)
			}
			keys[f.key] = true
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			if code := inCode()[typ.Name()+"."+f.Name] != ""; code == keys[keyOf(f.Name)] {
				t.Errorf("%v.%s: in the file %t, code %t", typ, f.Name, keys[keyOf(f.Name)], code)
			}
		}
	}
	walk(reflect.TypeFor[document](), "", func(path string, f field) {
		for typ := f.typ; ; typ = typ.Elem() {
			switch typ.Kind() {
			case reflect.Pointer, reflect.Slice, reflect.Map:
				continue
			case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Struct:
			default:
				t.Errorf("%s is a %v, which no file can hold", path, f.typ)
			}
			break
		}
	})
	for name := range inCode() {
		owner, of, _ := strings.Cut(name, ".")
		typ := map[string]reflect.Type{"Options": reflect.TypeFor[securebedrock.Options](), "Role": reflect.TypeFor[securebedrock.Role]()}[owner]
		if _, ok := typ.FieldByName(of); !ok {
			t.Errorf("%s is no field", name)
		}
	}
}

func TestKeyOf(t *testing.T) {
	for name, want := range map[string]string{
		"Region": "region", "MaxTokens": "max_tokens", "ExternalID": "external_id", "ARN": "arn", "FIPS": "fips",
		"URL": "url", "KMSKeyARN": "kms_key_arn", "TagARNs": "tag_arns", "EndpointIDs": "endpoint_ids", "OIDC": "oidc",
		"ResendAfterReadTimeout": "resend_after_read_timeout", "VPCEndpoints": "vpc_endpoints", "IDs": "ids",
	} {
		if got := keyOf(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// TestEveryKeyIsInTheExample reads the example with every key put in, and demands a
// comment on each key, or on the one above in the same group.
func TestEveryKeyIsInTheExample(t *testing.T) {
	f := &faults{file: "example.yaml"}
	text := withKeys(example)
	if !f.checkText(text) {
		t.Fatal(f.list)
	}
	root := f.parse(text)
	if root == nil {
		t.Fatal(f.list)
	}
	d := &decoder{faults: f, places: map[string]place{}}
	var doc document
	d.structure(root, "", reflect.ValueOf(&doc).Elem())
	for _, err := range f.list {
		t.Error(err)
	}
	d.judge(doc) // keys exclude each other, and each is judged
	for _, err := range f.list {
		if text := err.Error(); !strings.Contains(text, "exclude") {
			t.Errorf("the example is wrong beyond keys that exclude each other: %v", err)
		}
	}
	told := comments()
	walk(reflect.TypeFor[document](), "", func(path string, _ field) {
		there := false
		for at := range d.places {
			there = there || withoutNumbers(at) == path
		}
		if !there {
			t.Errorf("%s is not in example.yaml", path)
		}
	})
	for _, path := range []string{"region", "guardrail", "guardrail.version", "account.id", "role.external_id", "retry.max_wait"} {
		if len(told[path]) == 0 {
			t.Errorf("%s has no comment", path)
		}
	}
	if _, _, err := Parse([]byte(example), "example.yaml"); err != nil {
		t.Errorf("the example does not load: %v", err)
	}
}

func withoutNumbers(path string) string {
	for {
		i, j := strings.IndexByte(path, '['), strings.IndexByte(path, ']')
		if i < 0 || j < i {
			return path
		}
		path = path[:i] + path[j+1:]
	}
}

// TestEveryFieldArrives sets each field to a value of its own, writes the file, and reads
// it again.
// TestEveryFieldOfResourcesArrives writes the resources of the example without judging.
