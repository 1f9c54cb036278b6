package bedrockhttp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// clocked is keys with a clock that the test sets.
func clocked(t testing.TB, at *time.Time, keys ...Key) *Keys {
	t.Helper()
	k := &Keys{now: func() time.Time { return *at }}
	if err := k.Replace(keys...); err != nil {
		t.Fatal(err)
	}
	return k
}

// signedRequest is a request of a key, as the Handler gets it. hashed has the body's
// hash in a header.
func signedRequest(t testing.TB, k Key, body string, at time.Time, hashed bool) *http.Request {
	t.Helper()
	const target = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse"
	out, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://127.0.0.1:8080"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	out.Header.Set("Content-Type", "application/json")
	out.Header.Set("Amz-Sdk-Request", "attempt=1; max=3")
	if hashed {
		out.Header.Set("X-Amz-Content-Sha256", hash)
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey}, out, hash, "bedrock", "eu-central-1", at); err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRequestWithContext(context.Background(), http.MethodPost, target, strings.NewReader(body))
	in.Header, in.Host = out.Header, out.URL.Host
	return in
}

// admit takes a request through both steps.
func admit(k *Keys, r *http.Request, body string) error {
	c, err := k.claim(r)
	if err != nil {
		return err
	}
	_, err = c.verify(r, []byte(body))
	return err
}

// A request that is sent again is refused, before its body is read.
// SDKs that sign by the second send equal requests twice.
func TestReplay(t *testing.T) {
	for _, hashed := range []bool{false, true} {
		now := time.Now()
		key := NewKey("billing")
		k := clocked(t, &now, key)
		r := signedRequest(t, key, "body", now, hashed)
		for range 3 {
			if err := admit(k, r, "body"); err != nil {
				t.Fatal(err)
			}
		}
		for _, after := range []time.Duration{4 * time.Second, time.Minute, 4 * time.Minute} {
			later := now
			now = now.Add(after)
			if err := admit(k, r, "body"); err == nil || !strings.Contains(err.Error(), "used before") {
				t.Errorf("hash in a header: %v, after %v: %v", hashed, after, err)
			}
			if c, err := k.claim(r); err == nil {
				t.Errorf("hash in a header: %v, after %v: the body would be read of %v", hashed, after, c)
			}
			if err := admit(k, signedRequest(t, key, "body", now, hashed), "body"); err != nil {
				t.Errorf("the same request, signed anew: %v", err)
			}
			now = later
		}
		if err := k.Replace(key, NewKey("another")); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
		if err := admit(k, r, "body"); err == nil {
			t.Error("Replace has forgotten the signature")
		}
	}
	// What does not match is not remembered: nobody can use up another's signature.
	now := time.Now()
	key := NewKey("billing")
	k := clocked(t, &now, key)
	r := signedRequest(t, key, "body", now, true)
	if err := admit(k, r, "other"); err == nil {
		t.Fatal("another body passes")
	}
	now = now.Add(10 * time.Second)
	if err := admit(k, r, "body"); err != nil {
		t.Errorf("after another body: %v", err)
	}
}

// A key that was used in another process may have signed what that process has seen.
func TestSignedBeforeTheKeyCame(t *testing.T) {
	for _, row := range []struct {
		name   string
		fresh  bool
		before time.Duration
		passes bool
	}{
		{"a new key, of a clock that is behind", true, 4 * time.Minute, true},
		{"a key that was kept, signed now", false, 0, true},
		{"a key that was kept, signed in this second", false, time.Second, true},
		{"a key that was kept, signed before", false, 5 * time.Second, false},
		{"a key that was kept, of a clock that is ahead", false, -4 * time.Minute, true},
	} {
		now := time.Now().Truncate(time.Second)
		key := NewKey("billing")
		if key.fresh = row.fresh; !row.fresh {
			now = now.Add(time.Millisecond)
		}
		k := clocked(t, &now, key)
		r := signedRequest(t, key, "body", now.Add(-row.before), false)
		if err := admit(k, r, "body"); (err == nil) != row.passes {
			t.Errorf("%s: %v", row.name, err)
		}
		// Put there again, the key is not a new one.
		now = now.Add(time.Minute)
		if err := k.Replace(key); err != nil {
			t.Fatal(err)
		}
		if err := admit(k, signedRequest(t, key, "b", now.Add(-50*time.Second), false), "b"); err != nil {
			t.Errorf("%s, after Replace: %v", row.name, err)
		}
		if err := admit(k, signedRequest(t, key, "c", now.Add(-70*time.Second), false), "c"); (err == nil) != row.fresh {
			t.Errorf("%s, after Replace, signed before the key came: %v", row.name, err)
		}
	}
}

// A key that ends, or is taken away, while the body is on its way admits nobody any more.
func TestKeyEndsWithTheBody(t *testing.T) {
	now := time.Now()
	key := NewKey("billing")
	key.Expires = now.Add(time.Second)
	k := clocked(t, &now, key)
	token := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	token.Header.Set("Authorization", "Bearer "+key.Bearer)
	for name, r := range map[string]*http.Request{"SigV4": signedRequest(t, key, "body", now, true), "a bearer token": token} {
		start := now
		c, err := k.claim(r)
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(2 * time.Second)
		_, err = c.verify(r, []byte("body"))
		var e *wire.Error
		if !errors.As(err, &e) || e.Code != "ExpiredTokenException" || e.Status != http.StatusForbidden {
			t.Errorf("%s: %v", name, err)
		}
		now = start
		if err := k.Replace(NewKey("another")); err != nil {
			t.Fatal(err)
		}
		if _, err = c.verify(r, []byte("body")); !errors.As(err, &e) || e.Code != "UnrecognizedClientException" {
			t.Errorf("%s of a key that was taken away: %v", name, err)
		}
		if err := k.Replace(key); err != nil {
			t.Fatal(err)
		}
	}
}

// A key that gets fewer models, or another name, while the body is on its way is used as
// it has become.
func TestKeyChangesWithTheBody(t *testing.T) {
	now := time.Now()
	key := NewKey("billing")
	key.Models = []string{"anthropic.*", "amazon.*"}
	k := clocked(t, &now, key)
	narrowed := key
	narrowed.Name, narrowed.Models = "claims", []string{"amazon.*"}
	token := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	token.Header.Set("Authorization", "Bearer "+key.Bearer)
	for name, r := range map[string]*http.Request{"SigV4": signedRequest(t, key, "body", now, true), "a bearer token": token} {
		if err := k.Replace(key); err != nil {
			t.Fatal(err)
		}
		c, err := k.claim(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Replace(narrowed); err != nil {
			t.Fatal(err)
		}
		if caller, err := c.verify(r, []byte("body")); err != nil || caller.Name != "claims" || !slices.Equal(caller.Models, narrowed.Models) {
			t.Errorf("%s: %+v, %v", name, caller, err)
		}
	}
}

// The zero Keys has no key, and a claim of nothing has no caller.
func TestZeroKeys(t *testing.T) {
	key := NewKey("billing")
	for _, k := range []*Keys{{}, clocked(t, new(time.Time))} {
		if err := admit(k, signedRequest(t, key, "body", time.Now(), false), "body"); err == nil {
			t.Error("a request passes")
		}
	}
}

// A bidirectional request is the one that has no body, and its frames need a signature
// of their own.
func TestPayloadOfAStream(t *testing.T) {
	now := time.Now()
	key := NewKey("billing")
	k := clocked(t, &now, key)
	r := signedRequest(t, key, "", now, false)
	r.Header.Del("Authorization")
	r.Header.Set("X-Amz-Content-Sha256", sigv4.PayloadEvents)
	if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey}, withURL(r), sigv4.PayloadEvents, "bedrock", "eu-central-1", now); err != nil {
		t.Fatal(err)
	}
	c, err := k.claim(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.verify(r, []byte{}); err == nil {
		t.Error("a unary request passes with the payload of a stream")
	}
	if _, err := c.verify(r, nil); err != nil || c.frames(strings.NewReader("")) == nil {
		t.Errorf("a stream: %v", err)
	}
	c.signed.Hash = sigv4.PayloadChunks
	if _, err := c.verify(r, []byte("body")); err == nil {
		t.Error("a body passes whose chunks nobody has read to their end")
	}
	unary := signedRequest(t, key, "body", now, true)
	if c, err = k.claim(unary); err != nil {
		t.Fatal(err)
	}
	if _, err := c.verify(unary, nil); err == nil {
		t.Error("a stream passes with the payload of a unary request")
	}
}

// withURL gives a server's request the URL that the signer reads the host from.
func withURL(r *http.Request) *http.Request {
	r.URL.Host = r.Host
	return r
}

// BenchmarkAdmit is what a request of 1 KB costs to verify.
func BenchmarkAdmit(b *testing.B) {
	key := NewKey("billing")
	body := strings.Repeat("x", 1024)
	now := time.Now()
	for _, hashed := range []bool{false, true} {
		b.Run(map[bool]string{false: "SigV4", true: "SigV4 with a hash"}[hashed], func(b *testing.B) {
			k := clocked(b, &now, key)
			r := signedRequest(b, key, body, now, hashed)
			b.ReportAllocs()
			for b.Loop() {
				if err := admit(k, r, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("Bearer", func(b *testing.B) {
		k := clocked(b, &now, key)
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/", nil)
		r.Header.Set("Authorization", "Bearer "+key.Bearer)
		b.ReportAllocs()
		for b.Loop() {
			if err := admit(k, r, body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
