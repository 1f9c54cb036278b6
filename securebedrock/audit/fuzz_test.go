package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// Whatever a log holds, Verify and ReadTail end without a panic, and nothing but
// what the key's owner wrote verifies.
func FuzzVerify(f *testing.F) {
	log, err := os.ReadFile("testdata/chain.golden.log") // the same in all of the fuzzer's processes
	if err != nil {
		f.Fatal(err)
	}
	f.Add(log)
	f.Add(log[:len(log)-1])
	f.Add(bytes.Replace(log, []byte("\n"), []byte("\n\n"), 2))
	f.Add([]byte(`{"schema":"securebedrock.audit/1","kind":"x","chain":{},"mac":"0000000000000000000000000000000000000000000000000000000000000000"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := audit.Verify(bytes.NewReader(b), keys(key1))
		if err != nil {
			t.Fatal(err)
		}
		if r.OK() && !bytes.Equal(b, log) {
			t.Errorf("%q verifies", b)
		}
		tail, err := audit.ReadTail(bytes.NewReader(b), keys(key1))
		if err != nil && !errors.Is(err, audit.ErrTampered) {
			t.Errorf("ReadTail: %v", err)
		}
		if err == nil && tail.Stream != "" && !bytes.Contains(b, []byte(tail.MAC)) {
			t.Errorf("a tail that is not in the log: %+v", tail)
		}
	})
}

// The canonical form of JSON is its own, keeps its meaning, and redaction leaves
// valid UTF-8 and, of a whole document, valid JSON.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"b":1.0,"a":["x\u0040example.com",4111111111111111,null]}`))
	f.Add([]byte(`not json`))
	f.Add([]byte("\xff\xfe"))
	f.Fuzz(func(t *testing.T, body []byte) {
		in := &bedrockruntime.InvokeModelInput{Body: body}
		if len(body) == 0 {
			return
		}
		if _, err := audit.DigestOf(key1, in); err != nil {
			t.Fatal(err)
		}
		red := audit.Patterns().Redact(string(body))
		if utf8.Valid(body) && !utf8.ValidString(red) {
			t.Errorf("%q became %q", body, red)
		}
		if c := audit.Canonical(body); json.Valid(body) && utf8.Valid(body) {
			if !json.Valid([]byte(c)) || audit.Canonical([]byte(c)) != c {
				t.Errorf("canonical form of %q is %q, and of that %q", body, c, audit.Canonical([]byte(c)))
			}
			if r := audit.RedactJSON(audit.Patterns(), string(body)); !json.Valid([]byte(r)) {
				t.Errorf("%q redacted is %q", body, r)
			}
		}
	})
}
