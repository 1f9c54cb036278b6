package profiles

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// connectTimeout bounds the dial and, apart from it, the TLS handshake, as
// securebedrock.Timeouts.Connect does by default.
const connectTimeout = 5 * time.Second

// pingAfter is how long a connection over HTTP/2 may be silent before it is asked for
// a sign of life, and how long for the answer.
const pingAfter = 5 * time.Second

// newTransport keeps of the application's HTTP client what is the owner's to say,
// and refuses what would loosen TLS, as securebedrock does. plain: an endpoint is
// plain http, where nothing proves who is at the other end of the owner's dialer.
func newTransport(owner aws.HTTPClient, plain bool) (*http.Transport, error) {
	theirs, err := pinned.Transport(owner)
	if err != nil {
		return nil, fmt.Errorf("%w: profiles: %w", securebedrock.ErrConfig, err)
	}
	base := awshttp.NewBuildableClient().GetTransport()
	base.TLSHandshakeTimeout = connectTimeout
	base.TLSClientConfig.MinVersion = tls.VersionTLS12
	base.DisableCompression = true // as in the client: an answer does not unpack itself
	base.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAfter}
	base.DialContext = (&net.Dialer{Timeout: connectTimeout, KeepAlive: awshttp.DefaultDialKeepAliveTimeout}).DialContext
	if theirs == nil {
		base.Proxy = pinned.TunnelOnly(base.Proxy)
		return base, nil
	}
	dial, err := pinned.Keep(base, theirs, plain, func(fault error) error {
		return fmt.Errorf("%w: profiles: %w", securebedrock.ErrConfig, fault)
	})
	if err != nil {
		return nil, err
	}
	if dial != nil {
		base.DialContext = dial
	}
	return base, nil
}
