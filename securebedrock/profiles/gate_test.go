package profiles

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

type neverSends struct{ t *testing.T }

func (n neverSends) RoundTrip(*http.Request) (*http.Response, error) {
	n.t.Error("the request was sent")
	return nil, errors.ErrUnsupported
}

// gateOver is a gate to the control plane's public host.
func gateOver(t *testing.T, rt http.RoundTripper) *gate {
	t.Helper()
	endpoint, err := controlPlane().Endpoint(pinned.Place{Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return &gate{&pinned.Client{RoundTripper: rt, Connections: new(pinned.Connections)}, endpoint, "us-east-1"}
}

func send(g *gate, req *http.Request) error {
	resp, err := g.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

// signedBy is the context of a question whose credentials had a key.
func signedBy(t *testing.T, key string) context.Context {
	t.Helper()
	ctx := pinned.WithNote(t.Context())
	given := pinned.NotedCredentials{CredentialsProvider: credentials.NewStaticCredentialsProvider(key, "secret", "")}
	if _, err := given.Retrieve(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// The gate stands alone: whatever hands it a request, only a signed one for the
// pinned host goes out.
func TestGate(t *testing.T) {
	g := gateOver(t, neverSends{t})
	const signed = "AWS4-HMAC-SHA256 Credential=AKID/20261101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0"
	for _, row := range []struct {
		name, url, host string
		auth            []string
		is              error
	}{
		{"another host", "https://evil.example/", "bedrock.us-east-1.amazonaws.com", []string{signed}, securebedrock.ErrEndpoint},
		{"another scheme", "http://bedrock.us-east-1.amazonaws.com/", "", []string{signed}, securebedrock.ErrEndpoint},
		{"another Host header", "https://bedrock.us-east-1.amazonaws.com/", "evil.example", []string{signed}, securebedrock.ErrEndpoint},
		{"no signature", "https://bedrock.us-east-1.amazonaws.com/", "", nil, securebedrock.ErrAuth},
		{"a bearer token", "https://bedrock.us-east-1.amazonaws.com/", "", []string{"Bearer leak"}, securebedrock.ErrAuth},
		{"two signatures", "https://bedrock.us-east-1.amazonaws.com/", "", []string{signed, "Bearer leak"}, securebedrock.ErrAuth},
		{"another region's signature", "https://bedrock.us-east-1.amazonaws.com/", "", []string{"AWS4-HMAC-SHA256 Credential=AKID/20261101/eu-west-1/bedrock/aws4_request, x"}, securebedrock.ErrAuth},
		{"another service's signature", "https://bedrock.us-east-1.amazonaws.com/", "", []string{"AWS4-HMAC-SHA256 Credential=AKID/20261101/us-east-1/s3/aws4_request, x"}, securebedrock.ErrAuth},
		{"a signature without a key", "https://bedrock.us-east-1.amazonaws.com/", "", []string{"AWS4-HMAC-SHA256 Credential=/20261101/us-east-1/bedrock/aws4_request, x"}, securebedrock.ErrAuth},
	} {
		req, err := http.NewRequestWithContext(signedBy(t, "AKID"), http.MethodGet, row.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if row.host != "" {
			req.Host = row.host
		}
		req.Header["Authorization"] = row.auth
		if err := send(g, req); !errors.Is(err, row.is) {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
}

// What the client's own gate refuses, this one refuses too.
func TestGateRefusesWhatTheClientsRefuses(t *testing.T) {
	const host = "https://bedrock.us-east-1.amazonaws.com/"
	for _, row := range []struct {
		name   string
		change func(*http.Request)
		is     error
	}{
		{"another key than the credentials gave", func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=OTHER/20261101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0")
		}, securebedrock.ErrAuth},
		{"another session token than the credentials gave", func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "leak") }, securebedrock.ErrAuth},
		{"a question whose credentials nobody noted", func(r *http.Request) { *r = *r.WithContext(context.Background()) }, securebedrock.ErrAuth},
		{"a malformed scope", func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261101/us-east-1/bedrock/aws4_request/x, SignedHeaders=host")
		}, securebedrock.ErrAuth},
		{"user information", func(r *http.Request) { r.URL.User = url.UserPassword("a", "b") }, securebedrock.ErrEndpoint},
		{"an opaque URL", func(r *http.Request) { r.URL.Opaque = "//evil.example/" }, securebedrock.ErrEndpoint},
		{"a trailer", func(r *http.Request) { r.Trailer = http.Header{"A": nil} }, securebedrock.ErrEndpoint},
		{"a transfer encoding", func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }, securebedrock.ErrEndpoint},
		{"a GetBody", func(r *http.Request) { r.GetBody = func() (io.ReadCloser, error) { return http.NoBody, nil } }, securebedrock.ErrEndpoint},
		{"a Connection that takes headers away", func(r *http.Request) { r.Header.Set("Connection", "Authorization") }, securebedrock.ErrEndpoint},
		{"an Authorization in another case", func(r *http.Request) { r.Header["authorization"] = []string{"Bearer leak"} }, securebedrock.ErrAuth},
		{"two session tokens", func(r *http.Request) { r.Header["X-Amz-Security-Token"] = []string{"", "leak"} }, securebedrock.ErrAuth},
	} {
		req, err := http.NewRequestWithContext(signedBy(t, "AKID"), http.MethodGet, host, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0")
		row.change(req)
		if err := send(gateOver(t, neverSends{t}), req); !errors.Is(err, row.is) {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
}
