package securebedrock

import (
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// newTransport builds the pinned transport, with what the owner's HTTP client says of
// connections and TLS.
func newTransport(owner aws.HTTPClient, e Endpoint, t Timeouts, conns *pinned.Connections) (*http.Transport, error) {
	var faults refusal.Faults
	transport := pinned.Transport(pinned.Owner{
		Client: owner,
		Plain:  pinned.Plain(e.URL),
		Remedy: "put what it adds into Options.Middleware",
	}, t.pinned(), conns, &faults)
	return transport, faults.Err()
}

// roundTheGate is the error of a request that arrives at the HTTP client in the SDK's
// options. The gate sends through a transport of its own.
func (o outside) roundTheGate(req *http.Request) error {
	return o.refuse(req.Context(),
		"the request did not pass the gate; a per-call option took it out of the stack, or this HTTP client was taken out of the client")
}

// clientClosed is the error of what Shutdown has ended. A refusal is not sent
// again.
func clientClosed(err error) error {
	return refuse(fmt.Errorf("%w: %w", ErrClosed, err), "the client was closed while the call was under way")
}
