package bedrockhttp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth/bearer"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// keyedDoor is a door that opens to keys.
type keyedDoor struct {
	entry

	handler http.Handler

	keys   *bedrockhttp.Keys
	key    bedrockhttp.Key
	server *bedrocktest.Server
	seen   chan bedrockhttp.Caller
}

func newKeyedDoor(t *testing.T, protocol string, keys ...bedrockhttp.Key) *keyedDoor {
	t.Helper()
	if len(keys) == 0 {
		keys = []bedrockhttp.Key{bedrockhttp.NewKey("billing")}
	}
	d := &keyedDoor{key: keys[0], server: bedrocktest.NewServer(t), seen: make(chan bedrockhttp.Caller, 100)}
	var err error
	if d.keys, err = bedrockhttp.NewKeys(keys...); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, d.server, excuseDuplex, func(o *securebedrock.Options) {
		o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
			return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
				caller, _ := bedrockhttp.CallerOf(ctx)
				if bedrockhttp.Subject(ctx, call) != caller.Name {
					t.Errorf("Subject is not %q", caller.Name)
				}
				d.seen <- caller
				return next(ctx, call)
			}
		})
	})
	d.handler = bedrockhttp.Handler(c, bedrockhttp.HandlerOptions{Keys: d.keys})
	d.entry = serve(t, d.handler, protocol)
	return d
}

// with is a plain client of the SDK with a key's pair.
func (d *keyedDoor) with(k bedrockhttp.Key) func(*bedrockruntime.Options) {
	return func(o *bedrockruntime.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, "")
	}
}

func withBearer(token string) func(*bedrockruntime.Options) {
	return func(o *bedrockruntime.Options) {
		o.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: token}}
		o.AuthSchemePreference = []string{"httpBearerAuth"}
	}
}

// Whoever has a key enters, over every protocol, by SigV4 or with a bearer token, and
// the call has the name of the caller.
func TestKeyOpens(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "h2c", "h2"} {
		d := newKeyedDoor(t, protocol)
		for name, as := range map[string]func(*bedrockruntime.Options){"SigV4": d.with(d.key), "a bearer token": withBearer(d.key.Bearer)} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				if _, err := d.sdk().Converse(t.Context(), converse("Hello"), as); err != nil && (protocol == "h2" || name == "SigV4") {
					t.Fatal(err)
				} else if err != nil {
					t.Skip("the SDK sends a bearer token over TLS alone")
				}
				if got := <-d.seen; got.Name != "billing" || got.Models != nil {
					t.Errorf("%+v", got)
				}
				out, err := d.sdk().InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
					ModelId: aws.String("arn:aws:bedrock:" + d.server.Region() + "::foundation-model/" + haiku), ContentType: aws.String("application/json"), Body: invokeBody("Hello"),
				}, as)
				if err != nil || len(out.Body) == 0 {
					t.Fatal(err)
				}
				if _, err := d.sdk().ListAsyncInvokes(t.Context(), &bedrockruntime.ListAsyncInvokesInput{MaxResults: aws.Int32(5), SubmitTimeAfter: aws.Time(time.Now())}, as); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// raw is a signed request that a test may change.
type raw struct {
	body    string
	method  string // empty: POST
	path    string // empty: Converse of haiku
	header  http.Header
	signed  time.Time // zero: now
	service string    // empty: bedrock
	payload string    // signed in the place of the body's hash
	key     bedrockhttp.Key
	token   string // session token
	tamper  func(*http.Request)
}

var regexpSigned = regexp.MustCompile(`SignedHeaders=[^,]*,`)

const converseBody = `{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`

func (d *keyedDoor) request(t *testing.T, q raw) *http.Request {
	t.Helper()
	if q.path == "" {
		q.path = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse"
	}
	if q.method == "" {
		q.method = http.MethodPost
	}
	if q.signed.IsZero() {
		q.signed = time.Now()
	}
	if q.service == "" {
		q.service = "bedrock"
	}
	if q.key.AccessKeyID == "" {
		q.key = d.key
	}
	r, err := http.NewRequestWithContext(t.Context(), q.method, d.url+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, values := range q.header {
		if r.Header[name] = values; values == nil {
			delete(r.Header, name)
		}
	}
	if q.payload == "" {
		sum := sha256.Sum256([]byte(q.body))
		q.payload = hex.EncodeToString(sum[:])
	}
	creds := aws.Credentials{AccessKeyID: q.key.AccessKeyID, SecretAccessKey: q.key.SecretAccessKey, SessionToken: q.token}
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, q.payload, q.service, "mars-north-1", q.signed); err != nil {
		t.Fatal(err)
	}
	if q.tamper != nil {
		q.tamper(r)
	}
	return r
}

// send returns the status, the code and the message of the answer.
func (d *keyedDoor) send(t *testing.T, r *http.Request) (status int, code, message string) {
	t.Helper()
	resp, err := d.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.Header.Get("Date") == "" {
		t.Error("no Date header: an SDK cannot correct its clock")
	}
	code, _, _ = strings.Cut(resp.Header.Get("X-Amzn-Errortype"), ":")
	return resp.StatusCode, code, string(text)
}

// Whoever has no key is told so in AWS's words, with the remedy, and nothing of the
// request goes on.
func TestNoKeyNoEntry(t *testing.T) {
	ended := bedrockhttp.NewKey("ended")
	ended.Expires = time.Now().Add(-time.Second)
	other := bedrockhttp.NewKey("other")
	d := newKeyedDoor(t, "HTTP/1.1", bedrockhttp.NewKey("billing"), ended)
	const (
		missing    = "MissingAuthenticationTokenException"
		unknown    = "UnrecognizedClientException"
		wrong      = "InvalidSignatureException"
		expired    = "ExpiredTokenException"
		incomplete = "IncompleteSignatureException"
		denied     = "AccessDeniedException"
	)
	set := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
	}
	wrongSecret := d.key
	wrongSecret.SecretAccessKey = other.SecretAccessKey
	aws20 := bedrockhttp.Key{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	authorization := func(change func(string) string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", change(r.Header.Get("Authorization"))) }
	}
	replace := func(old, with string) func(*http.Request) {
		return authorization(func(s string) string {
			if !strings.Contains(s, old) {
				t.Errorf("no %q in the header", old)
			}
			return strings.Replace(s, old, with, 1)
		})
	}
	for _, row := range []struct {
		name string
		q    raw
		code string
		says string
	}{
		{"no Authorization", raw{tamper: set("Authorization")}, missing, "AWS_SHARED_CREDENTIALS_FILE"},
		{"an empty Authorization", raw{tamper: set("Authorization", "")}, missing, "AWS_SHARED_CREDENTIALS_FILE"},
		{"basic authentication", raw{tamper: func(r *http.Request) { r.SetBasicAuth(d.key.AccessKeyID, d.key.SecretAccessKey) }}, incomplete, "AWS4-HMAC-SHA256"},
		{"an unknown key", raw{key: other}, unknown, "unset AWS_ACCESS_KEY_ID"},
		{"a key of AWS", raw{key: aws20}, unknown, "none of AWS's"},
		{"the wrong secret", raw{key: wrongSecret}, wrong, "does not match"},
		{"a session token", raw{token: "session"}, unknown, "X-Amz-Security-Token"},
		{"an empty session token", raw{tamper: set("X-Amz-Security-Token", "")}, unknown, "X-Amz-Security-Token"},
		{"an ended key", raw{key: ended}, expired, "the key of this server has ended"},
		{"six minutes behind", raw{signed: time.Now().Add(-6 * time.Minute)}, wrong, "behind this server's clock"},
		{"six minutes ahead", raw{signed: time.Now().Add(6 * time.Minute)}, wrong, "ahead of this server's clock"},
		{"another service", raw{service: "sts"}, wrong, "'bedrock'"},
		{"bedrock-runtime is no service of a scope", raw{service: "bedrock-runtime"}, wrong, "'bedrock'"},
		{"no date", raw{tamper: set("X-Amz-Date")}, incomplete, "Date"},
		{"two dates", raw{tamper: func(r *http.Request) { r.Header.Add("X-Amz-Date", r.Header.Get("X-Amz-Date")) }}, incomplete, "more than one X-Amz-Date"},
		{"another date", raw{tamper: set("X-Amz-Date", time.Now().UTC().Add(time.Minute).Format("20060102T150405Z"))}, wrong, ""},
		{"another body", raw{body: converseBody, tamper: func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(converseBody, "Hello", "HELLO", 1)))
		}}, wrong, "does not match"},
		{"another path", raw{tamper: func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/model/other/converse", "" }}, wrong, "does not match"},
		{"another escape of the path", raw{tamper: func(r *http.Request) { r.URL.RawPath = "" }}, wrong, "does not match"},
		{"another method", raw{method: "PUT", tamper: func(r *http.Request) { r.Method = "POST" }}, wrong, "does not match"},
		{"a query of its own", raw{tamper: func(r *http.Request) { r.URL.RawQuery = "a=b" }}, wrong, "does not match"},
		{"another content type", raw{tamper: set("Content-Type", "text/plain")}, wrong, "does not match"},
		{"an unsigned guardrail header", raw{tamper: set("X-Amzn-Bedrock-GuardrailIdentifier", "other")}, wrong, "begins with x-amz"},
		{"an unsigned x-amz header", raw{tamper: set("X-Amz-Target", "x")}, wrong, "begins with x-amz"},
		{"two Authorization headers", raw{tamper: func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }}, incomplete, "more than one"},
		{"SigV4 and a bearer token", raw{tamper: func(r *http.Request) { r.Header.Add("Authorization", "Bearer "+d.key.Bearer) }}, incomplete, "more than one"},
		{"a presigned request", raw{tamper: func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "X-Amz-Signature=00" }}, incomplete, "query string"},
		{"a presigned request in other letters", raw{tamper: func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "a=b&x-amz%2Dcredential=00" }}, incomplete, "query string"},
		{"two signatures", raw{tamper: func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=00" }}, incomplete, "another one"},
		{"SigV4a", raw{tamper: replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")}, incomplete, "AWS4-ECDSA-P256-SHA256 is not accepted"},
		{"a scheme in lower case", raw{tamper: replace("AWS4-HMAC-SHA256", "aws4-hmac-sha256")}, incomplete, ""},
		{"no scheme", raw{tamper: replace("AWS4-HMAC-SHA256 ", "")}, incomplete, ""},
		{"no Credential", raw{tamper: replace("Credential=", "Cred=")}, incomplete, ""},
		{"two Credentials", raw{tamper: replace("Credential=", "Credential=x/20250101/r/bedrock/aws4_request, Credential=")}, incomplete, ""},
		{"a short scope", raw{tamper: replace("/aws4_request", "")}, incomplete, ""},
		{"another end of the scope", raw{tamper: replace("/aws4_request", "/aws5_request")}, incomplete, ""},
		{"another region in the scope", raw{tamper: replace("/mars-north-1/", "/mars-south-1/")}, wrong, "does not match"},
		{"another day in the scope", raw{tamper: replace("/"+time.Now().UTC().Format("20060102")+"/", "/20200101/")}, wrong, "Date in Credential scope"},
		{"no host among the signed headers", raw{tamper: replace("host;", "")}, wrong, "'Host'"},
		{"no date among the signed headers", raw{tamper: replace(";x-amz-date", "")}, wrong, "x-amz-date"},
		{"signed headers in upper case", raw{tamper: replace("host;", "Host;")}, incomplete, ""},
		{"no signed headers", raw{tamper: authorization(func(s string) string { return regexpSigned.ReplaceAllString(s, "SignedHeaders=,") })}, incomplete, ""},
		{"thousands of signed headers", raw{tamper: replace("host;", "host;"+strings.Repeat("a;", 5000))}, incomplete, ""},
		{"a signature of no hex", raw{tamper: replace("Signature=", "Signature=zz")}, incomplete, ""},
		{"a short signature", raw{tamper: authorization(func(s string) string { return s[:len(s)-2] })}, incomplete, ""},
		{"one bit of the signature", raw{tamper: authorization(flipLast)}, wrong, "does not match"},
		{"no comma", raw{tamper: replace(", SignedHeaders", " SignedHeaders")}, incomplete, ""},
		{"an unsigned payload", raw{body: converseBody, payload: sigv4.PayloadUnsigned, header: http.Header{"X-Amz-Content-Sha256": {sigv4.PayloadUnsigned}}}, wrong, "UNSIGNED-PAYLOAD is not accepted"},
		{"an unsigned payload in chunks", raw{payload: sigv4.PayloadUnsignedTrailer, header: http.Header{"X-Amz-Content-Sha256": {sigv4.PayloadUnsignedTrailer}}}, wrong, "is not accepted"},
		{"an unknown payload", raw{payload: "STREAMING-NEW", header: http.Header{"X-Amz-Content-Sha256": {"STREAMING-NEW"}}}, wrong, "x-amz-content-sha256"},
		{"the payload of a stream", raw{body: converseBody, payload: sigv4.PayloadEvents, header: http.Header{"X-Amz-Content-Sha256": {sigv4.PayloadEvents}}}, wrong, "for no other operation"},
		{"the hash of another body", raw{body: converseBody, payload: strings.Repeat("0", 64), header: http.Header{"X-Amz-Content-Sha256": {strings.Repeat("0", 64)}}}, wrong, "does not match what was computed"},
		{"two hashes", raw{header: http.Header{"X-Amz-Content-Sha256": {"a", "b"}}}, incomplete, "more than one X-Amz-Content-Sha256"},
		{"a wrong bearer token", raw{tamper: set("Authorization", "Bearer "+other.Bearer)}, denied, "AWS_BEARER_TOKEN_BEDROCK"},
		{"an API key of Bedrock", raw{tamper: set("Authorization", "Bearer ABSKQmVkcm9ja0FQSUtleS1leGFtcGxl")}, denied, "none of AWS's"},
		{"an empty bearer token", raw{tamper: set("Authorization", "Bearer ")}, denied, "AWS_BEARER_TOKEN_BEDROCK"},
		{"the secret as a bearer token", raw{tamper: set("Authorization", "Bearer "+d.key.SecretAccessKey)}, denied, "AWS_BEARER_TOKEN_BEDROCK"},
		{"an ended bearer token", raw{tamper: set("Authorization", "Bearer "+ended.Bearer)}, expired, "ended"},
		{"a bearer token and a session token", raw{tamper: func(r *http.Request) {
			set("Authorization", "Bearer "+d.key.Bearer)(r)
			set("X-Amz-Security-Token", "session")(r)
		}}, unknown, "X-Amz-Security-Token"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.q.body == "" && row.q.method == "" {
				row.q.body = converseBody
			}
			status, code, message := d.send(t, d.request(t, row.q))
			if status != http.StatusForbidden || code != row.code || !strings.Contains(message, row.says) {
				t.Errorf("%d %s %s, want %s with %q", status, code, message, row.code, row.says)
			}
			for _, secret := range []string{d.key.SecretAccessKey, d.key.Bearer, other.SecretAccessKey, other.Bearer, "Hello", d.key.AccessKeyID} {
				if strings.Contains(message, secret) {
					t.Errorf("the answer repeats a secret or the prompt: %s", message)
				}
			}
		})
	}
	if calls := d.server.Calls(); len(calls) != 0 || len(d.seen) != 0 {
		t.Errorf("%d calls went on", len(calls))
	}
	if status, code, message := d.send(t, d.request(t, raw{body: converseBody})); status != http.StatusOK {
		t.Errorf("the right key: %d %s %s", status, code, message)
	}
}

// The signature covers what it must, whatever else an SDK leaves out or writes
// otherwise.
func TestKeyOpensToOtherSigners(t *testing.T) {
	d := newKeyedDoor(t, "HTTP/1.1")
	respell := func(change func(string) string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", change(r.Header.Get("Authorization"))) }
	}
	n := 0
	for _, row := range []struct {
		name string
		q    raw
	}{
		{"four minutes behind", raw{signed: time.Now().Add(-4 * time.Minute)}},
		{"four minutes ahead", raw{signed: time.Now().Add(4 * time.Minute)}},
		{"a hash in the header, as JavaScript's", raw{header: http.Header{"X-Amz-Content-Sha256": {""}}}},
		{"a content type that nobody signs, as aws4fetch", raw{header: http.Header{"Content-Type": nil}, tamper: func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }}},
		{"a trace ID that Lambda adds", raw{tamper: func(r *http.Request) { r.Header.Set("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793") }}},
		{"a user agent that nobody signs", raw{tamper: func(r *http.Request) { r.Header.Set("X-Amz-User-Agent", "aws-sdk-x/1") }}},
		{"no spaces in the header", raw{tamper: respell(func(s string) string { return strings.ReplaceAll(s, ", ", ",") })}},
		{"more spaces in the header", raw{tamper: respell(func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(s, ", ", " ,  "), "256 ", "256   ")
		})}},
		{"another order in the header", raw{tamper: respell(func(s string) string {
			scheme, rest, _ := strings.Cut(s, " ")
			parts := strings.Split(rest, ", ")
			return scheme + " " + parts[2] + ", " + parts[0] + ", " + parts[1]
		})}},
		{"a path without escapes", raw{path: "/model/" + haiku + "/converse"}},
		{"a bearer token in lower case", raw{tamper: func(r *http.Request) { r.Header.Set("Authorization", "bearer "+d.key.Bearer) }}},
	} {
		t.Run(row.name, func(t *testing.T) {
			n++
			row.q.body = strings.Replace(converseBody, "Hello", "Hello "+strings.Repeat("o", n), 1)
			if _, hashed := row.q.header["X-Amz-Content-Sha256"]; hashed {
				sum := sha256.Sum256([]byte(row.q.body))
				row.q.header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
			}
			if status, code, message := d.send(t, d.request(t, row.q)); status != http.StatusOK {
				t.Errorf("%d %s %s", status, code, message)
			}
		})
	}
}

// A key's models narrow those of the client, and the call is refused by the core.
func TestKeyNarrowsModels(t *testing.T) {
	narrow := bedrockhttp.NewKey("narrow")
	narrow.Models = []string{"amazon.nova-*"}
	d := newKeyedDoor(t, "HTTP/1.1", narrow)
	_, err := d.sdk().Converse(t.Context(), converse("Hello"), d.with(narrow))
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDeniedException" || len(d.server.Calls()) != 0 {
		t.Errorf("%v, %d calls", err, len(d.server.Calls()))
	}
}

// Replace lets a key in and another one out, for requests whose bodies are still on
// their way, too.
func TestKeysReplaced(t *testing.T) {
	d := newKeyedDoor(t, "HTTP/1.1")
	body, send := io.Pipe()
	r := d.request(t, raw{body: converseBody})
	r.Body, r.ContentLength = body, int64(len(converseBody))
	answered := make(chan int, 1)
	go func() {
		status, _, _ := d.send(t, r)
		answered <- status
	}()
	if _, err := send.Write([]byte(converseBody[:10])); err != nil {
		t.Fatal(err)
	}
	next := bedrockhttp.NewKey("next")
	if err := d.keys.Replace(next); err != nil {
		t.Fatal(err)
	}
	if _, err := send.Write([]byte(converseBody[10:])); err != nil {
		t.Fatal(err)
	}
	send.Close()
	if status := <-answered; status != http.StatusForbidden {
		t.Errorf("a key that was taken away while the body was on its way: %d", status)
	}
	if status, code, _ := d.send(t, d.request(t, raw{body: converseBody})); status != http.StatusForbidden || code != "UnrecognizedClientException" {
		t.Errorf("a key that was taken away: %d %s", status, code)
	}
	if status, _, message := d.send(t, d.request(t, raw{body: converseBody, key: next})); status != http.StatusOK {
		t.Errorf("the new key: %d %s", status, message)
	}
	if err := d.keys.Replace(next, next); err == nil {
		t.Error("a doubled key was taken")
	}
	if status, _, message := d.send(t, d.request(t, raw{body: converseBody + " ", key: next})); status != http.StatusOK {
		t.Errorf("after faulty keys: %d %s", status, message)
	}
	if err := d.keys.Replace(); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := d.send(t, d.request(t, raw{body: converseBody, key: next})); status != http.StatusForbidden {
		t.Errorf("without a key: %d", status)
	}
}

// No byte of a body is read of whoever has no key.
func TestBodyIsNotReadWithoutKey(t *testing.T) {
	ended := bedrockhttp.NewKey("ended")
	ended.Expires = time.Now().Add(-time.Second)
	d := newKeyedDoor(t, "HTTP/1.1", bedrockhttp.NewKey("billing"), ended)
	sum := sha256.Sum256([]byte(converseBody))
	hashed := http.Header{"X-Amz-Content-Sha256": {hex.EncodeToString(sum[:])}}
	for _, row := range []struct {
		name   string
		header http.Header
		tamper func(*http.Request)
		key    bedrockhttp.Key
	}{
		{name: "an ended key", key: ended},
		{name: "an ended bearer token", tamper: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+ended.Bearer) }},
		{name: "no key", tamper: func(r *http.Request) { r.Header.Del("Authorization") }},
		{name: "an unknown key", tamper: func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), d.key.AccessKeyID, "SBRKUNKNOWNUNKNOWN22", 1))
		}},
		{name: "a wrong bearer token", tamper: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+d.key.SecretAccessKey) }},
		{name: "an old date", tamper: func(r *http.Request) { r.Header.Set("X-Amz-Date", "20200101T000000Z") }},
		{name: "a wrong signature of a hash", header: hashed, tamper: func(r *http.Request) { r.Header.Set("Authorization", flipLast(r.Header.Get("Authorization"))) }},
	} {
		r := d.request(t, raw{body: converseBody, header: row.header, tamper: row.tamper, key: row.key})
		in := httptest.NewRequestWithContext(t.Context(), r.Method, r.URL.EscapedPath(), unreadable{t})
		in.Header, in.Host = r.Header, r.URL.Host
		out := httptest.NewRecorder()
		d.handler.ServeHTTP(out, in)
		if out.Code != http.StatusForbidden {
			t.Errorf("%s: %d", row.name, out.Code)
		}
	}
}

// unreadable is a body that nobody may read.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func flipLast(s string) string {
	last := byte('0')
	if s[len(s)-1] == last {
		last = '1'
	}
	return string(bytes.Join([][]byte{[]byte(s[:len(s)-1]), {last}}, nil))
}

// The frames of a bidirectional call are verified, each by the key of the caller. With a
// bearer token nobody signs frames.
func TestKeyOpensBidirectional(t *testing.T) {
	d := newKeyedDoor(t, "h2")
	for name, as := range map[string]func(*bedrockruntime.Options){"SigV4": d.with(d.key), "a bearer token": withBearer(d.key.Bearer)} {
		out, err := d.sdk().InvokeModelWithBidirectionalStream(t.Context(), sonic(), as)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		es := out.GetStream()
		if err := say(t.Context(), es, `{"n":1}`); err != nil {
			t.Fatalf("%s: %v, %v", name, err, es.Err())
		}
		if have, ok := hear(t, es); !ok || have != `{"n":1}` {
			t.Errorf("%s: heard %q, %v, %v", name, have, ok, es.Err())
		}
		if err := es.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if caller := <-d.seen; caller.Name != "billing" {
			t.Errorf("%s: the caller is %q", name, caller.Name)
		}
	}
	before := len(d.server.Calls())
	for name, as := range map[string]func(*bedrockruntime.Options){"an unknown key": d.with(bedrockhttp.NewKey("other")), "an unknown token": withBearer(bedrockhttp.NewKey("other").Bearer)} {
		if out, err := d.sdk().InvokeModelWithBidirectionalStream(t.Context(), sonic(), as); err == nil {
			es := out.GetStream()
			_, ok := hear(t, es)
			if err = es.Err(); ok || err == nil {
				t.Errorf("%s: a stream was opened", name)
			}
			es.Close()
		}
	}
	if n := len(d.server.Calls()) - before; n != 0 {
		t.Errorf("%d calls went on", n)
	}
}
