package sigv4

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var docTime = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

// The signatures of AWS's test suite for Signature Version 4 match.
func TestKnownSignatures(t *testing.T) {
	const host = "example.amazonaws.com"
	for _, row := range []struct {
		name, method, target string
		header               http.Header
		headers, signature   string
	}{
		{"get-vanilla", "GET", "/", nil, "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST", "/", nil, "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", nil, "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-header-value-trim", "GET", "/", http.Header{"My-Header1": {" value1"}, "My-Header2": {` "a   b   c"`}}, "host;my-header1;my-header2;x-amz-date", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), row.method, row.target, nil)
		r.Host = host
		for name, values := range row.header {
			r.Header[name] = values
		}
		r.Header.Set("X-Amz-Date", docTime.Format(sigV4Time))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="+row.headers+", Signature="+row.signature)
		c, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckScope(r, "service", "us-east-1", docTime); err != nil {
			t.Fatal(err)
		}
		if err := c.Match(r, NewSecret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), sumHex(nil)); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// signed is a request that the SDK has signed, as a server reads it.
func signed(t testing.TB, method, target, region, secret string, at time.Time, header http.Header) *http.Request {
	t.Helper()
	out, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:8080"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		out.Header[name] = values
	}
	if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "SBRKAAAAAAAAAAAAAAAA", SecretAccessKey: secret}, out, sumHex(nil), ServiceBedrock, region, at); err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	in.Host, in.Header = out.URL.Host, out.Header
	return in
}

// What the SDK signs matches, whatever the path, the query and the headers hold.
func TestSDKSignatures(t *testing.T) {
	now := time.Now()
	secret := NewSecret("secret")
	for _, row := range []struct {
		target string
		header http.Header
	}{
		{"/", nil},
		{"/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse", nil},
		{"/model/anthropic.claude-3-haiku-20240307-v1:0/converse", nil},
		{"/async-invoke/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aasync-invoke%2Fabc", nil},
		{"/model/a%20b~c_d.e-f(g)*h!'/x", nil},
		{"/model/%E2%82%AC/%2525", nil},
		{"/async-invoke?sortBy=SubmissionTime&sortOrder=Descending&maxResults=5", nil},
		{"/x?a-b=1&a=2&a=1&A=3&b=&c", nil},
		{"/x?t=2026-01-02T03%3A04%3A05Z&n=a%2Bb%20c%2F%3D%26~", nil},
		{"/x", http.Header{"X-A": {"  a   b  ", "c"}, "X-B": {""}, "Accept": {"*/*"}}},
	} {
		r := signed(t, http.MethodGet, row.target, "eu-central-1", "secret", now, row.header)
		c, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckScope(r, ServiceBedrock, "", now); err != nil {
			t.Fatal(err)
		}
		if err := c.Match(r, secret, sumHex(nil)); err != nil {
			t.Errorf("%s %v: %v", row.target, row.header, err)
		}
		if err := c.Match(r, NewSecret("other"), sumHex(nil)); err == nil {
			t.Errorf("%s: another secret matches", row.target)
		}
		if err := c.Match(r, secret, sumHex([]byte("x"))); err == nil {
			t.Errorf("%s: another payload matches", row.target)
		}
	}
}

// Signing keys are kept of requests that matched, and no more than the bound: whoever
// has no key can neither fill the list nor empty it.
func TestSigningKeysAreBounded(t *testing.T) {
	now := time.Now()
	secret := NewSecret("secret")
	match := func(region, with string) error {
		r := signed(t, http.MethodGet, "/", region, with, now, nil)
		c, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckScope(r, ServiceBedrock, "", now); err != nil {
			t.Fatal(err)
		}
		return c.Match(r, secret, sumHex(nil))
	}
	for n := range 3 * maxDerived {
		if err := match(fmt.Sprint("region-", n), "wrong"); err == nil || len(secret.derived) != 0 {
			t.Fatalf("%v, %d kept", err, len(secret.derived))
		}
	}
	for n := range 3 * maxDerived {
		for range 2 {
			if err := match(fmt.Sprint("region-", n), "secret"); err != nil || len(secret.derived) > maxDerived {
				t.Fatalf("%v, %d kept", err, len(secret.derived))
			}
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %s", secret, secret, secret, secret); strings.Contains(text, "secret\"") || strings.Count(text, "sigv4.Secret") != 4 {
		t.Errorf("printed: %s", text)
	}
}

// Frames are read of no request that has not matched.
func TestFramesNeedAMatch(t *testing.T) {
	c := &Claim{}
	if _, err := NewFrames(strings.NewReader("x"), c).Next(t.Context()); err == nil || !strings.Contains(err.Error(), "not authenticated") {
		t.Error(err)
	}
}

// Whatever stands in the header, Parse returns a whole claim or an error.
func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", "a=b")
	f.Add("Bearer x", "X-Amz-Signature=1")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, header, query string) {
		r := &http.Request{Method: "POST", RequestURI: "/x?" + query, Header: http.Header{"Authorization": {header}, "X-Amz-Date": {docTime.Format(sigV4Time)}}, Host: "h"}
		c, err := Parse(r)
		if c == nil {
			t.Fatal("no claim")
		}
		if err != nil || c.Scheme == SchemeBearer {
			return
		}
		if c.AccessKeyID == "" || len(c.signature) != 32 || len(c.headers) == 0 || c.Scheme != schemeSigV4 {
			t.Fatalf("%+v", c)
		}
		if err := c.CheckScope(r, c.Service, "", docTime); err == nil && c.Match(r, NewSecret("a secret that nobody has"), sumHex(nil)) == nil {
			t.Fatal("it matches")
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	now := time.Now()
	secret := NewSecret("secret")
	r := signed(b, http.MethodPost, "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse", "eu-central-1", "secret", now, http.Header{"Content-Type": {"application/json"}, "Amz-Sdk-Request": {"attempt=1; max=3"}, "Amz-Sdk-Invocation-Id": {"0b7b3b3e-3b3e-4b3e-8b3e-0b7b3b3e3b3e"}})
	body := make([]byte, 1024)
	for b.Loop() {
		c, err := Parse(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.CheckScope(r, ServiceBedrock, "", now); err != nil {
			b.Fatal(err)
		}
		if _, err := c.CheckHash(body); err != nil {
			b.Fatal(err)
		}
		if err := c.Match(r, secret, sumHex(nil)); err != nil {
			b.Fatal(err)
		}
	}
}
