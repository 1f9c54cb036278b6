package profiles

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// connectTimeout bounds the dial and, apart from it, the TLS handshake, as
// securebedrock.Timeouts.Connect does by default.
const connectTimeout = 5 * time.Second

// newTransport keeps of the application's HTTP client what is the owner's to say,
// as securebedrock does: root CAs, client certificates, the proxy, and checks
// that only tighten TLS. All else is ours.
func newTransport(owner aws.HTTPClient) (*http.Transport, error) {
	theirs, err := ownerTransport(owner)
	if err != nil {
		return nil, err
	}
	base := awshttp.NewBuildableClient().GetTransport()
	base.DialContext = (&net.Dialer{Timeout: connectTimeout, KeepAlive: awshttp.DefaultDialKeepAliveTimeout}).DialContext
	base.TLSHandshakeTimeout = connectTimeout
	base.TLSClientConfig.MinVersion = tls.VersionTLS12
	base.DisableCompression = true // as in the client: an answer does not unpack itself
	if theirs == nil {
		base.Proxy = tunnelOnly(base.Proxy)
		return base, nil
	}
	base.Proxy = tunnelOnly(theirs.Proxy)
	base.ProxyConnectHeader = theirs.ProxyConnectHeader.Clone()
	base.GetProxyConnectHeader = theirs.GetProxyConnectHeader
	//lint:ignore SA1019 refused, not used
	if theirs.DialTLSContext != nil || theirs.DialTLS != nil { //nolint:staticcheck // refused, not used
		return nil, fmt.Errorf("%w: profiles: HTTPClient: its transport dials TLS itself, so the host's certificate could go unchecked; pass one without DialTLS and DialTLSContext", securebedrock.ErrConfig)
	}
	c := theirs.TLSClientConfig
	if c == nil {
		return base, nil
	}
	if c.InsecureSkipVerify {
		return nil, fmt.Errorf("%w: profiles: HTTPClient: its transport sets InsecureSkipVerify; put the certificate authority into RootCAs", securebedrock.ErrConfig)
	}
	ours := base.TLSClientConfig
	if c.RootCAs != nil {
		ours.RootCAs = c.RootCAs.Clone() // the owner's pool can grow later
	}
	ours.Certificates = slices.Clone(c.Certificates)
	ours.GetClientCertificate = c.GetClientCertificate
	ours.VerifyPeerCertificate = c.VerifyPeerCertificate
	ours.VerifyConnection = c.VerifyConnection
	ours.MinVersion = max(ours.MinVersion, c.MinVersion)
	return base, nil
}

// ownerTransport finds the http.Transport in the kinds of client that can be
// looked into; nil where there is none to take over from.
func ownerTransport(owner aws.HTTPClient) (*http.Transport, error) {
	switch c := owner.(type) {
	case nil:
		return nil, nil
	case *awshttp.BuildableClient:
		if c == nil {
			return nil, nil
		}
		return c.GetTransport(), nil
	case *http.Client:
		if c == nil {
			return nil, nil
		}
		switch t := c.Transport.(type) {
		case nil:
			return nil, nil
		case *http.Transport:
			if t != nil {
				return t, nil
			}
		}
		return nil, fmt.Errorf("%w: profiles: HTTPClient: an *http.Client over a %T cannot be pinned; pass one over an *http.Transport, or an *awshttp.BuildableClient", securebedrock.ErrConfig, c.Transport)
	}
	return nil, fmt.Errorf("%w: profiles: HTTPClient: a %T cannot be pinned; pass an *awshttp.BuildableClient or an *http.Client over an *http.Transport", securebedrock.ErrConfig, owner)
}

// tunnelOnly lets a proxy carry TLS and nothing else: a proxy that sees a plain
// answer could change it.
func tunnelOnly(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	if proxy == nil {
		return nil
	}
	return func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != "https" {
			return nil, nil
		}
		return proxy(r)
	}
}
