package audit_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

type userKey struct{}

// who reads the subject where an application keeps it.
func who(ctx context.Context, _ *securebedrock.Call) string {
	s, _ := ctx.Value(userKey{}).(string)
	return s
}

// What a caller names is recorded where it is an identifier, and no token.
func TestCorrelationIDIsNoToken(t *testing.T) {
	server := bedrocktest.NewServer(t)
	for _, row := range []struct{ id, want string }{
		{"request-4711", "request-4711"},
		{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "(no identifier)"},
		{"user:AKIAIOSFODNN7EXAMPLE", "(no identifier)"},
		{"what is my balance?", "(no identifier)"},
	} {
		sink := new(memory)
		c := newClient(t, server, sink, audit.Options{})
		_, _ = c.Converse(securebedrock.WithCorrelationID(t.Context(), row.id), converse("hello"))
		for _, r := range sink.wait(t, 2) {
			if r.CorrelationID != row.want {
				t.Errorf("%s: the correlation ID %q is recorded as %q, want %q", r.Kind, row.id, r.CorrelationID, row.want)
			}
		}
	}
}

// What is recorded of who asked, in the intent and in the outcome of an answer, of a
// stream and of a refusal.
func TestSubject(t *testing.T) {
	for _, row := range []struct {
		name, subject, want string
		key                 audit.Key
		want2               string // subject_key_id
	}{
		{name: "an identifier", subject: "user-4711@example.com", want: "user-4711@example.com"},
		{name: "nobody", subject: "", want: ""},
		{name: "a text", subject: "what is my balance?", want: "(no identifier)"},
		{name: "256 bytes", subject: strings.Repeat("a", 256), want: strings.Repeat("a", 256)},
		{name: "257 bytes", subject: strings.Repeat("a", 257), want: "(no identifier)"},
		{name: "a web token", subject: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", want: "(no identifier)"},
		{name: "an access key", subject: "user:AKIAIOSFODNN7EXAMPLE", want: "(no identifier)"},
		{name: "two lines", subject: "a\nb", want: "(no identifier)"},
		{name: "an HMAC", subject: "Jörg, desk 7", key: key1, want: audit.DigestSubject(key1, "Jörg, desk 7"), want2: key1.ID},
		{name: "an HMAC of nobody", subject: "", key: key1, want: ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			ctx := context.WithValue(t.Context(), userKey{}, row.subject)
			for kind, call := range map[string]func(c *securebedrock.Client){
				"answer": func(c *securebedrock.Client) { _, _ = c.Converse(ctx, converse("hello")) },
				"stream": func(c *securebedrock.Client) {
					if out, err := c.ConverseStream(ctx, converseStream("hello")); err == nil {
						for range out.GetStream().Events() {
						}
					}
				},
				"refusal": func(c *securebedrock.Client) {
					in := converse("hello")
					in.ModelId = aws.String("eu." + haiku)
					_, _ = c.Converse(ctx, in)
				},
				"Runtime": func(c *securebedrock.Client) { _, _ = c.Runtime().Converse(ctx, converse("hello")) },
			} {
				sink := new(memory)
				c := newClient(t, server, sink, audit.Options{Subject: who, SubjectKey: row.key})
				call(c)
				for _, r := range sink.wait(t, 2) {
					if r.Subject != row.want || r.SubjectKeyID != row.want2 {
						t.Errorf("%s, %s: %q of %q, want %q", kind, r.Kind, r.Subject, r.SubjectKeyID, row.want)
					}
					line, _ := json.Marshal(r)
					if strings.Contains(string(line), `"subject":`) != (row.want != "") {
						t.Errorf("%s", line)
					}
				}
			}
		})
	}
}

// The HMAC is keyed, and is not that of the same text as content.
func TestDigestSubject(t *testing.T) {
	d := audit.DigestSubject(key1, "user-1")
	h := hmac.New(sha256.New, key1.Secret)
	h.Write([]byte("securebedrock.audit/1 subject\x00user-1")) // as documented
	if d != "hmac-sha256:"+hex.EncodeToString(h.Sum(nil)) || len(d) != len("hmac-sha256:")+64 || d == audit.DigestSubject(key2, "user-1") || d == audit.DigestSubject(key1, "user-2") ||
		strings.HasSuffix(d, audit.DigestText(key1, "user", "text", "user-1")) {
		t.Error(d)
	}
}

// A Subject that fails refuses the call, which is recorded all the same, unless
// FailOpen says otherwise.
func TestSubjectThatFails(t *testing.T) {
	stuck := make(chan struct{})
	t.Cleanup(func() { close(stuck) })
	for name, f := range map[string]func(context.Context, *securebedrock.Call) string{
		"panics":               func(context.Context, *securebedrock.Call) string { panic("a secret") },
		"ends its goroutine":   func(context.Context, *securebedrock.Call) string { runtime.Goexit(); return "" },
		"does not return":      func(context.Context, *securebedrock.Call) string { <-stuck; return "late" },
		"heeds its context":    func(ctx context.Context, _ *securebedrock.Call) string { <-ctx.Done(); <-stuck; return "" },
		"writes into the call": func(_ context.Context, c *securebedrock.Call) string { *c = securebedrock.Call{}; panic("x") },
	} {
		for _, open := range []string{"", "availability first"} {
			server, sink, stats := bedrocktest.NewServer(t), new(memory), new(audit.Stats)
			c := newClient(t, server, sink, audit.Options{Subject: f, FailOpen: open, Stats: stats, WriteTimeout: 200 * time.Millisecond})
			_, err := c.Converse(t.Context(), converse("hello"))
			in, out := sink.pair(t)
			if in.Subject != "(no identifier)" || out.Subject != in.Subject || in.Operation != "Converse" {
				t.Errorf("%s: %+v and %+v", name, in, out)
			}
			if open != "" {
				if err != nil || out.Attempts != 1 || stats.Refused.Load() != 0 {
					t.Errorf("%s, with FailOpen: %v", name, err)
				}
				continue
			}
			var p *securebedrock.PolicyError
			if !errors.Is(err, securebedrock.ErrAudit) || !errors.As(err, &p) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "Subject") || len(server.Calls()) != 0 {
				t.Errorf("%s: %v, %d calls", name, err, len(server.Calls()))
			}
			if out.Error == nil || out.Error.Rule != "audit" || !out.Refused || stats.Refused.Load() != 1 {
				t.Errorf("%s: %+v", name, out.Error)
			}
		}
	}
}

func TestSubjectOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]audit.Options{
		"a key that is short":   {Subject: who, SubjectKey: audit.Key{ID: "k", Secret: []byte("short")}},
		"a key without an ID":   {Subject: who, SubjectKey: audit.Key{Secret: key1.Secret}},
		"a key without Subject": {SubjectKey: key1},
	} {
		if _, err := audit.Middleware(new(memory), o); !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "SubjectKey") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
