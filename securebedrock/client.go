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

// Client is bedrockruntime.Client with the Options enforced. It has every
// operation with the SDK's own signature. It is safe for concurrent use, and is
// best made once: it holds the credentials, the connections and what was learnt
// about each model's throttling.
type Client struct {
	g           *guard
	installer   *installer
	inner       *bedrockruntime.Client // behind the methods, which install the guard last
	runtime     *bedrockruntime.Client // behind Runtime, with the guard in its options
	schemes     []smithyhttp.AuthScheme
	signer      *v4.Signer
	retryer     *modelretry.Retryer
	auth        *pinned.SigV4[bedrockruntime.AuthResolverParameters]
	host        *pinned.Resolver[bedrockruntime.EndpointParameters]
	protocol    *protocol
	credentials *sealedCredentials
	doer        *pinned.Client
	closeIdle   func()
	lockOnly    []func(*bedrockruntime.Options) // lock, for calls without options; nobody writes to it
}

// pin sets what no option of the application's may decide.
func (c *Client) pin(o *bedrockruntime.Options) {
	g := c.g
	o.Region = g.region
	o.BaseEndpoint = nil
	o.EndpointOptions = bedrockruntime.EndpointResolverOptions{}
	//lint:ignore SA1019 cleared, not used
	o.EndpointResolver = nil //nolint:staticcheck // cleared, not used
	o.EndpointResolverV2 = c.host
	o.Credentials = c.credentials
	o.HTTPClient = pinned.Refusing{Refuse: roundTheGate}
	o.AuthSchemeResolver = c.auth
	o.AuthSchemes = c.schemes // nil at construction, where the SDK makes them
	o.AuthSchemePreference = nil
	o.BearerAuthTokenProvider = nil
	o.HTTPSignerV4 = c.signer
	o.Protocol = c.protocol
	o.Retryer, o.RetryMode, o.RetryMaxAttempts = c.retryer, "", 0
}

// locked puts the pinned settings and the guard after the caller's own options,
// in a slice of its own.
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

// Runtime is the guarded SDK client itself, for a library that wants a concrete
// *bedrockruntime.Client. The same guard stands in its own options. A per-call
// option that takes it out makes the call fail, and not go unguarded.
func (c *Client) Runtime() *bedrockruntime.Client { return c.runtime }

// Shutdown ends the client in order: it refuses new calls, waits until those in
// flight are over and every OnDone has had their Outcomes, and closes the client.
// Streams that are open are calls in flight, and so is what a Middleware calls
// within one. Call it before what the records go to is closed:
//
//	err := errors.Join(client.Shutdown(ctx), chain.Close())
//
// Where ctx ends first, Shutdown closes the client, ends the calls in flight with
// an error, waits for their Outcomes for up to a second more, and returns ctx's
// error. A call that something outside of this package holds, such as a Middleware
// that waits, can outlast that.
//
// Shutdown may be called more than once and at once, before and after Close. In a
// Middleware, an OnDone or an OnEvent it would wait for the call that it is in: it
// does nothing there and returns an ErrConfig. Call it from a goroutine of its own.
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

// Close ends the open streams with an error, ends the waits of calls that are yet to
// be sent, ends the connections as soon as the calls in flight are over, and refuses
// further calls. Who reads a stream has a
// second to come to its error; then the stream is closed. Close does not wait, so
// that Outcomes may come after it: see Shutdown. It always returns nil, and may be
// called more than once.
func (c *Client) Close() error {
	c.g.closed.Store(true)
	c.g.calls.close()
	c.g.streams.cancelAll()
	c.closeIdle()
	return nil
}
