package bedrockhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
)

// Who has no key, or another request's signature, does not come in.
func TestAdversaryKeys(t *testing.T) {
	const (
		missing    = "403 MissingAuthenticationTokenException"
		unknown    = "403 UnrecognizedClientException"
		invalid    = "403 InvalidSignatureException"
		incomplete = "403 IncompleteSignatureException"
		denied     = "403 AccessDeniedException"
	)
	header := func(name, value string) func(*attackDoor, *rawRequest) {
		return func(_ *attackDoor, r *rawRequest) { r.set(name, value) }
	}
	edit := func(name, old, with string) func(*attackDoor, *rawRequest) {
		return func(_ *attackDoor, r *rawRequest) {
			value := r.get(name)
			if !strings.Contains(value, old) {
				panic(fmt.Sprintf("%s has no %q", name, old))
			}
			r.set(name, strings.Replace(value, old, with, 1))
		}
	}
	bearer := func(token func(*attackDoor) []string) func(*attackDoor, *rawRequest) {
		return func(d *attackDoor, r *rawRequest) {
			unsigned(d, r)
			for _, value := range token(d) {
				r.add("Authorization", value)
			}
		}
	}
	runAttacks(t, []attack{
		{name: "no signature", sign: unsigned, want: []string{missing}},
		{name: "an empty Authorization", sign: unsigned, tamper: header("Authorization", ""), want: []string{missing, incomplete}},
		{name: "a secret of another key", sign: with(func(k *bedrockhttp.Key) { k.SecretAccessKey += "x" }), want: []string{invalid}},
		{name: "an unknown key", sign: with(func(k *bedrockhttp.Key) { k.AccessKeyID += "X" }), want: []string{unknown}},
		{name: "the other key's ID with this key's secret", sign: func(d *attackDoor, r *rawRequest) {
			r.sign(bedrockhttp.Key{AccessKeyID: d.other.AccessKeyID, SecretAccessKey: d.key.SecretAccessKey}, "us-east-1", "bedrock", time.Now())
		}, want: []string{invalid}},
		{name: "the upstream account's own key", sign: func(d *attackDoor, r *rawRequest) {
			up := d.upstream.Credentials()
			r.sign(bedrockhttp.Key{AccessKeyID: up.AccessKeyID, SecretAccessKey: up.SecretAccessKey}, "us-east-1", "bedrock", time.Now())
		}, want: []string{unknown}},
		{name: "a key ID in lower case", sign: with(func(k *bedrockhttp.Key) { k.AccessKeyID = strings.ToLower(k.AccessKeyID) }), want: []string{unknown}},
		{name: "a signature of ten minutes ago", sign: at(-10 * time.Minute), want: []string{invalid, "403 RequestExpired", "403 ExpiredTokenException"}},
		{name: "a signature of a year ago", sign: at(-365 * 24 * time.Hour), want: []string{invalid, "403 RequestExpired", "403 ExpiredTokenException"}},
		{name: "a signature of ten minutes ahead", sign: at(10 * time.Minute), want: []string{invalid}},
		{name: "a date that is none", tamper: header("X-Amz-Date", "yesterday"), want: []string{incomplete, invalid}},
		{name: "no date", tamper: func(_ *attackDoor, r *rawRequest) { r.drop("X-Amz-Date") }, want: []string{incomplete, invalid}},
		{name: "a fresh date on an old signature", sign: at(-10 * time.Minute), tamper: func(_ *attackDoor, r *rawRequest) {
			r.set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
		}, want: []string{invalid}},
		{name: "two dates", tamper: func(_ *attackDoor, r *rawRequest) {
			r.add("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
		}, want: []string{invalid, incomplete}},
		{name: "a scope for another service", sign: func(d *attackDoor, r *rawRequest) {
			r.sign(d.key, "us-east-1", "s3", time.Now())
		}, want: []string{invalid}},
		{name: "a scope of another day", tamper: edit("Authorization", "/"+time.Now().UTC().Format("20060102")+"/", "/20200101/"), want: []string{invalid, "403 RequestExpired", "403 ExpiredTokenException"}},
		{name: "a scope that ends otherwise", tamper: edit("Authorization", "aws4_request", "aws5_request"), want: []string{invalid, incomplete}},
		{name: "a scope with a region more", tamper: edit("Authorization", "/us-east-1/", "/us-east-1/eu-west-1/"), want: []string{invalid, incomplete}},
		{name: "another body", tamper: func(_ *attackDoor, r *rawRequest) {
			r.body = []byte(strings.Replace(string(r.body), "The password", "The passw0rd", 1))
		}, want: []string{invalid}},
		{name: "another path", tamper: func(_ *attackDoor, r *rawRequest) {
			r.target = strings.Replace(r.target, "haiku", "h%61iku", 1)
		}, want: []string{invalid}},
		{name: "another operation's path", tamper: func(_ *attackDoor, r *rawRequest) { r.target += "-stream" }, want: []string{invalid}},
		{name: "a query that nobody signed", tamper: func(_ *attackDoor, r *rawRequest) { r.target += "?a=b" }, want: []string{invalid, "400 ValidationException"}},
		{name: "another method's signature", sign: func(d *attackDoor, r *rawRequest) {
			r.method = "PUT"
			r.sign(d.key, "us-east-1", "bedrock", time.Now())
			r.method = "POST"
		}, want: []string{invalid}},
		{name: "another host's signature", sign: func(d *attackDoor, r *rawRequest) {
			host := r.get("Host")
			r.set("Host", "bedrock-runtime.us-east-1.amazonaws.com")
			r.sign(d.key, "us-east-1", "bedrock", time.Now())
			r.set("Host", host)
		}, want: []string{invalid}},
		{name: "a signed header changed", tamper: edit("Content-Type", "json", "jsom"), want: []string{invalid}},
		{name: "a signed header taken away", tamper: func(_ *attackDoor, r *rawRequest) { r.drop("Content-Type") }, want: []string{invalid}},
		{name: "the host is not signed", tamper: edit("Authorization", ";host;", ";"), want: []string{invalid, incomplete}},
		{name: "nothing is signed", tamper: func(_ *attackDoor, r *rawRequest) {
			head, rest, _ := strings.Cut(r.get("Authorization"), "SignedHeaders=")
			_, tail, _ := strings.Cut(rest, ",")
			r.set("Authorization", head+"SignedHeaders=,"+tail)
		}, want: []string{invalid, incomplete}},
		{name: "an x-amz header that nobody signed", tamper: header("X-Amz-Meta-Extra", "1"), want: []string{invalid}},
		{name: "an x-amzn-bedrock header that nobody signed", operation: "InvokeModel", tamper: header("X-Amzn-Bedrock-Trace", "DISABLED"), want: []string{invalid, denied}},
		{name: "a signature in upper case hexadecimal", tamper: func(_ *attackDoor, r *rawRequest) {
			head, signature, _ := strings.Cut(r.get("Authorization"), "Signature=")
			r.set("Authorization", head+"Signature="+strings.ToUpper(signature)+"00")
		}, want: []string{invalid, incomplete}},
		{name: "a signature one digit short", tamper: func(_ *attackDoor, r *rawRequest) {
			value := r.get("Authorization")
			r.set("Authorization", value[:len(value)-1])
		}, want: []string{invalid, incomplete}},
		{name: "an empty signature", tamper: func(_ *attackDoor, r *rawRequest) {
			head, _, _ := strings.Cut(r.get("Authorization"), "Signature=")
			r.set("Authorization", head+"Signature=")
		}, want: []string{invalid, incomplete}},
		{name: "two signatures, the second a good one", tamper: func(_ *attackDoor, r *rawRequest) {
			head, signature, _ := strings.Cut(r.get("Authorization"), "Signature=")
			r.set("Authorization", head+"Signature="+strings.Repeat("0", 64)+", Signature="+signature)
		}, want: []string{invalid, incomplete}},
		{name: "two credentials", tamper: func(d *attackDoor, r *rawRequest) {
			r.set("Authorization", strings.Replace(r.get("Authorization"), "Credential=", "Credential="+d.other.AccessKeyID+"/20260101/us-east-1/bedrock/aws4_request, Credential=", 1))
		}, want: []string{invalid, incomplete}},
		{name: "two Authorization headers, the second a good one", tamper: func(_ *attackDoor, r *rawRequest) {
			good := r.get("Authorization")
			r.set("Authorization", "Bearer nothing")
			r.add("Authorization", good)
		}, want: []string{incomplete, invalid, denied, missing, unknown}},
		{name: "two Authorization headers, the first a good one", tamper: func(_ *attackDoor, r *rawRequest) {
			r.add("Authorization", "Bearer nothing")
		}, want: []string{incomplete, invalid, denied, missing, unknown}},
		{name: "another algorithm", tamper: edit("Authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), want: []string{incomplete}},
		{name: "SigV4a", tamper: edit("Authorization", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), want: []string{incomplete, denied}},
		{name: "a digest of another body", spoil: func(r *rawRequest) { r.set("X-Amz-Content-Sha256", strings.Repeat("0", 64)) }, want: []string{invalid}},
		{name: "an unsigned payload", spoil: func(r *rawRequest) { r.set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }, want: []string{invalid}},
		{name: "an unsigned payload in lower case", spoil: func(r *rawRequest) { r.set("X-Amz-Content-Sha256", "unsigned-payload") }, want: []string{invalid}},
		{name: "an event stream's signature on a plain body", spoil: func(r *rawRequest) {
			r.set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-EVENTS")
		}, want: []string{invalid}},
		{name: "a foreign session token", spoil: func(r *rawRequest) { r.set("X-Amz-Security-Token", "token-of-another-account") }, want: []string{unknown, invalid}},
		{name: "a presigned query", sign: func(d *attackDoor, r *rawRequest) {
			unsigned(d, r)
			r.target = presigned(d, r)
		}, want: []string{missing, incomplete, denied, invalid}},
		{name: "a presigned query beside a good signature", spoil: func(r *rawRequest) {
			r.target += "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"
		}, want: []string{invalid, incomplete, denied, "400 ValidationException"}},
		{name: "a wrong token", sign: bearer(func(*attackDoor) []string { return []string{"Bearer nothing"} }), want: []string{denied, unknown}},
		{name: "an empty token", sign: bearer(func(*attackDoor) []string { return []string{"Bearer "} }), want: []string{denied, missing, incomplete, unknown}},
		{name: "a token with something before it", sign: bearer(func(d *attackDoor) []string { return []string{"Bearer x" + d.key.Bearer} }), want: []string{denied, unknown}},
		{name: "a token without its end", sign: bearer(func(d *attackDoor) []string { return []string{"Bearer " + d.key.Bearer[:len(d.key.Bearer)-1]} }), want: []string{denied, unknown}},
		{name: "a token twice", sign: bearer(func(d *attackDoor) []string { return []string{"Bearer " + d.key.Bearer, "Bearer " + d.key.Bearer} }), want: []string{denied, incomplete, unknown}},
		{name: "a token without its scheme", sign: bearer(func(d *attackDoor) []string { return []string{d.key.Bearer} }), want: []string{denied, incomplete, missing}},
		{name: "a secret in the token's place", sign: bearer(func(d *attackDoor) []string { return []string{"Bearer " + d.key.SecretAccessKey} }), want: []string{denied, unknown}},
		{name: "Basic", sign: bearer(func(*attackDoor) []string { return []string{"Basic YWxpY2U6c2VjcmV0"} }), want: []string{denied, incomplete}},
		{name: "a token in the query", sign: func(d *attackDoor, r *rawRequest) {
			unsigned(d, r)
			r.target += "?access_token=" + d.key.Bearer
		}, want: []string{missing}},
		{name: "an Anthropic key in the signature's place", sign: func(d *attackDoor, r *rawRequest) {
			unsigned(d, r)
			r.set("X-Api-Key", d.key.SecretAccessKey)
		}, want: []string{missing}},
		{name: "a cookie", sign: func(d *attackDoor, r *rawRequest) {
			unsigned(d, r)
			r.set("Cookie", "Authorization="+d.key.Bearer)
		}, want: []string{missing}},
	})
}

// presigned is the target of the request with its signature in the query.
func presigned(d *attackDoor, r *rawRequest) string {
	path, _, _ := strings.Cut(r.target, "?")
	u := &url.URL{Scheme: "http", Host: d.addr, Opaque: "//" + d.addr + path}
	req := &http.Request{Method: r.method, URL: u, Host: d.addr, Header: http.Header{}}
	creds := aws.Credentials{AccessKeyID: d.key.AccessKeyID, SecretAccessKey: d.key.SecretAccessKey}
	signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), creds, req, "UNSIGNED-PAYLOAD", "bedrock", "us-east-1", time.Now())
	if err != nil {
		panic(err)
	}
	_, query, _ := strings.Cut(signed, "?")
	return path + "?" + query
}

// A request that is heard again is refused, and so is one of a key that is over or
// taken away.
func TestAdversaryReplay(t *testing.T) {
	d := newAttackDoor(t)
	at := time.Now().Add(-30 * time.Second)
	r := d.request(t, "Converse", "the prompt of a replay")
	r.sign(d.key, "us-east-1", "bedrock", at)
	if got := d.send(t, "POST", r.bytes()); got.status != 200 {
		t.Fatalf("the first time: %s %s", got.verdict(), got.body)
	}
	// An equal request within three seconds may be another one of an SDK that signs by
	// the second.
	time.Sleep(3100 * time.Millisecond)
	before := d.modelCalls()
	for range 3 {
		if got := d.send(t, "POST", r.bytes()); got.verdict() != "403 InvalidSignatureException" {
			t.Errorf("a replay: %s %s", got.verdict(), got.body)
		}
	}
	if n := d.modelCalls(); n != before {
		t.Errorf("%d replays arrived upstream", n-before)
	}
	good := d.signed(t, "Converse", "the prompt of a key that is over")
	over := d.key
	over.Expires = time.Now().Add(time.Second)
	if err := d.keys.Replace(over, d.other); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
	if got := d.send(t, "POST", good.bytes()); got.verdict() != "403 ExpiredTokenException" {
		t.Errorf("a key that is over: %s %s", got.verdict(), got.body)
	}
	if err := d.keys.Replace(d.other); err != nil {
		t.Fatal(err)
	}
	if got := d.send(t, "POST", good.bytes()); got.verdict() != "403 UnrecognizedClientException" {
		t.Errorf("a key that is taken away: %s %s", got.verdict(), got.body)
	}
	if n := d.modelCalls(); n != before {
		t.Errorf("%d requests of a key that is over arrived upstream", n-before)
	}
}
