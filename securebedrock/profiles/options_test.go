package profiles_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/profiles"
)

type doer struct{}

func (doer) Do(*http.Request) (*http.Response, error)        { return nil, errors.ErrUnsupported }
func (doer) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.ErrUnsupported }

func TestFaultsOfTheConfiguration(t *testing.T) {
	over := func(tr http.RoundTripper) func(*aws.Config, *profiles.Options) {
		return func(c *aws.Config, _ *profiles.Options) { c.HTTPClient = &http.Client{Transport: tr} }
	}
	for _, row := range []struct {
		name   string
		change func(*aws.Config, *profiles.Options)
		says   string
	}{
		{"no region", func(_ *aws.Config, o *profiles.Options) { o.Region = "" }, "Region"},
		{"a region that is a host", func(_ *aws.Config, o *profiles.Options) { o.Region = "us-east-1.evil.com/" }, "Region"},
		{"a URL on http", func(_ *aws.Config, o *profiles.Options) { o.Endpoint.URL = "http://bedrock.example" }, "Endpoint"},
		{"a URL with a password", func(_ *aws.Config, o *profiles.Options) { o.Endpoint.URL = "https://a:b@bedrock.example" }, "Endpoint"},
		{"a URL with a query", func(_ *aws.Config, o *profiles.Options) { o.Endpoint.URL = "https://bedrock.example/?a=b" }, "Endpoint"},
		{"a URL without a host", func(_ *aws.Config, o *profiles.Options) { o.Endpoint.URL = "https:///a" }, "Endpoint"},
		{"a URL with another scheme", func(_ *aws.Config, o *profiles.Options) { o.Endpoint.URL = "ftp://bedrock.example" }, "Endpoint"},
		{"a URL and FIPS", func(_ *aws.Config, o *profiles.Options) { o.Endpoint.FIPS = true }, "Endpoint"},
		{"a negative timeout", func(_ *aws.Config, o *profiles.Options) { o.Timeout = -1 }, "Timeout"},
		{"a negative time of system profiles", func(_ *aws.Config, o *profiles.Options) { o.SystemTTL = -1 }, "SystemTTL"},
		{"a negative time of application profiles", func(_ *aws.Config, o *profiles.Options) { o.ApplicationTTL = -time.Second }, "ApplicationTTL"},
		{"a negative bound", func(_ *aws.Config, o *profiles.Options) { o.MaxEntries = -1 }, "MaxEntries"},
		{"no credentials", func(c *aws.Config, _ *profiles.Options) { c.Credentials = nil }, "Credentials"},
		{"anonymous credentials", func(c *aws.Config, _ *profiles.Options) { c.Credentials = aws.AnonymousCredentials{} }, "anonymous"},
		{"anonymous credentials in a cache", func(c *aws.Config, _ *profiles.Options) {
			c.Credentials = aws.NewCredentialsCache(aws.AnonymousCredentials{})
		}, "anonymous"},
		{"an HTTP client of its own kind", func(c *aws.Config, _ *profiles.Options) { c.HTTPClient = doer{} }, "HTTPClient"},
		{"a RoundTripper of its own", over(doer{}), "HTTPClient"},
		{"a transport that checks no certificate", over(&http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}), "InsecureSkipVerify"},
		{"a transport that dials TLS itself", over(&http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.ErrUnsupported
		}}), "DialTLS"},
	} {
		cp := newControlPlane(t)
		cfg, o := cp.config(), cp.options()
		row.change(&cfg, &o)
		r, err := profiles.New(cfg, o)
		if r != nil || !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
	_, err := profiles.New(aws.Config{HTTPClient: doer{}}, profiles.Options{Timeout: -1, Endpoint: securebedrock.Endpoint{URL: "http://bedrock.example"}})
	for _, says := range []string{"Region", "Timeout", "Endpoint", "Credentials", "HTTPClient"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the faults do not name %s: %v", says, err)
		}
	}
}

// A provider that gives no key makes no unsigned request.
func TestNoKeyNoRequest(t *testing.T) {
	cp := newControlPlane(t)
	cp.put(ownARN, applicationProfile(region))
	r := newResolver(t, cp, func(c *aws.Config, _ *profiles.Options) {
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, nil })
	})
	if _, err := r.Destinations(t.Context(), ownARN, region); !errors.Is(err, securebedrock.ErrAuth) {
		t.Errorf("got %v", err)
	}
	if n := len(cp.received()); n != 0 {
		t.Errorf("the control plane received %d requests", n)
	}
}
