package securebedrock_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

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

// The owner's dialer makes the connections, and cannot change who is at the other
// end of one: the certificate must be of the endpoint's host.
func TestOwnersDialer(t *testing.T) {
	server := bedrocktest.NewServer(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(server.CertificatePEM())
	client := func(t *testing.T, url string, change func(*securebedrock.Options), dial func(context.Context, string, string) (net.Conn, error)) *securebedrock.Client {
		transport := &http.Transport{DialContext: dial}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		cfg := server.Config()
		cfg.HTTPClient = &http.Client{Transport: transport}
		o := server.Options()
		o.Endpoint.URL, o.Retry.MaxAttempts = url, 1
		change(&o)
		c, err := securebedrock.NewFromConfig(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	same := func(*securebedrock.Options) {}
	t.Run("is used", func(t *testing.T) {
		var dialled atomic.Int32
		c := client(t, server.URL(), same, func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		})
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil || dialled.Load() != 1 {
			t.Errorf("dialled %d times: %v", dialled.Load(), err)
		}
	})
	t.Run("that goes to another host", func(t *testing.T) {
		other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }))
		defer other.Close()
		c := client(t, server.URL(), same, func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, other.Listener.Addr().String())
		})
		var unknown x509.UnknownAuthorityError
		if _, err := c.Converse(t.Context(), converse("a secret")); !errors.As(err, &unknown) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("that goes to another host of the same authority", func(t *testing.T) {
		c := client(t, "https://bedrock.example.com", same, func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.URL()[len("https://"):])
		})
		var name x509.HostnameError
		if _, err := c.Converse(t.Context(), converse("a secret")); !errors.As(err, &name) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("beside a plain endpoint", func(t *testing.T) {
		cfg, o := server.Config(), server.Options()
		cfg.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }}}
		o.Endpoint.URL = "http://127.0.0.1:9"
		if _, err := securebedrock.NewFromConfig(cfg, o); !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "plain http") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("that heeds no context", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		c := client(t, server.URL(), func(o *securebedrock.Options) { o.Timeouts.Connect = 300 * time.Millisecond },
			func(context.Context, string, string) (net.Conn, error) { <-release; return nil, net.ErrClosed })
		start := time.Now()
		_, err := c.Converse(t.Context(), converse("hello"))
		if d := time.Since(start); !errors.Is(err, securebedrock.ErrConnectTimeout) || d > 5*time.Second {
			t.Errorf("after %v: %v", d, err)
		}
	})
}

// An answer's Date moves the time of later signatures by a day at most.
func TestSkewIsBounded(t *testing.T) {
	for _, row := range []struct {
		name     string
		off      time.Duration
		followed bool
	}{
		{"years ahead", 20 * 365 * 24 * time.Hour, false},
		{"years ago", -20 * 365 * 24 * time.Hour, false},
		{"two days ahead", 48 * time.Hour, false},
		{"an hour ahead, as in another time zone", time.Hour, true},
		{"half a day ago", -12 * time.Hour, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			var dates []string
			c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				dates = append(dates, r.Header.Get("X-Amz-Date"))
				if len(dates) > 1 {
					unproven(w, r)
					return
				}
				io.Copy(io.Discard, r.Body)
				w.Header().Set("Date", time.Now().Add(row.off).UTC().Format(http.TimeFormat))
				w.Header().Set("X-Amzn-Errortype", "InvalidSignatureException")
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, `{"message":"no"}`)
			}), func(o *securebedrock.Options) { o.Retry.MaxBackoff = time.Millisecond })
			_, _ = c.Converse(t.Context(), converse("hello"))
			if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
				t.Error(err)
			}
			signed, err := time.Parse("20060102T150405Z", dates[1])
			if err != nil {
				t.Fatal(err)
			}
			if followed := time.Until(signed).Abs() > time.Minute; followed != row.followed {
				t.Errorf("the next request is signed for %v", signed)
			}
		})
	}
}

// tlsServer answers like unproven, with the server's side of TLS as given.
func tlsServer(t *testing.T, config *tls.Config) *httptest.Server {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(unproven))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = config
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func dialled(t *testing.T, srv *httptest.Server, client aws.HTTPClient, change ...func(*opts)) error {
	t.Helper()
	o := opts{Region: "us-east-1", Endpoint: securebedrock.Endpoint{URL: srv.URL}, Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"}, Retry: securebedrock.Retry{MaxAttempts: 1}}
	for _, f := range change {
		f(&o)
	}
	c, err := securebedrock.NewFromConfig(aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), HTTPClient: client}, o)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Converse(t.Context(), converse("a secret"))
	return err
}

func TestTLS(t *testing.T) {
	old := tlsServer(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	v12 := tlsServer(t, &tls.Config{MaxVersion: tls.VersionTLS12})
	no := errors.New("the owner says no")
	with := func(srv *httptest.Server, f func(*tls.Config)) aws.HTTPClient {
		c := &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
		f(c)
		return &http.Client{Transport: &http.Transport{TLSClientConfig: c}}
	}
	for _, row := range []struct {
		name   string
		srv    *httptest.Server
		client aws.HTTPClient
		says   string
	}{
		{"TLS 1.2", v12, with(v12, func(*tls.Config) {}), ""},
		{"TLS 1.1", old, with(old, func(*tls.Config) {}), "protocol version"},
		{"TLS 1.1, where the owner admits it", old, with(old, func(c *tls.Config) { c.MinVersion = tls.VersionTLS10 }), "protocol version"},
		{"TLS 1.2, where the owner demands more", v12, with(v12, func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }), "protocol version"},
		{"VerifyConnection", v12, with(v12, func(c *tls.Config) { c.VerifyConnection = func(tls.ConnectionState) error { return no } }), no.Error()},
		{"VerifyPeerCertificate", v12, with(v12, func(c *tls.Config) {
			c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return no }
		}), no.Error()},
		{"DialTLSContext", v12, &http.Client{Transport: &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return nil, no }}}, "DialTLS"},
		{"DialTLS", v12, &http.Client{Transport: &http.Transport{DialTLS: func(string, string) (net.Conn, error) { return nil, no }}}, "DialTLS"}, //nolint:staticcheck // refused
		{"a nil client", v12, (*http.Client)(nil), "unknown authority"},
		{"a nil Transport", v12, &http.Client{Transport: (*http.Transport)(nil)}, "cannot be pinned"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := dialled(t, row.srv, row.client)
			if row.says == "" && err != nil || row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("GetClientCertificate", func(t *testing.T) {
		srv := tlsServer(t, &tls.Config{ClientAuth: tls.RequireAnyClientCert})
		cert := srv.TLS.Certificates[0]
		if err := dialled(t, srv, with(srv, func(c *tls.Config) {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
		})); err != nil {
			t.Error(err)
		}
	})
}

func TestProxyHeadersAreKept(t *testing.T) {
	for _, fixed := range []bool{true, false} {
		var got atomic.Value
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got.Store(r.Header.Get("X-Proxy"))
			w.WriteHeader(http.StatusForbidden)
		}))
		u := mustParse(proxy.URL)
		tr := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return &u, nil }}
		if fixed {
			tr.ProxyConnectHeader = http.Header{"X-Proxy": {"key"}}
		} else {
			tr.GetProxyConnectHeader = func(context.Context, *url.URL, string) (http.Header, error) {
				return http.Header{"X-Proxy": {"key"}}, nil
			}
		}
		_ = dialled(t, &httptest.Server{}, &http.Client{Transport: tr})
		if got.Load() != "key" {
			t.Errorf("fixed %v: the proxy was sent %v", fixed, got.Load())
		}
		proxy.Close()
	}
}

// The clock's skew is learnt from the service's answer.
func TestClockSkewIsCorrected(t *testing.T) {
	var n atomic.Int32
	ahead := time.Hour
	c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		signed, _ := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if time.Until(signed) < 30*time.Minute {
			w.Header().Set("X-Amzn-Errortype", "InvalidSignatureException")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"message":"Signature expired"}`)
			return
		}
		unproven(w, r)
	}))
	for range 2 {
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
	}
	if n.Load() != 3 {
		t.Errorf("%d requests for two calls, want 3: the skew is kept", n.Load())
	}
}

// A server that cannot prove who it is, or that speaks an old TLS, gets nothing.
func TestHostileTLS(t *testing.T) {
	for _, row := range []struct {
		name   string
		server func(*tls.Config, *x509.CertPool)
		check  func(error) bool
	}{
		{"TLS 1.1", func(c *tls.Config, _ *x509.CertPool) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
			func(err error) bool { return strings.Contains(err.Error(), "protocol version") }},
		{"a certificate of another host", func(c *tls.Config, roots *x509.CertPool) {
			c.Certificates = []tls.Certificate{certificate(t, roots, "other.example.com", time.Now().Add(time.Hour))}
		}, func(err error) bool { var e x509.HostnameError; return errors.As(err, &e) }},
		{"an expired certificate", func(c *tls.Config, roots *x509.CertPool) {
			c.Certificates = []tls.Certificate{certificate(t, roots, "127.0.0.1", time.Now().Add(-time.Hour))}
		}, func(err error) bool {
			var e x509.CertificateInvalidError
			return errors.As(err, &e) && e.Reason == x509.Expired
		}},
		{"a certificate of nobody", func(c *tls.Config, _ *x509.CertPool) {
			c.Certificates = []tls.Certificate{certificate(t, x509.NewCertPool(), "127.0.0.1", time.Now().Add(time.Hour))}
		}, func(err error) bool { var e x509.UnknownAuthorityError; return errors.As(err, &e) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			roots := x509.NewCertPool()
			arrived := 0
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived++ }))
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.TLS = &tls.Config{}
			row.server(srv.TLS, roots)
			srv.StartTLS()
			defer srv.Close()
			if srv.TLS.MaxVersion != 0 {
				roots.AddCert(srv.Certificate())
			}
			c, err := securebedrock.NewFromConfig(aws.Config{
				Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
				HTTPClient:  &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10}}},
			}, opts{Region: "us-east-1", Endpoint: securebedrock.Endpoint{URL: srv.URL}, Retry: securebedrock.Retry{MaxAttempts: 1},
				Guardrail: securebedrock.Guardrail{ID: "abc", Version: "1"}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Converse(t.Context(), converse("a secret")); err == nil || !row.check(err) || arrived != 0 {
				t.Errorf("%d requests arrived, got %v", arrived, err)
			}
		})
	}
}

// certificate signs itself for host and, unless it is of nobody, is in roots.
func certificate(t *testing.T, roots *x509.CertPool, host string, until time.Time) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// handledCertificate is a certificate, in PEM, of an authority that signs nobody.
func handledCertificate(t *testing.T) []byte {
	c := certificate(t, x509.NewCertPool(), "foreign.example.com", time.Now().Add(time.Hour))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
}
