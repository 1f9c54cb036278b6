package wire_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// Whatever the strict reader takes is JSON for encoding/json, and all of it is what the
// SDK sends on.
func FuzzDecodeStrict(f *testing.F) {
	paths := []string{converse, stream, countTokens, apply, checks, async}
	i := 0
	for _, like := range requestTypes() {
		r := wireOf(f, newGenerator(3).input(like))
		for which, path := range paths {
			if strings.HasSuffix(r.path, path[strings.LastIndex(path, "/"):]) && r.method == "POST" && !strings.HasSuffix(r.path, "/invoke") {
				f.Add(byte(which), r.body)
				i++
			}
		}
	}
	for which := range paths {
		for _, body := range []string{
			`{}`, ` {"a":1} `, `{"messages":[{"role":"user","content":[{"text":"\u00e9\ud83d\ude00"}]}]}`, `{"additionalModelRequestFields":{"a":[1e400,0.10,null,{"b":{}}]}}`,
			`{"inferenceConfig":{"maxTokens":1,"topP":1E-2,"temperature":"NaN"}}`, `{"messages":[],"\u006dessages":[]}`, `{"requestMetadata":{"a":"b","c":""}}`,
			`{"input":{"invokeModel":{"body":"eyJhIjoxfQ=="}}}`, `{"modelInput":{"k":[[[[]]]]},"tags":[{"key":"a"}]}`, "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}",
		} {
			f.Add(byte(which), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		r := post(paths[int(which)%len(paths)], string(body))
		if _, err := decodeStrict(r); err != nil {
			if !utf8.ValidString(err.Error()) || len(err.Error()) > 2000 {
				t.Errorf("%q", err)
			}
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q is taken", body)
		}
		nothingLost(t, r)
	})
}

// A path that has an operation is the path that the SDK sends for its labels, and no
// other API's.
func FuzzRoute(f *testing.F) {
	for _, path := range []string{
		"/model/a.b-v1:0/converse", "/model/arn%3Aaws%3Abedrock%3A%3A%3Afoundation-model%2Fa.b/invoke", "/guardrail/g/version/1/apply", "/async-invoke",
		"/async-invoke/x%2F..%2Fy", "/model/../converse", "/model//converse", "/v1/messages", "/openai/v1/responses", "/model/%zz/invoke", "/model/a%252Fb/count-tokens",
		"/guardrail-checks/invoke", "//model/a/converse", "/model/a/converse/", "/model/%E2%80%A8/converse-stream",
	} {
		f.Add("POST", path, "")
		f.Add("GET", path, "maxResults=1&nextToken=%2B")
	}
	f.Fuzz(func(t *testing.T, method, path, query string) {
		op, labels, ok := wire.Route(method, path)
		name, unserved := wire.Unserved(method, path)
		if unserved != (name != "") || ok && unserved {
			t.Fatalf("%q %v %q", op.Name, ok, name)
		}
		if !ok || op.Name == wire.Bidirectional {
			return
		}
		body := "{}"
		if op.Method == http.MethodGet {
			body = ""
		}
		in, err := op.DecodeStrict(&wire.Request{Method: method, Labels: labels, Query: query, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)})
		if err != nil {
			return
		}
		sent := wireOf(t, in)
		again, sentLabels, ok := wire.Route(sent.method, sent.path)
		if !ok || again.Name != op.Name {
			t.Fatalf("%s is sent as %s %s", op.Name, sent.method, sent.path)
		}
		for label, value := range labels {
			if sentLabels[label] != value {
				t.Errorf("%s: %q is sent as %q", label, value, sentLabels[label])
			}
		}
	})
}
