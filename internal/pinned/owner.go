package pinned

import (
	"context"
	"crypto/tls"
	"maps"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// ownerField is the name under which the faults of the owner's HTTP client are reported.
const ownerField = "HTTPClient"

// keep takes over into ours what is the owner's to say: the proxy, HTTP/2 switched
// off, smaller bounds, root CAs, client certificates, and checks that only tighten
// TLS. keep returns the owner's dialer, nil where there is none. Everything that
// would loosen TLS or change the peer is a fault.
func keep(ours, theirs *http.Transport, plain bool, faults *refusal.Faults) Dial {
	keepTLS(ours.TLSClientConfig, theirs.TLSClientConfig, faults)
	keepConnections(ours, theirs, faults)
	keepProtocols(ours, theirs, faults)
	return dialer(theirs, plain, faults)
}

// keepConnections takes over what is the owner's to say about connections.
func keepConnections(ours, theirs *http.Transport, faults *refusal.Faults) {
	ours.Proxy = tunnelOnly(theirs.Proxy)
	ours.OnProxyConnectResponse = theirs.OnProxyConnectResponse
	ours.ProxyConnectHeader = theirs.ProxyConnectHeader.Clone()
	ours.GetProxyConnectHeader = theirs.GetProxyConnectHeader
	caughtConnect(ours)
	ours.DisableKeepAlives = theirs.DisableKeepAlives
	ours.ReadBufferSize, ours.WriteBufferSize = theirs.ReadBufferSize, theirs.WriteBufferSize
	if n := theirs.MaxConnsPerHost; n > 0 && n != awshttp.DefaultHTTPTransportMaxConnsPerHost {
		ours.MaxConnsPerHost = n
	}
	if n := theirs.MaxResponseHeaderBytes; n > 0 {
		ours.MaxResponseHeaderBytes = n
	}
	if d := theirs.IdleConnTimeout; d > 0 {
		ours.IdleConnTimeout = min(d, ours.IdleConnTimeout)
	}
	if h := theirs.HTTP2; h != nil {
		if h.PermitProhibitedCipherSuites {
			faults.Add(ownerField, "its transport's HTTP2 permits the cipher suites that HTTP/2 prohibits; take PermitProhibitedCipherSuites out")
		}
		ping, timeout := ours.HTTP2.SendPingTimeout, ours.HTTP2.PingTimeout
		kept := *h
		kept.SendPingTimeout, kept.PingTimeout = shorter(h.SendPingTimeout, ping), shorter(h.PingTimeout, timeout)
		ours.HTTP2 = &kept
	}
}

func shorter(theirs, ours time.Duration) time.Duration {
	if theirs > 0 {
		return min(theirs, ours)
	}
	return ours
}

// keepProtocols keeps a protocol off that the owner has switched off: by Protocols,
// by a TLSNextProto without "h2", or by the NextProtos of TLS. A transport that
// says nothing about HTTP/2 has it, though net/http would leave it off beside a
// TLS configuration.
func keepProtocols(ours, theirs *http.Transport, faults *refusal.Faults) {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	if theirs.Protocols != nil {
		p = *theirs.Protocols
		if !p.HTTP1() && !p.HTTP2() {
			faults.Add(ownerField, "its transport's Protocols has neither HTTP1 nor HTTP2; set one of them")
		}
	}
	if theirs.TLSNextProto != nil && theirs.TLSNextProto["h2"] == nil {
		p.SetHTTP2(false)
	}
	for _, name := range slices.Sorted(maps.Keys(theirs.TLSNextProto)) {
		// Both are net/http's own, or those of golang.org/x/net/http2: ours serve instead.
		if name != "h2" && name != "unencrypted_http2" {
			faults.Add(ownerField, "its transport's TLSNextProto carries requests over %q, past all checks; take it out", name)
		}
	}
	if c := theirs.TLSClientConfig; c != nil && len(c.NextProtos) > 0 {
		for _, name := range c.NextProtos {
			if name != "h2" && name != "http/1.1" && name != "http/1.0" {
				faults.Add(ownerField, "its transport's TLSClientConfig.NextProtos offers %q, which is not spoken; take it out", name)
			}
		}
		if !slices.Contains(c.NextProtos, "h2") {
			p.SetHTTP2(false)
		}
	}
	ours.Protocols, ours.ForceAttemptHTTP2 = &p, p.HTTP2()
}

// dialer is the owner's way to a TCP connection. With https a dialer cannot change the
// peer, which must still prove to be the endpoint's host. With plain http nothing is
// proven.
func dialer(theirs *http.Transport, plain bool, faults *refusal.Faults) Dial {
	if theirs.DialTLSContext != nil || theirs.DialTLS != nil { //nolint:staticcheck // refused, not used
		faults.Add(ownerField, "its transport dials TLS itself, so the host's certificate could go unchecked; pass one without DialTLS and DialTLSContext")
	}
	dial := Dial(theirs.DialContext)
	if old := theirs.Dial; dial == nil && old != nil { //nolint:staticcheck // an owner may still use it
		dial = func(_ context.Context, network, addr string) (net.Conn, error) { return old(network, addr) }
	}
	if dial == nil {
		return nil
	}
	if plain && !isPlainDialer(theirs.DialContext) {
		faults.Add(ownerField, "its transport has a dialer of its own, and Endpoint.URL is plain http, where nothing proves who is at the other end; use https, or a transport without DialContext and Dial")
	}
	if isPlainDialer(dial) {
		return dial
	}
	return caughtDial(dial)
}

// isPlainDialer recognises a net.Dialer's method and the SDK's default, which go
// where the address says.
func isPlainDialer(dial Dial) bool {
	code := func(f Dial) uintptr { return reflect.ValueOf(f).Pointer() }
	return dial != nil && (code(dial) == code((&net.Dialer{}).DialContext) || code(dial) == code(awshttp.NewBuildableClient().GetTransport().DialContext))
}

// keepTLS takes over what tightens TLS or is the owner's to say. What serves a
// server alone means nothing here.
func keepTLS(ours, theirs *tls.Config, faults *refusal.Faults) {
	if theirs == nil {
		return
	}
	refuse := func(broken bool, format string, args ...any) {
		if broken {
			faults.Add(ownerField, "its transport's TLSClientConfig "+format, args...)
		}
	}
	refuse(theirs.InsecureSkipVerify, "sets InsecureSkipVerify; put the certificate authority into RootCAs")
	refuse(theirs.Rand != nil, "sets Rand, so the keys could be guessed; take it out")
	refuse(theirs.Time != nil, "sets Time, so an expired certificate could pass; take it out")
	refuse(theirs.KeyLogWriter != nil, "sets KeyLogWriter, which writes the keys that open the connections; take it out")
	refuse(theirs.Renegotiation != tls.RenegotiateNever, "permits renegotiation; take it out")
	refuse(theirs.MaxVersion != 0 && theirs.MaxVersion < tls.VersionTLS12, "has a MaxVersion below TLS 1.2, the least that is spoken; raise it or take it out")
	for _, id := range theirs.CipherSuites {
		refuse(!slices.ContainsFunc(tls.CipherSuites(), func(s *tls.CipherSuite) bool { return s.ID == id }),
			"names the cipher suite %s, which crypto/tls does not call secure; take it out", tls.CipherSuiteName(id))
	}
	if theirs.RootCAs != nil {
		ours.RootCAs = theirs.RootCAs.Clone() // the owner's pool can grow later
	}
	ours.Certificates = slices.Clone(theirs.Certificates)
	ours.GetClientCertificate = theirs.GetClientCertificate
	ours.VerifyPeerCertificate = theirs.VerifyPeerCertificate
	ours.VerifyConnection = theirs.VerifyConnection
	if theirs.VerifyPeerCertificate != nil {
		ours.ClientSessionCache = nil // a resumed session would not be asked
	}
	ours.SessionTicketsDisabled = theirs.SessionTicketsDisabled
	ours.CipherSuites = slices.Clone(theirs.CipherSuites)
	if len(theirs.CurvePreferences) > 0 {
		ours.CurvePreferences = slices.Clone(theirs.CurvePreferences)
	}
	ours.MinVersion, ours.MaxVersion = max(ours.MinVersion, theirs.MinVersion), theirs.MaxVersion
	ours.DynamicRecordSizingDisabled = theirs.DynamicRecordSizingDisabled
	ours.EncryptedClientHelloConfigList = slices.Clone(theirs.EncryptedClientHelloConfigList)
	ours.EncryptedClientHelloRejectionVerify = theirs.EncryptedClientHelloRejectionVerify
	caughtTLS(ours)
}

// tunnelOnly lets a proxy carry TLS and nothing else: the proxy sees the host's name
// and never a request.
func tunnelOnly(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	if proxy == nil {
		return nil
	}
	proxy = caughtProxy(proxy)
	return func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != "https" {
			return nil, nil
		}
		return proxy(r)
	}
}
