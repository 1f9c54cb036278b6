package securebedrock

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// newTransport builds the pinned transport. From the application's HTTP client
// it keeps what is the owner's to say: root CAs, client certificates, the proxy,
// the dialer, HTTP/2 switched off, smaller bounds, and checks that only tighten
// TLS. What would loosen TLS, or change the peer, is refused. The times are those
// of the Options, and what serves speed is ours. TestOwnerFields knows each field.
func newTransport(owner aws.HTTPClient, e Endpoint, t Timeouts, conns *connections) (*http.Transport, error) {
	if _, ok := owner.(refusingClient); ok {
		return nil, fmt.Errorf("%w: HTTPClient: it is that of a client which is guarded already (Client.Runtime); use that client, or give the one that it was made of", ErrConfig)
	}
	theirs, err := pinned.Transport(owner)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; put what it adds into Options.Middleware", ErrConfig, err)
	}
	base := awshttp.NewBuildableClient().GetTransport()
	base.TLSHandshakeTimeout = t.Connect
	// Bedrock's calls are long and many at once: the SDK's 10 idle connections a
	// host would make most of 256 callers over HTTP/1.1 shake hands anew.
	base.MaxIdleConns, base.MaxIdleConnsPerHost, base.MaxConnsPerHost = 1024, 1024, 0
	base.TLSClientConfig.MinVersion = tls.VersionTLS12
	// Bedrock does not compress, and an answer that unpacks itself has no bound.
	base.DisableCompression = true
	base.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	// HTTP/2 asks a silent connection for a sign of life. All exchanges on a dead one
	// fail, and the next attempt finds another.
	base.HTTP2 = new(http.HTTP2Config)
	base.HTTP2.SendPingTimeout, base.HTTP2.PingTimeout = t.pings()
	dial := dialFunc((&net.Dialer{}).DialContext)
	if theirs == nil {
		base.Proxy = pinned.TunnelOnly(base.Proxy)
	} else {
		u, _ := url.Parse(e.URL)
		dialTheirs, err := pinned.Keep(base, theirs, u != nil && strings.EqualFold(u.Scheme, "http"),
			func(fault error) error { return fmt.Errorf("%w: %w", ErrConfig, fault) })
		if err != nil {
			return nil, err
		}
		if dialTheirs != nil {
			dial = dialFunc(dialTheirs)
		}
	}
	base.DialContext = conns.track(dial.bounded(t))
	return base, nil
}

// refusingClient stands in the SDK client's options. Requests go out through
// the gate, which has its own transport; whatever arrives here has gone round
// the gate.
type refusingClient struct{}

func (refusingClient) Do(req *http.Request) (*http.Response, error) {
	return nil, bypassed(middleware.GetOperationName(req.Context()),
		"the request did not pass the gate; a per-call option took it out of the stack, or this HTTP client was taken out of the client")
}
