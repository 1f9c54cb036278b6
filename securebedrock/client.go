package securebedrock

import (
	"context"
	"slices"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/modelretry"
	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// Client is bedrockruntime.Client with the Options enforced. It has every operation
// with the SDK's own signature. It is safe for concurrent use. Make one Client and keep
// it: it holds the credentials, the connections and what it has learnt about each
// model's throttling.
type Client struct {
	g           *guard
	installer   *installer
	inner       *bedrockruntime.Client // behind the methods, which install the guard last
	runtime     *bedrockruntime.Client // behind Runtime, with the guard in its options
	schemes     []smithyhttp.AuthScheme
	signer      *v4.Signer
	retryer     *modelretry.Retryer
	outside     outside
	auth        *guardedAuth
	host        *guardedHost
	protocol    *protocol
	credentials *sealedCredentials
	doer        *pinned.Client
	closeIdle   func()
	lockOnly    []func(*bedrockruntime.Options) // lock, for calls without options; nobody writes to it
}

// pin sets everything that the application's options must not decide.
func (c *Client) pin(o *bedrockruntime.Options) {
	g := c.g
	o.Region = g.region
	o.BaseEndpoint = nil
	o.EndpointOptions = bedrockruntime.EndpointResolverOptions{}
	o.EndpointResolver = nil //nolint:staticcheck // cleared, not used
	o.EndpointResolverV2 = c.host
	o.Credentials = c.credentials
	o.HTTPClient = pinned.Refusing{Refuse: c.outside.roundTheGate}
	o.AuthSchemeResolver = c.auth
	o.AuthSchemes = c.schemes // nil at construction, where the SDK makes them
	o.AuthSchemePreference = nil
	o.BearerAuthTokenProvider = nil
	o.HTTPSignerV4 = c.signer
	o.Protocol = c.protocol
	o.Retryer, o.RetryMode, o.RetryMaxAttempts = c.retryer, "", 0
}

// locked returns the caller's own options, followed by the guard and the pinned
// settings, in a new slice.
func (c *Client) locked(optFns []func(*bedrockruntime.Options)) []func(*bedrockruntime.Options) {
	if len(optFns) == 0 {
		return c.lockOnly
	}
	all := make([]func(*bedrockruntime.Options), 0, len(optFns)+1)
	for _, f := range optFns {
		if f != nil {
			all = append(all, f)
		}
	}
	if len(all) > 0 {
		return append(all, c.lockWatched)
	}
	return append(all, c.lock)
}

func (c *Client) lock(o *bedrockruntime.Options) {
	o.APIOptions = append(slices.Clip(o.APIOptions), c.installer.whole)
	c.pin(o)
}

func (c *Client) lockWatched(o *bedrockruntime.Options) {
	o.APIOptions = append(slices.Clip(o.APIOptions), c.installer.installWatched)
	c.pin(o)
}

// Runtime returns the guarded SDK client itself, for a library that needs a concrete
// *bedrockruntime.Client. The same guard is part of that client's own options. A
// per-call option that removes the guard makes the call fail; the call does not go
// unguarded.
func (c *Client) Runtime() *bedrockruntime.Client { return c.runtime }

// Shutdown refuses new calls, waits until the calls in flight are over and every OnDone
// has received their Outcomes, and closes the client. Open streams are calls in flight.
// So are the calls that a Middleware makes within a call. Call Shutdown before you
// close what the records go to:
//
//	err := errors.Join(client.Shutdown(ctx), chain.Close())
//
// If ctx ends first, Shutdown closes the client, ends the calls in flight with an
// error, waits up to one more second for their Outcomes, and returns ctx's error. A
// call that something outside of this package holds, such as a waiting Middleware, can
// outlast that second.
//
// Shutdown may be called more than once, concurrently, and before or after Close.
// Within a Middleware, an OnDone or an OnEvent, Shutdown would wait for its own call.
// There it does nothing and returns an ErrConfig. Call it from another goroutine.
func (c *Client) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return noContext("Shutdown")
	}
	if withinCall() {
		return &PolicyError{Rule: ErrConfig, Operation: "Shutdown", Detail: "it was called within a call, for whose end it would wait; call it from another goroutine"}
	}
	idle := c.g.calls.close()
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		select {
		case <-idle: // both at once
		default:
			err = context.Cause(ctx)
		}
	}
	_ = c.Close()
	if err == nil {
		return nil
	}
	c.doer.Connections.Kill()
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-idle:
	case <-grace.C:
	}
	return err
}

// Close refuses further calls, ends the open streams with an error, and ends the waits
// of calls that are not sent yet. It closes the connections once the calls in flight
// are over. Readers have one second to receive the stream's error before the stream is
// closed. Close does not wait, so Outcomes may come after it; Shutdown waits for them.
// Close always returns nil. It may be called more than once.
func (c *Client) Close() error {
	c.g.closed.Store(true)
	c.g.calls.close()
	c.g.streams.cancelAll()
	c.closeIdle()
	return nil
}
