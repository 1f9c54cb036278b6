package profiles

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// maxAnswer bounds an answer's body, in bytes. A profile with every region there
// is takes less than a hundredth of it.
const maxAnswer = 1 << 20

// gate is the SDK client's HTTP client, and the last to see a request. It makes
// one round trip, so no redirect is followed and no cookie kept.
type gate struct {
	rt     http.RoundTripper
	pinned url.URL
	region string
}

// Do implements the SDK's HTTPClient.
func (g *gate) Do(req *http.Request) (*http.Response, error) {
	if err := g.inspect(req); err != nil {
		return nil, err
	}
	resp, err := g.rt.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	pinned.TrustDate(resp.Header, time.Now())
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Body.Close()
		return nil, fmt.Errorf("%w: the control plane answered %d; its Location is not followed", securebedrock.ErrRedirect, resp.StatusCode)
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer}
	return resp, nil
}

// inspect compares a signed request with what Options pin. Nothing in the stack
// moves it today; this is what a new version of the SDK would have to get past.
func (g *gate) inspect(req *http.Request) error {
	switch {
	case req.URL.Scheme != g.pinned.Scheme, req.URL.Host != g.pinned.Host, req.Host != "" && req.Host != g.pinned.Host:
		return fmt.Errorf("%w: profiles: the host is %s://%s and the pinned one is %s://%s",
			securebedrock.ErrEndpoint, req.URL.Scheme, req.URL.Host, g.pinned.Scheme, g.pinned.Host)
	case len(req.Header.Values("Authorization")) != 1:
		return fmt.Errorf("%w: profiles: the request is not signed once", securebedrock.ErrAuth)
	}
	scope, ok := strings.CutPrefix(req.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(scope, "/")
	if !ok || len(parts) != 5 || parts[0] == "" || parts[2] != g.region || parts[3] != signingName {
		return fmt.Errorf("%w: profiles: the request is not signed with SigV4 for %s in %s", securebedrock.ErrAuth, signingName, g.region)
	}
	return nil
}

// refusalsAreFinal keeps the SDK from taking a refusal for a connection's failure
// and sending again.
func refusalsAreFinal(err error) aws.Ternary {
	for _, rule := range []error{securebedrock.ErrRedirect, securebedrock.ErrEndpoint, securebedrock.ErrAuth} {
		if errors.Is(err, rule) {
			return aws.FalseTernary
		}
	}
	return aws.UnknownTernary
}

// boundedBody fails where an answer has more than left bytes.
type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if n > b.left {
		n, b.left = b.left, 0
		return n, fmt.Errorf("the control plane's answer is longer than %d bytes", maxAnswer)
	}
	b.left -= n
	return n, err
}
