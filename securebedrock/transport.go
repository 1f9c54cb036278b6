package securebedrock

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
	"github.com/aws/smithy-go/middleware"
)

// newTransport builds the pinned transport. From the application's HTTP client
// it keeps what is the owner's to say: root CAs, client certificates, the proxy,
// and checks that only tighten TLS. All else is ours.
func newTransport(owner aws.HTTPClient, t Timeouts, conns *connections) (*http.Transport, error) {
	theirs, err := ownerTransport(owner)
	if err != nil {
		return nil, err
	}
	base := awshttp.NewBuildableClient().GetTransport()
	dialer := &net.Dialer{Timeout: t.Connect, KeepAlive: awshttp.DefaultDialKeepAliveTimeout}
	base.DialContext = conns.track(dialer.DialContext)
	base.TLSHandshakeTimeout = t.Connect
	// Bedrock's calls are long and many at once: the SDK's 10 idle connections a
	// host would make most of 256 callers over HTTP/1.1 shake hands anew.
	base.MaxIdleConns, base.MaxIdleConnsPerHost, base.MaxConnsPerHost = 1024, 1024, 0
	base.TLSClientConfig.MinVersion = tls.VersionTLS12
	// Bedrock does not compress, and an answer that unpacks itself has no bound.
	base.DisableCompression = true
	base.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	// HTTP/2 asks a silent connection for a sign of life, so that a dead one is
	// not reused for the next call.
	base.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second}
	if theirs == nil {
		base.Proxy = tunnelOnly(base.Proxy)
		return base, nil
	}
	base.Proxy = tunnelOnly(theirs.Proxy)
	base.ProxyConnectHeader = theirs.ProxyConnectHeader.Clone()
	base.GetProxyConnectHeader = theirs.GetProxyConnectHeader
	//lint:ignore SA1019 refused, not used
	if theirs.DialTLSContext != nil || theirs.DialTLS != nil { //nolint:staticcheck // refused, not used
		return nil, fmt.Errorf("%w: HTTPClient: its transport dials TLS itself, so the host's certificate could go unchecked; pass one without DialTLS and DialTLSContext", ErrConfig)
	}
	c := theirs.TLSClientConfig
	if c == nil {
		return base, nil
	}
	if c.InsecureSkipVerify {
		return nil, fmt.Errorf("%w: HTTPClient: its transport sets InsecureSkipVerify; put the certificate authority into RootCAs", ErrConfig)
	}
	ours := base.TLSClientConfig
	ours.RootCAs = c.RootCAs
	ours.Certificates = slices.Clone(c.Certificates)
	ours.GetClientCertificate = c.GetClientCertificate
	if c.VerifyPeerCertificate != nil {
		ours.VerifyPeerCertificate = c.VerifyPeerCertificate
		ours.ClientSessionCache = nil // a resumed session would not be asked
	}
	if len(c.CurvePreferences) > 0 {
		ours.CurvePreferences = slices.Clone(c.CurvePreferences)
	}
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
	case refusingClient:
		return nil, fmt.Errorf("%w: HTTPClient: it is that of a client which is guarded already (Client.Runtime); use that client, or give the one that it was made of", ErrConfig)
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
		return nil, fmt.Errorf("%w: HTTPClient: an *http.Client over a %T cannot be pinned; pass one over an *http.Transport, or an *awshttp.BuildableClient, and put what it adds into Options.Middleware", ErrConfig, c.Transport)
	}
	return nil, fmt.Errorf("%w: HTTPClient: a %T cannot be pinned; pass an *awshttp.BuildableClient or an *http.Client over an *http.Transport", ErrConfig, owner)
}

// tunnelOnly lets a proxy carry TLS and nothing else: it sees the host's name
// and never a request.
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

// refusingClient stands in the SDK client's options. Requests go out through
// the gate, which has its own transport; whatever arrives here has gone round
// the gate.
type refusingClient struct{}

func (refusingClient) Do(req *http.Request) (*http.Response, error) {
	return nil, &PolicyError{Rule: ErrGuardrailRequired, Operation: middleware.GetOperationName(req.Context()),
		Detail: "the request did not pass the gate; a per-call option took it out of the stack, or this HTTP client was taken out of the client"}
}
