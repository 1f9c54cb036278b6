// Package pinned is what a guarded client of any AWS service stands on: the endpoint,
// the transport with what it takes over from the owner's HTTP client, the
// connections, the round trip under a watch for silence, the demands on a signed
// request, and the bound of an answer. It knows no operation and no service.
package pinned

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Owner is the application's HTTP client.
type Owner struct {
	Client aws.HTTPClient // may be nil
	Plain  bool           // an endpoint is plain http, where nothing proves who is at the other end of a dialer
	Remedy string         // what to do with a client that cannot be looked into, beside passing another
}

// Transport builds the pinned transport. From the owner's HTTP client the transport
// keeps what is the owner's to say: root CAs, client certificates, the proxy, the
// dialer, HTTP/2 switched off, smaller bounds, and checks that only tighten TLS. What
// would loosen TLS, or change the peer, is a fault. The times are t's, and what serves
// speed is ours. TestOwnerFields knows each field. Where there is a fault the
// transport must not be used.
func Transport(owner Owner, t Timeouts, conns *Connections, faults *refusal.Faults) *http.Transport {
	ours := awshttp.NewBuildableClient().GetTransport()
	ours.TLSHandshakeTimeout = t.Connect
	// Bedrock's calls are long, and many run at once. With the SDK's 10 idle
	// connections a host, most of 256 callers over HTTP/1.1 would shake hands anew.
	ours.MaxIdleConns, ours.MaxIdleConnsPerHost, ours.MaxConnsPerHost = 1024, 1024, 0
	ours.TLSClientConfig.MinVersion = tls.VersionTLS12
	// Bedrock does not compress. An answer that unpacks itself has no bound.
	ours.DisableCompression = true
	ours.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	// HTTP/2 asks a silent connection for a sign of life. All exchanges on a dead
	// connection fail, and the next attempt finds another one.
	ours.HTTP2 = new(http.HTTP2Config)
	ours.HTTP2.SendPingTimeout, ours.HTTP2.PingTimeout = t.pings()
	dial := Dial((&net.Dialer{}).DialContext)
	if theirs := owner.transport(faults); theirs == nil {
		ours.Proxy = tunnelOnly(ours.Proxy)
	} else if dialTheirs := keep(ours, theirs, owner.Plain, faults); dialTheirs != nil {
		dial = dialTheirs
	}
	ours.DialContext = conns.track(dial.within(t))
	return ours
}

// transport finds the http.Transport in the kinds of client that can be looked into;
// nil where there is nothing to take over.
func (o Owner) transport(faults *refusal.Faults) *http.Transport {
	remedy := ""
	if o.Remedy != "" {
		remedy = "; " + o.Remedy
	}
	switch c := o.Client.(type) {
	case nil:
	case Refusing:
		faults.Add(ownerField, "the client is that of an SDK client that is guarded already (Client.Runtime); use that SDK client, or pass the HTTP client that it was made with")
	case *awshttp.BuildableClient:
		if c != nil {
			return c.GetTransport()
		}
	case *http.Client:
		if c == nil {
			return nil
		}
		switch t := c.Transport.(type) {
		case nil:
			return nil
		case *http.Transport:
			if t != nil {
				return t.Clone() // which leaves out what net/http itself has put in
			}
		}
		faults.Add(ownerField, "an *http.Client over a %T cannot be pinned; pass one over an *http.Transport, or an *awshttp.BuildableClient%s", c.Transport, remedy)
	default:
		faults.Add(ownerField, "a %T cannot be pinned; pass an *awshttp.BuildableClient or an *http.Client over an *http.Transport%s", o.Client, remedy)
	}
	return nil
}

// The SDK's own bounds for the instance's metadata (feature/ec2/imds, resolveHTTPClient).
const (
	localConnectTimeout = 250 * time.Millisecond
	localHeaderTimeout  = 500 * time.Millisecond
)

// NewLocal returns a Client for a metadata service of the machine. It has the SDK's own
// bounds in the place of Timeouts: where there is no such service, the question must
// fail soon. No proxy is asked.
func NewLocal(conns *Connections) *Client {
	t := awshttp.NewBuildableClient().GetTransport()
	t.Proxy, t.DisableCompression = nil, true
	t.DialContext = conns.track((&net.Dialer{Timeout: localConnectTimeout}).DialContext)
	t.ResponseHeaderTimeout = localHeaderTimeout
	return &Client{RoundTripper: t, Connections: conns}
}
