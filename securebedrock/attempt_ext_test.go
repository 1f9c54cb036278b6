package securebedrock_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A session that Bedrock calls expired is renewed, and the call is sent once more,
// whatever its operation and its count of attempts.
func TestExpiredSessionIsRenewed(t *testing.T) {
	server := bedrocktest.NewServer(t)
	r := new(recorder)
	c := newClient(t, server, r.option, func(o *opts) { o.Retry.MaxAttempts = 1 })
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	server.ExpireSessions()
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Errorf("Converse: %v", err)
	}
	server.ExpireSessions()
	out, err := c.ConverseStream(t.Context(), converseStream("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := drain(out.GetStream()); err != nil || text == "" {
		t.Errorf("ConverseStream: %q, %v", text, err)
	}
	out.GetStream().Close()
	if n := len(calls(server, "AssumeRole")); n != 3 {
		t.Errorf("STS was asked %d times, want 3", n)
	}
	settled(t, "three records", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.records) == 3 })
	for i, want := range []int{1, 2, 2} {
		if n := r.records[i].outcome.Attempts; n != want {
			t.Errorf("call %d was sent %d times, want %d", i, n, want)
		}
	}
}

// expiring calls keys expired until it sees one that begins with "FRESH".
func expiring(code string, header bool, seen *sync.Map) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		key, _, _ := strings.Cut(scope, "/")
		n, _ := seen.LoadOrStore(key, new(atomic.Int32))
		n.(*atomic.Int32).Add(1)
		if strings.HasPrefix(key, "FRESH") {
			unproven(w, r)
			return
		}
		io.Copy(io.Discard, r.Body)
		text := fmt.Sprintf(`{"message":"The security token included in the request is expired","__type":"com.amazon.coral.service#%s"}`, code)
		if header {
			w.Header().Set("X-Amzn-Errortype", code+":http://internal.amazon.com/coral/com.amazon.coral.service/")
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, text)
	})
}

func timesSeen(seen *sync.Map, key string) int {
	if n, ok := seen.Load(key); ok {
		return int(n.(*atomic.Int32).Load())
	}
	return 0
}

// handledBy is a client of an HTTPS server that answers with handler, with the
// credentials of provider.
func signedBy(t *testing.T, handler http.Handler, provider aws.CredentialsProvider, change ...func(*securebedrock.Options)) *securebedrock.Client {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	o := securebedrock.Options{Region: "us-east-1", Endpoint: securebedrock.Endpoint{URL: srv.URL}, Unguarded: "a test"}
	for _, f := range change {
		f(&o)
	}
	c, err := securebedrock.NewFromConfig(aws.Config{Credentials: provider, HTTPClient: srv.Client()}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Without a Role the configuration's own provider is asked anew, whichever name the
// expiry has. What cannot change is not sent again.
func TestExpiredCredentialsAreRenewed(t *testing.T) {
	for _, row := range []struct {
		name, code string
		header     bool
		cached     bool
		stays      bool // expired
		want       int  // sends with the old key
	}{
		{"ExpiredTokenException", "ExpiredTokenException", true, true, false, 1},
		{"in the body alone", "ExpiredTokenException", false, true, false, 1},
		{"ExpiredToken", "ExpiredToken", true, true, false, 1},
		{"another code with the message", "UnrecognizedClientException", true, true, false, 1},
		{"a provider without a cache", "ExpiredTokenException", true, false, false, 1},
		{"a provider that has no others", "ExpiredTokenException", true, true, true, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			var seen sync.Map
			var asked atomic.Int32
			var provider aws.CredentialsProvider = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				key := "FRESH"
				if asked.Add(1) == 1 || row.stays {
					key = "OLD"
				}
				return aws.Credentials{AccessKeyID: key, SecretAccessKey: "secret", SessionToken: "t"}, nil
			})
			if row.cached {
				provider = aws.NewCredentialsCache(provider)
			}
			r := new(recorder)
			c := signedBy(t, expiring(row.code, row.header, &seen), provider, r.option)
			_, err := c.Converse(t.Context(), converse("hello"))
			if failed := err != nil; failed != row.stays {
				t.Errorf("got %v", err)
			}
			if n := timesSeen(&seen, "OLD"); n != row.want {
				t.Errorf("sent %d times with the old key, want %d", n, row.want)
			}
			if o := r.one(t).outcome; o.Attempts != 2 {
				t.Errorf("%d attempts", o.Attempts)
			}
		})
	}
}

// Of many calls that meet an expiry at once, the first renews the credentials and
// the others keep what it got.
func TestExpiryIsRenewedOnceForManyCalls(t *testing.T) {
	var seen sync.Map
	var asked atomic.Int32
	provider := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		if n := asked.Add(1); n > 1 {
			return aws.Credentials{AccessKeyID: fmt.Sprint("FRESH", n), SecretAccessKey: "s", SessionToken: "t"}, nil
		}
		return aws.Credentials{AccessKeyID: "OLD", SecretAccessKey: "s", SessionToken: "t"}, nil
	}))
	c := signedBy(t, expiring("ExpiredTokenException", true, &seen), provider)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := asked.Load(); n != 2 {
		t.Errorf("the provider was asked %d times, want 2", n)
	}
}

// New reads a rewritten credentials file again.
func TestRewrittenCredentialsAreRead(t *testing.T) {
	server := bedrocktest.NewServer(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	session := func() string {
		t.Helper()
		out, err := sts.NewFromConfig(server.Config()).AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::123456789012:role/app"), RoleSessionName: aws.String("tool")})
		if err != nil {
			t.Fatal(err)
		}
		c := out.Credentials
		return fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	}
	for k, v := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_REGION": "",
		"AWS_CA_BUNDLE": write("ca.pem", string(server.CertificatePEM())), "AWS_CONFIG_FILE": write("config", ""),
		"AWS_SHARED_CREDENTIALS_FILE": write("credentials", session()), "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(k, v)
	}
	o := server.Options()
	o.Role = nil
	c, err := securebedrock.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	server.ExpireSessions()
	if _, err := c.Converse(t.Context(), converse("hello")); err == nil {
		t.Fatal("the server accepts an expired session")
	}
	write("credentials", session())
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Errorf("the file was rewritten: %v", err)
	}
}

// The send with fresh credentials is one more than Retry.MaxAttempts, and not as many
// again.
func TestExpiryAddsOneSend(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("Converse", bedrocktest.Throttle(1), bedrocktest.Error(403, "ExpiredTokenException", "expired"), bedrocktest.Throttle(9))
	c := newClient(t, server, func(o *opts) { o.Retry.MaxAttempts = 2 })
	if _, err := c.Converse(t.Context(), converse("hello")); err == nil {
		t.Fatal("no error")
	}
	if n := len(calls(server, "Converse")); n != 3 {
		t.Errorf("sent %d times, want 3", n)
	}
}

// A stream is sent again before its first event, and never after it.
func TestStreamIsRetriedBeforeItsFirstEventOnly(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		sends int
		fails bool
	}{
		{"a throttle before it begins", bedrocktest.Throttle(1), 2, false},
		{"a connection lost before it begins", bedrocktest.Drop(), 2, false},
		{"a connection lost after events", bedrocktest.DropStream(2), 1, true},
		{"a throttle after events", bedrocktest.Exception(2, "throttlingException", "slow down"), 1, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			server.Fail("ConverseStream", row.fault)
			r := new(recorder)
			c := newClient(t, server, r.option)
			out, err := c.ConverseStream(t.Context(), converseStream("hello"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = drain(out.GetStream())
			if (err != nil) != row.fails {
				t.Errorf("the stream ended with %v", err)
			}
			out.GetStream().Close()
			o := r.one(t).outcome
			if n := len(calls(server, "ConverseStream")); n != row.sends || o.Attempts != row.sends {
				t.Errorf("sent %d times, the Outcome says %d, want %d", n, o.Attempts, row.sends)
			}
			if o.Events == 0 {
				t.Error("no events were counted")
			}
		})
	}
}
