package securebedrock

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// build assembles a Client from checked settings and from the SDK options that the
// application's configuration or client amounts to. faults are those that the
// constructor has found.
func build(theirs bedrockruntime.Options, s settings, faults ...error) (*Client, error) {
	if err := checkUnguarded(theirs); err != nil {
		return nil, errors.Join(append(faults, err)...)
	}
	withoutNil(&theirs)
	conns := &pinned.Connections{Killed: clientClosed}
	transport, transportFaults := newTransport(theirs.HTTPClient, s.place, s.timeouts, conns)
	if err := errors.Join(append(faults, checkCredentials(s.role, theirs.Credentials), transportFaults)...); err != nil {
		return nil, err
	}
	do := &pinned.Client{RoundTripper: transport, Connections: conns, Timeouts: s.timeouts.pinned(), Costs: true}
	credentials, err := s.newCredentials(theirs.Credentials, do, theirs.Logger)
	if err != nil {
		return nil, err
	}
	g := newGuard(s, &theirs, do)
	c := &Client{g: g, credentials: credentials, doer: do, retryer: newRetryer(s.retry, s.timeouts.Call),
		signer: v4.NewSigner(func(o *v4.SignerOptions) {
			o.Logger, o.LogSigning = theirs.Logger, theirs.ClientLogMode.IsSigning()
		})}
	c.closeIdle = func() { closeAll(c, transport) }
	makeRefusing(c, &s)
	c.installer = newInstaller(g, newOutermost(theirs.TracerProvider))
	c.installer.retry = newRetryStep(c, &theirs)
	c.installer.spare = func(ctx context.Context) middleware.DeserializeMiddleware { return eventStreamStepOf(ctx, c.inner) }
	if g.chain, err = composeMiddleware(s.middleware, sender(g)); err != nil {
		c.closeIdle()
		return nil, err
	}
	makeInner(c, &theirs)
	c.lockOnly = slices.Clip([]func(*bedrockruntime.Options){c.lock})
	if apiKeyIsSet() {
		g.warn(apiKey + " is set and is not used; calls are signed with SigV4")
	}
	return c, nil
}

// newGuard makes what the steps of the stack share, but for the chain.
func newGuard(s settings, theirs *bedrockruntime.Options, do *pinned.Client) *guard {
	g := &guard{settings: s, logger: theirs.Logger, events: newEventCodec()}
	g.watched = len(theirs.APIOptions) > 0 || intercepts(theirs.Interceptors)
	g.traced = traces(theirs.TracerProvider)
	proven := s.guardrail
	proven.Verify = proven.Verify && s.unguarded == ""
	g.answers = &answerReader{trace: guardrailTrace{pinned: proven, home: g.home}, events: g.events}
	g.streams.patience = s.timeouts.Read
	if g.streams.patience <= 0 {
		g.streams.patience = defaultReadTimeout
	}
	meter := func(h *smithyhttp.ClientHandler) { h.Meter = theirs.MeterProvider.Meter(meterName) }
	free := *do
	free.Costs = false
	g.transport = smithyhttp.NewClientHandlerWithOptions(do, meter)
	g.duplexed = smithyhttp.NewClientHandlerWithOptions(duplexClient{do}, meter)
	g.free = smithyhttp.NewClientHandlerWithOptions(&free, meter)
	return g
}

// makeRefusing makes what refuses a call outside of the guard: each of the SDK's options
// without which no call is sent.
func makeRefusing(c *Client, s *settings) {
	c.outside.answer = func(ctx context.Context) error { return refuseOutsideGuard(ctx, c.inner) }
	c.protocol = &protocol{eventCodec: c.g.events, outside: c.outside}
	c.auth = &guardedAuth{pinned.NewSigV4[bedrockruntime.AuthResolverParameters](signingName, s.region, signsAsOthers), c.outside}
	c.host = &guardedHost{pinned.NewResolver[bedrockruntime.EndpointParameters](s.endpoint), c.outside}
	c.credentials.outside = c.outside
}

const meterName = "github.com/securebedrock/securebedrock-go"

// newRetryStep makes the SDK's retry loop over the Client's own retryer.
func newRetryStep(c *Client, theirs *bedrockruntime.Options) retryStep {
	return retryStep{retry.NewAttemptMiddleware(c.retryer, smithyhttp.RequestCloner, func(m *retry.Attempt) {
		m.LogAttempts = theirs.ClientLogMode.IsRetries()
		m.OperationMeter = theirs.MeterProvider.Meter(meterName)
		m.ClientSkew = new(atomic.Int64)
		m.DisableClockSkewCorrection = theirs.DisableClockSkewCorrection
	}), c.credentials.renew}
}

// newOutermost keeps the application's TracerProvider, or one that does nothing.
func newOutermost(theirs tracing.TracerProvider) *outermost {
	if theirs == nil {
		theirs = &tracing.NopTracerProvider{}
	}
	return &outermost{TracerProvider: theirs}
}

// traces reports whether a TracerProvider wants the SDK's own context.
func traces(p tracing.TracerProvider) bool {
	_, none := p.(*tracing.NopTracerProvider)
	return p != nil && !none
}

// makeInner makes the SDK clients, with what is the application's to say.
func makeInner(c *Client, theirs *bedrockruntime.Options) {
	kept := bedrockruntime.Options{
		Region:                     c.g.region,
		APIOptions:                 theirs.APIOptions,
		Interceptors:               theirs.Interceptors,
		AppID:                      theirs.AppID,
		ClientLogMode:              theirs.ClientLogMode,
		DisableClockSkewCorrection: theirs.DisableClockSkewCorrection,
		IdempotencyTokenProvider:   theirs.IdempotencyTokenProvider,
		Logger:                     theirs.Logger,
		MeterProvider:              theirs.MeterProvider,
		TracerProvider:             theirs.TracerProvider,
		HTTPClient:                 pinned.Refusing{Refuse: c.outside.roundTheGate},
	}
	c.inner = bedrockruntime.New(kept, func(o *bedrockruntime.Options) {
		o.APIOptions = slices.Clone(theirs.APIOptions)
		c.pin(o)
	})
	c.runtime = bedrockruntime.New(kept, c.open)
	c.schemes = slices.Clone(c.inner.Options().AuthSchemes) // per-call options can write into the client's own
}

// closeAll ends what the Client holds, once the calls in flight are over.
func closeAll(c *Client, transport *http.Transport) {
	c.retryer.Close()
	transport.CloseIdleConnections()
	c.doer.Connections.Close()
	if c.credentials.session != nil {
		c.credentials.session.Close()
	}
}

// signsAsOthers reports whether a call shares the SDK's signing options with others:
// it has no steps or options of the application's, which could write into them.
func signsAsOthers(ctx context.Context) bool {
	ex := exchangeOf(ctx)
	return ex != nil && !ex.watched
}
