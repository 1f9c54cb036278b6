package configfile

import (
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
