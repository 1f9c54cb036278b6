package profiles

import (
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// timeouts leaves a quarter of Options.Timeout for another attempt where the first
// meets silence: the wait for an answer's beginning is Read and twice Connect. The
// upper bounds are the client's own defaults.
func timeouts(question time.Duration) pinned.Timeouts {
	return pinned.Timeouts{
		Connect: min(question/4, 5*time.Second),
		Read:    min(question/4, time.Minute),
		Call:    question,
		Passed: func(t pinned.Timeout) error {
			if t.Err != nil {
				return fmt.Errorf("%w, %v: %w", t.Rule, t.After, t.Err)
			}
			return fmt.Errorf("%w, %v", t.Rule, t.After)
		},
	}
}

// newClient keeps of the application's HTTP client what is the owner's to say. plain:
// an endpoint is plain http.
func newClient(owner aws.HTTPClient, plain bool, question time.Duration, faults *refusal.Faults) (*pinned.Client, *http.Transport) {
	t, conns := timeouts(question), new(pinned.Connections)
	transport := pinned.Transport(pinned.Owner{Client: owner, Plain: plain}, t, conns, faults)
	return &pinned.Client{RoundTripper: transport, Connections: conns, Timeouts: t}, transport
}
