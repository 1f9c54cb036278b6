package configfile

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

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
func TestEveryFieldArrives(t *testing.T) {
	opts := securebedrock.Options{
		Region: "eu-central-1", Residency: []string{"eu-west-1"}, Models: []string{"anthropic.claude-*", "amazon.nova-lite-v1:0"},
		Guardrail: securebedrock.Guardrail{ID: "abc123", Version: "7", Trace: types.GuardrailTraceEnabledFull, Stream: types.GuardrailStreamProcessingModeAsync, Verify: true, AllowPartial: true},
		Accounts:  []string{"012345678901"},
		Role: &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/Invoker", SessionName: "on", ExternalID: "1e5", SourceIdentity: "me", Duration: 90 * time.Minute,
			Tags: map[string]string{"team": "claims: \"a\" # b", "empty": ""}, TransitiveTagKeys: []string{"team"}, Policy: `{"a":"b"}`},
		Endpoint:            securebedrock.Endpoint{URL: "https://vpce-1.example.com"},
		Timeouts:            securebedrock.Timeouts{Connect: time.Second, Read: 1500 * time.Millisecond, Call: -1},
		Retry:               securebedrock.Retry{MaxAttempts: 5, MaxWait: time.Minute, MaxBackoff: time.Second, ResendAfterReadTimeout: true},
		MaxTokens:           -1,
		UnguardedOperations: map[string]string{"StartAsyncInvoke": "1"},
	}
	acct := policy.Account{
		ID: "123456789012", Partition: "aws", Organization: "o-exampleorg1",
		Unguardable: map[string]string{"amazon.titan-embed-text-v2:0": "embeddings"},
	}
	text, err := Marshal(opts, acct)
	if err != nil {
		t.Fatal(err)
	}
	gotOpts, gotAcct, err := Parse(text, "")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotOpts, opts) {
		t.Errorf("got  %+v\nwant %+v\n%s", gotOpts, opts, text)
	}
	if !reflect.DeepEqual(gotAcct, acct) {
		t.Errorf("got  %+v\nwant %+v\n%s", gotAcct, acct, text)
	}
	again, err := Marshal(opts, acct)
	if err != nil || string(again) != string(text) {
		t.Errorf("the same Options give two files: %v", err)
	}
	path := filepath.Join("testdata", "every.golden.yaml")
	if *update {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != string(text) {
		t.Errorf("%v: got\n%s", err, text)
	}
}

// TestEveryFieldOfResourcesArrives writes the resources of the example without judging.
func TestEveryFieldOfResourcesArrives(t *testing.T) {
	read := func(text string) (doc document) {
		f := &faults{}
		if !f.checkText(text) {
			t.Fatal(f.list)
		}
		(&decoder{faults: f, places: map[string]place{}}).structure(f.parse(text), "", reflect.ValueOf(&doc).Elem())
		for _, err := range f.list {
			t.Error(err)
		}
		return doc
	}
	doc := read(withKeys(example))
	w := writer{}
	w.structure(reflect.ValueOf(doc), "", 0)
	if got := read(w.out.String()); !reflect.DeepEqual(got, doc) {
		t.Errorf("got  %+v\nwant %+v\n%s", got, doc, w.out.String())
	}
	walk(reflect.TypeFor[document](), "", func(path string, _ field) {
		key := path[strings.LastIndexByte(path, '.')+1:] + ":"
		if !strings.Contains(w.out.String(), key) {
			t.Errorf("%s is not written", path)
		}
	})
}

func TestMarshalRefuses(t *testing.T) {
	sound := func() securebedrock.Options {
		return securebedrock.Options{Region: "eu-central-1", Guardrail: securebedrock.Guardrail{ID: "abc", Version: "1"}}
	}
	for _, row := range []struct {
		what, want string
		spoil      func(*securebedrock.Options)
	}{
		{"middleware", "Middleware: no file can hold it", func(o *securebedrock.Options) { o.Middleware = []securebedrock.Middleware{nil} }},
		{"a variable", "${", func(o *securebedrock.Options) { o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "${WHY}" }},
		{"a token", "token", func(o *securebedrock.Options) { o.Models = []string{"AKIA" + "IOSFODNN7EXAMPLE"} }},
		{"no region", "region: it is required", func(o *securebedrock.Options) { o.Region = "" }},
		{"a mark of direction", "cannot be seen", func(o *securebedrock.Options) { o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "a\u202eb" }},
	} {
		opts := sound()
		row.spoil(&opts)
		if text, err := Marshal(opts, policy.Account{}); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v\n%s", row.what, err, text)
		}
	}
}

func TestExcerptKeepsColumns(t *testing.T) {
	for line, want := range map[string]string{
		"region: eu-central-1":                                  "region: eu-central-1",
		"a: [arn:aws:iam::123456789012:role/BedrockInvoker, b]": "a: [*********************************************, b]",
		"key: 'wJalrXUtnFEMI/K7MDENG'":                          "key: '*********************'",
		"a\tb":                                                  "a b",
		"ä: \u202e":                                             "ä: *",
	} {
		if got := shown(line); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"regoin": "region", "maxTokens": "max_tokens", "MAX-TOKENS": "max_tokens", "zzz": "", "": ""} {
		if got := nearest(word, []string{"region", "max_tokens", "models"}); got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
}
