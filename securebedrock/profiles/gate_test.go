package profiles

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

type neverSends struct{ t *testing.T }

func (n neverSends) RoundTrip(*http.Request) (*http.Response, error) {
	n.t.Error("the request was sent")
	return nil, errors.ErrUnsupported
}

// The gate stands alone: whatever hands it a request, only a signed one for the
// pinned host goes out.
func TestGate(t *testing.T) {
	g := &gate{rt: neverSends{t}, pinned: url.URL{Scheme: "https", Host: "bedrock.us-east-1.amazonaws.com"}, region: "us-east-1"}
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
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, row.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if row.host != "" {
			req.Host = row.host
		}
		req.Header["Authorization"] = row.auth
		if _, err := g.Do(req); !errors.Is(err, row.is) {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
}
