package profiles_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/profiles"
)

// liar is another host, which must never be asked: it would say that everything
// stays in the region.
func liar(t *testing.T) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("another host was asked")
	}))
	t.Cleanup(srv.Close)
	return srv
}

func movingResolver(elsewhere string) aws.EndpointResolverWithOptions { //nolint:staticcheck // made to show that it is not asked
	return aws.EndpointResolverWithOptionsFunc(func(string, string, ...any) (aws.Endpoint, error) { //nolint:staticcheck // made to show that it is not asked
		return aws.Endpoint{URL: elsewhere}, nil //nolint:staticcheck // see above
	})
}

// Whatever the environment or the configuration says, the pinned host is asked,
// and signed for with SigV4 and the configured key.
func TestHostileEnvironment(t *testing.T) {
	file := func(t *testing.T, text string) {
		name := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("AWS_CONFIG_FILE", name)
	}
	for _, row := range []struct {
		name string
		set  func(t *testing.T, elsewhere string)
		cfg  func(cfg *aws.Config, elsewhere string)
	}{
		{"AWS_ENDPOINT_URL", func(t *testing.T, e string) { t.Setenv("AWS_ENDPOINT_URL", e) }, nil},
		{"AWS_ENDPOINT_URL_BEDROCK", func(t *testing.T, e string) { t.Setenv("AWS_ENDPOINT_URL_BEDROCK", e) }, nil},
		{"endpoint_url in shared configuration", func(t *testing.T, e string) { file(t, "[default]\nendpoint_url = "+e+"\n") }, nil},
		{"a services section", func(t *testing.T, e string) {
			file(t, "[default]\nservices = s\n[services s]\nbedrock =\n  endpoint_url = "+e+"\n")
		}, nil},
		{"another region", func(t *testing.T, _ string) { t.Setenv("AWS_REGION", "eu-west-1") }, func(cfg *aws.Config, _ string) { cfg.Region = "eu-west-1" }},
		{"FIPS and dual-stack", func(t *testing.T, _ string) {
			t.Setenv("AWS_USE_FIPS_ENDPOINT", "true")
			t.Setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
		}, nil},
		{"AWS_BEARER_TOKEN_BEDROCK", func(t *testing.T, _ string) { t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-leak") }, nil},
		{"a bearer token provider", nil, func(cfg *aws.Config, _ string) {
			cfg.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: "leak"}}
			cfg.AuthSchemePreference = []string{"httpBearerAuth"}
		}},
		{"BaseEndpoint", nil, func(cfg *aws.Config, e string) { cfg.BaseEndpoint = &e }},
		{"an endpoint resolver", nil, func(cfg *aws.Config, e string) {
			cfg.EndpointResolverWithOptions = movingResolver(e) //nolint:staticcheck // set to show that it is not asked
		}},
		{"service options", nil, func(cfg *aws.Config, e string) {
			cfg.ServiceOptions = append(cfg.ServiceOptions, func(_ string, o any) { t.Errorf("%T was offered to ServiceOptions", o) })
		}},
		{"an API option that rewrites the host", nil, func(cfg *aws.Config, e string) {
			cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
				return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("move", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
					u, _ := url.Parse(e)
					in.Request.(*smithyhttp.Request).URL.Host = u.Host
					return next.HandleFinalize(ctx, in)
				}), middleware.After)
			})
		}},
	} {
		for _, when := range []string{"before", "after"} {
			t.Run(row.name+", set "+when+" construction", func(t *testing.T) {
				if when == "after" && row.set == nil {
					t.Skip("it is in the configuration")
				}
				cp := newControlPlane(t)
				cp.put(ownARN, applicationProfile(region, "us-west-2"))
				elsewhere := liar(t).URL
				good := cp.config()
				load := func() aws.Config {
					cfg, err := config.LoadDefaultConfig(t.Context(), config.WithCredentialsProvider(good.Credentials), config.WithRegion(region))
					if err != nil {
						t.Fatal(err)
					}
					cfg.HTTPClient = good.HTTPClient
					return cfg
				}
				if when == "before" && row.set != nil {
					row.set(t, elsewhere)
				}
				cfg := load()
				if row.cfg != nil {
					row.cfg(&cfg, elsewhere)
				}
				r, err := profiles.New(cfg, cp.options())
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if when == "after" {
					row.set(t, elsewhere)
				}
				if got, err := r.Destinations(t.Context(), ownARN, region); err != nil || !slices.Equal(got, []string{region, "us-west-2"}) {
					t.Fatalf("got %v, %v", got, err)
				}
				for _, req := range cp.received() {
					auth := req.Header.Get("Authorization")
					if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential="+accessKey+"/") || !strings.Contains(auth, "/"+region+"/bedrock/aws4_request") {
						t.Errorf("the request carries %q", auth)
					}
				}
			})
		}
	}
}

// refusingProxy takes note of what it is asked to connect to, and refuses, so
// that nothing leaves the machine.
type refusingProxy struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newRefusingProxy(t *testing.T) (*refusingProxy, *http.Client) {
	p := new(refusingProxy)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked = append(p.asked, r.Method+" "+r.Host)
		p.mu.Unlock()
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(p.Close)
	u, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	return p, &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(u)}}
}

// The public host of a region is computed from Options, in every partition.
func TestRegionalHosts(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_BEDROCK", liar(t).URL)
	for _, row := range []struct {
		region   string
		endpoint securebedrock.Endpoint
		want     string
	}{
		{"eu-central-1", securebedrock.Endpoint{}, "bedrock.eu-central-1.amazonaws.com"},
		{"eu-central-1", securebedrock.Endpoint{DualStack: true}, "bedrock.eu-central-1.api.aws"},
		{"us-east-1", securebedrock.Endpoint{FIPS: true}, "bedrock-fips.us-east-1.amazonaws.com"},
		{"us-gov-west-1", securebedrock.Endpoint{}, "bedrock.us-gov-west-1.amazonaws.com"},
		{"us-gov-west-1", securebedrock.Endpoint{FIPS: true}, "bedrock-fips.us-gov-west-1.amazonaws.com"},
		{"cn-north-1", securebedrock.Endpoint{}, "bedrock.cn-north-1.amazonaws.com.cn"},
		{"us-iso-east-1", securebedrock.Endpoint{}, "bedrock.us-iso-east-1.c2s.ic.gov"},
		{"us-isob-east-1", securebedrock.Endpoint{}, "bedrock.us-isob-east-1.sc2s.sgov.gov"},
		{"eu-isoe-west-1", securebedrock.Endpoint{}, "bedrock.eu-isoe-west-1.cloud.adc-e.uk"},
		{"us-isof-south-1", securebedrock.Endpoint{}, "bedrock.us-isof-south-1.csp.hci.ic.gov"},
		{"eusc-de-east-1", securebedrock.Endpoint{}, "bedrock.eusc-de-east-1.amazonaws.eu"},
		{"eu-central-1", securebedrock.Endpoint{URL: "https://vpce-1.bedrock.eu-central-1.vpce.amazonaws.com"}, "vpce-1.bedrock.eu-central-1.vpce.amazonaws.com"},
	} {
		t.Run(row.want, func(t *testing.T) {
			t.Parallel()
			proxy, client := newRefusingProxy(t)
			cfg := newControlPlane(t).config()
			cfg.HTTPClient = client
			r, err := profiles.New(cfg, profiles.Options{Region: row.region, Endpoint: row.endpoint})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			p, _ := regions.Of(row.region)
			id := strings.Replace(strings.Replace(ownARN, region, row.region, 1), "arn:aws:", "arn:"+p.ID+":", 1)
			if _, err := r.Destinations(t.Context(), id, row.region); err == nil {
				t.Error("an answer came through a refusing proxy")
			}
			proxy.mu.Lock()
			defer proxy.mu.Unlock()
			if len(proxy.asked) == 0 || slices.ContainsFunc(proxy.asked, func(h string) bool { return h != "CONNECT "+row.want+":443" }) {
				t.Errorf("asked for %v", proxy.asked)
			}
		})
	}
}

// A proxy never sees a plain request.
func TestPlainRequestsPassNoProxy(t *testing.T) {
	cp := newControlPlane(t)
	cp.put(ownARN, applicationProfile(region))
	plain := httptest.NewServer(http.HandlerFunc(cp.serve))
	defer plain.Close()
	proxy, client := newRefusingProxy(t)
	r := newResolver(t, cp, func(cfg *aws.Config, o *profiles.Options) {
		cfg.HTTPClient, o.Endpoint.URL = client, plain.URL
	})
	if _, err := r.Destinations(t.Context(), ownARN, region); err != nil {
		t.Error(err)
	}
	if len(proxy.asked) != 0 {
		t.Errorf("the proxy saw %v", proxy.asked)
	}
}

func TestOwnersTLSIsKept(t *testing.T) {
	cp := newControlPlane(t)
	cp.put(ownARN, applicationProfile(region))
	t.Run("a certificate that the owner does not trust", func(t *testing.T) {
		r := newResolver(t, cp, func(cfg *aws.Config, _ *profiles.Options) { cfg.HTTPClient = nil })
		var unknown *tls.CertificateVerificationError
		if _, err := r.Destinations(t.Context(), ownARN, region); !errors.As(err, &unknown) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a client certificate", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(cp.serve))
		srv.Config.ErrorLog = cp.Config.ErrorLog
		srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
		srv.StartTLS()
		defer srv.Close()
		client := srv.Client()
		client.Transport.(*http.Transport).TLSClientConfig.Certificates = srv.TLS.Certificates
		r := newResolver(t, cp, func(cfg *aws.Config, o *profiles.Options) { cfg.HTTPClient, o.Endpoint.URL = client, srv.URL })
		if _, err := r.Destinations(t.Context(), ownARN, region); err != nil {
			t.Error(err)
		}
	})
	t.Run("TLS 1.1", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(cp.serve))
		srv.Config.ErrorLog = cp.Config.ErrorLog
		srv.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		srv.StartTLS()
		defer srv.Close()
		client := srv.Client()
		client.Transport.(*http.Transport).TLSClientConfig.MinVersion = tls.VersionTLS10
		r := newResolver(t, cp, func(cfg *aws.Config, o *profiles.Options) { cfg.HTTPClient, o.Endpoint.URL = client, srv.URL })
		if _, err := r.Destinations(t.Context(), ownARN, region); err == nil {
			t.Error("TLS 1.1 was spoken")
		}
	})
}
