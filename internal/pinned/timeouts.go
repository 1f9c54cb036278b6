package pinned

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Timeouts bound connections and exchanges. Zero is no bound.
type Timeouts struct {
	Connect time.Duration // the dial and, apart from it, the TLS handshake
	Read    time.Duration // an exchange without a byte received or sent
	Call    time.Duration // a whole call; here only the pings follow it

	// Passed makes the error of a bound that has passed. It is required where
	// Connect or Read is set.
	Passed func(Timeout) error
}

// Timeout says which bound has passed.
type Timeout struct {
	Rule  error // refusal.ConnectTimeout or refusal.ReadTimeout
	After time.Duration
	Err   error // what the timeout ended; may be nil
	Sent  bool  // the request was wholly sent, and doing the work twice costs twice
}

// Connecting puts the timeout in the place of the error that net.Dialer and
// http.Transport return for a dial or a handshake that took too long. Other errors
// are returned as they are.
func (t *Timeouts) Connecting(ctx context.Context, err error) error {
	var timeout net.Error
	if t.Passed == nil || ctx.Err() != nil || !errors.As(err, &timeout) || !timeout.Timeout() {
		return err
	}
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "read" || op.Op == "write") { // the connection existed
		return err
	}
	return t.Passed(Timeout{Rule: refusal.ConnectTimeout, After: t.Connect, Err: err})
}

// pings returns when HTTP/2 asks a silent connection for a sign of life, and how
// long the transport waits for the answer. Both together are shorter than the
// timeouts. So a dead connection fails with all its exchanges before a silent model
// does.
func (t *Timeouts) pings() (after, timeout time.Duration) {
	after, timeout = 15*time.Second, 15*time.Second
	for _, bound := range [...]time.Duration{t.Read, t.Call} {
		if bound > 0 {
			after, timeout = min(after, bound/4), min(timeout, bound*5/8)
		}
	}
	return after, timeout
}
