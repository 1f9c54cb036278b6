package clients_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"testing"
)

// TestAHostileEnvironment sets what redirects an SDK, on both sides: to a bearer token of
// AWS, another endpoint, another region, a proxy. Each call is guarded, or refused with
// nothing sent.
func TestAHostileEnvironment(t *testing.T) {
	for _, c := range clients() {
		t.Run(c.title(), func(t *testing.T) {
			t.Parallel()
			c.need(t)
			wrong := canary(t)
			p := newPassage(t, c,
				"AWS_BEARER_TOKEN_BEDROCK=bedrock-api-key-EXAMPLE", "AWS_REGION=eu-west-3", "AWS_DEFAULT_REGION=eu-west-3",
				"AWS_ENDPOINT_URL="+wrong, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME="+wrong, "AWS_ENDPOINT_URL_STS="+wrong,
				"HTTP_PROXY="+wrong, "HTTPS_PROXY="+wrong, "http_proxy="+wrong, "https_proxy="+wrong,
			)
			p.hostile(t, wrong)
			p.finish(t)
		})
	}
}

func (p *passage) hostile(t *testing.T, wrong string) {
	guarded := row{want: answered, door: 1, upstream: 1}
	forward := forwardProxy(t)
	foreign := row{want: badToken, door: 1}
	caller := ""
	if p.c.models != nil && p.c.models() || p.c.noBearer {
		foreign, caller = guarded, "claims" // the SDK does not know the variable
	}
	for _, e := range []struct {
		name   string
		env    []string
		caller string
		row    row
	}{
		{"another endpoint beside the service's own", []string{"AWS_ENDPOINT_URL=" + wrong}, "claims", guarded},
		{"another region", []string{"AWS_REGION=eu-west-3", "AWS_DEFAULT_REGION=eu-west-3"}, "claims", guarded},
		{"a proxy, and none for the loopback", []string{"HTTP_PROXY=" + wrong, "HTTPS_PROXY=" + wrong, "http_proxy=" + wrong, "https_proxy=" + wrong, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"}, "claims", guarded},
		{"a proxy", []string{"HTTP_PROXY=" + forward, "http_proxy=" + forward}, "claims", guarded},
		{"a bearer token of AWS", []string{"AWS_BEARER_TOKEN_BEDROCK=bedrock-api-key-EXAMPLE"}, caller, foreign},
		{"the sidecar's bearer token", []string{"AWS_BEARER_TOKEN_BEDROCK=" + p.s.bearer}, "claims", guarded},
	} {
		t.Run(e.name, func(t *testing.T) {
			env := p.environment(t, "claims")
			env.more = e.env
			p.ask(t, p.c.start(t, env), e.caller, "unary", e.row)
		})
	}
}

// forwardProxy passes requests on to whatever host they name.
func forwardProxy(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(&httputil.ReverseProxy{
		Transport: &http.Transport{},
		Rewrite:   func(*httputil.ProxyRequest) {},
	})
	t.Cleanup(server.Close)
	return server.URL
}
