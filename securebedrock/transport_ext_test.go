package securebedrock_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// connectProxy takes note of the hosts that it is asked to connect to, and
// refuses, so that nothing leaves the machine.
type connectProxy struct {
	*httptest.Server
	mu    sync.Mutex
	hosts []string
}

func newConnectProxy(t *testing.T) *connectProxy {
	p := new(connectProxy)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.hosts = append(p.hosts, r.Method+" "+r.Host)
		p.mu.Unlock()
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *connectProxy) client() *http.Client {
	u := mustParse(p.URL)
	return &http.Client{Transport: &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return &u, nil }}}
}

// asked returns and forgets the hosts of CONNECT requests.
func (p *connectProxy) asked() (hosts []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.hosts {
		hosts = append(hosts, strings.TrimPrefix(h, "CONNECT "))
	}
	p.hosts = nil
	return hosts
}

// What the owner put into the HTTP client stays: roots, client certificate, proxy.
func TestOwnerTransportIsKept(t *testing.T) {
	server := bedrocktest.NewServer(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(server.CertificatePEM())
	for _, row := range []struct {
		name   string
		client aws.HTTPClient
	}{
		{"a BuildableClient", awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) { tr.TLSClientConfig.RootCAs = roots })},
		{"an http.Client over a Transport", &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := server.Config()
			cfg.HTTPClient = row.client
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a client certificate", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(unproven))
		srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
		srv.StartTLS()
		defer srv.Close()
		cert := srv.TLS.Certificates[0]
		client := srv.Client()
		client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{cert}
		cfg := server.Config()
		cfg.HTTPClient = client
		o := server.Options()
		o.Endpoint.URL = srv.URL
		c, err := securebedrock.NewFromConfig(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Error(err)
		}
	})
	t.Run("a proxy, for TLS alone", func(t *testing.T) {
		proxy := newConnectProxy(t)
		cfg := server.Config()
		cfg.HTTPClient, cfg.BaseEndpoint = proxy.client(), nil
		o := server.Options()
		o.Role, o.Endpoint, o.Retry.MaxAttempts = nil, securebedrock.Endpoint{}, 1
		c, err := securebedrock.NewFromConfig(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Converse(t.Context(), converse("a secret")); err == nil {
			t.Fatal("the refusing proxy let the call through")
		}
		if got := proxy.asked(); !slices.Equal(got, []string{"bedrock-runtime.us-east-1.amazonaws.com:443"}) {
			t.Errorf("the proxy was asked for %v", got)
		}
		plain := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP())
		o = plain.Options()
		o.Role = nil
		pc, err := securebedrock.NewFromConfig(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		defer pc.Close()
		if _, err := pc.Converse(t.Context(), converse("hello")); err != nil {
			t.Error(err)
		}
		if got := proxy.asked(); len(got) != 0 {
			t.Errorf("the proxy saw a plain request: %v", got)
		}
	})
}

func TestTransportsThatCannotBePinned(t *testing.T) {
	server := bedrocktest.NewServer(t)
	for _, row := range []struct {
		name   string
		client aws.HTTPClient
		says   string
	}{
		{"a client of its own kind", doer{}, "BuildableClient"},
		{"an http.Client over a RoundTripper of its own", &http.Client{Transport: doer{}}, "http.Transport"},
		{"a transport that checks no certificate", &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}, "RootCAs"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := server.Config()
			cfg.HTTPClient = row.client
			_, err := securebedrock.NewFromConfig(cfg, server.Options())
			if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The server's certificate must be for the pinned host and of a known authority,
// whatever name the owner's transport was made for.
func TestCertificateIsChecked(t *testing.T) {
	server := bedrocktest.NewServer(t)
	block, _ := pem.Decode(server.CertificatePEM())
	if block == nil {
		t.Fatal("no certificate")
	}
	for _, row := range []struct {
		name   string
		client *http.Client
	}{
		{"unknown authority", &http.Client{}},
		{"unknown authority, under another ServerName", &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{ServerName: "example.com"}}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := server.Config()
			cfg.HTTPClient = row.client
			o := server.Options()
			o.Retry.MaxAttempts = 1
			c, err := securebedrock.NewFromConfig(cfg, o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Converse(t.Context(), converse("a secret"))
			var unknown x509.UnknownAuthorityError
			if !errors.As(err, &unknown) {
				t.Errorf("got %v", err)
			}
			nothingArrived(t, server)
		})
	}
}

type doer struct{}

func (doer) Do(*http.Request) (*http.Response, error)        { return nil, errors.ErrUnsupported }
func (doer) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.ErrUnsupported }

// An authority that comes into the owner's pool later is not trusted.
func TestAuthoritiesAreCopied(t *testing.T) {
	server := bedrocktest.NewServer(t)
	trusted := server.Config().HTTPClient.(*awshttp.BuildableClient).GetTransport().TLSClientConfig.RootCAs
	pool := x509.NewCertPool()
	cfg := server.Config()
	cfg.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	opts := server.Options()
	opts.Retry.MaxAttempts = 1
	c, err := securebedrock.NewFromConfig(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	*pool = *trusted
	var unknown x509.UnknownAuthorityError
	if _, err := c.Converse(t.Context(), converse("hello")); !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
	if len(calls(server, "Converse")) != 0 {
		t.Error("the prompt was sent")
	}
}
