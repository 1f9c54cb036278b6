package securebedrock

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/session"
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
	retryer     *modelRetryer
	auth        *pinned.SigV4[bedrockruntime.AuthResolverParameters]
	host        *pinned.Resolver[bedrockruntime.EndpointParameters]
	protocol    *protocol
	credentials *sealedCredentials
	doer        *pinned.Client
	closeIdle   func()
}

// New returns a Client on the default AWS configuration: environment, shared
// files, container and instance roles. The environment supplies credentials, a
// proxy and a certificate bundle, and can change nothing that Options says, nor
// where credentials are asked for: STS at the endpoint of Options.Region, IAM
// Identity Center (SSO) at the public endpoints of the profile's sso_region, aws
// login at that of Options.Region, and a metadata service at a loopback address or
// at the addresses of EC2, ECS and EKS. New needs no network: credentials are
// fetched with the first call.
//
// It reports every fault of opts at once, each wrapping ErrConfig.
func New(ctx context.Context, opts Options) (*Client, error) {
	if ctx == nil {
		return nil, noContext("New")
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	gate := &session.Gate{Place: stsPlace(opts.Region, opts.Endpoint)}
	chain := []func(*config.LoadOptions) error{
		config.WithRegion(opts.Region),
		config.WithDefaultsMode(aws.DefaultsModeStandard), // "auto" would ask the instance's metadata service
		config.WithAPIOptions([]func(*middleware.Stack) error{gate.Install}),
	}
	cfg, err := config.LoadDefaultConfig(ctx, chain...)
	if err != nil {
		return nil, fmt.Errorf("%w: the default AWS configuration cannot be loaded: %w", ErrConfig, err)
	}
	cfg.APIOptions = nil // Bedrock's calls have a gate of their own
	cfg.Credentials = session.NewChain(cfg.Credentials, func(ctx context.Context) (aws.CredentialsProvider, error) {
		fresh, err := config.LoadDefaultConfig(ctx, chain...)
		return fresh.Credentials, err
	})
	c, err := NewFromConfig(cfg, opts)
	if err != nil {
		return nil, err
	}
	gate.Client, gate.Local = c.doer, pinned.NewLocal(c.doer.Connections)
	return c, nil
}

// NewFromConfig returns a Client on a configuration that the application has.
// Of cfg it takes the credentials, the logger, the application's own API options
// and interceptors, tracing and metering, and from cfg.HTTPClient the root CAs,
// client certificates, proxy, dialer, HTTP/2 switched off, and what tightens TLS.
// Region, endpoints, retries, timeouts and authentication are those of opts
// whatever cfg says. What would loosen TLS is refused (InsecureSkipVerify,
// KeyLogWriter, an insecure cipher suite and others), and so is a dialer beside a
// plain http Endpoint.URL. An HTTPClient other than
// an *awshttp.BuildableClient or an *http.Client over an *http.Transport is
// refused, since what it does with a request cannot be known.
//
// An endpoint that the application itself has put into cfg (BaseEndpoint, an
// endpoint resolver, FIPS or dual stack in code, ServiceOptions) is a fault unless
// opts.Endpoint names one. An endpoint of the environment or of the shared
// configuration is not used; cfg's logger is told so.
//
// Keys that cfg has read from a shared credentials file stay what they are: a file
// that is rewritten is read again by a Client of New alone.
func NewFromConfig(cfg aws.Config, opts Options) (*Client, error) {
	own, elsewhere := ownWord(cfg)
	o := bedrockruntime.NewFromConfig(own).Options()
	if o.Credentials == nil {
		o.Credentials = cfg.Credentials // the SDK drops anonymous ones, which are refused here by name
	}
	c, err := build(o, opts, opts.checkEndpoint("configuration", o))
	if err != nil {
		return nil, err
	}
	if variant := variantElsewhere(cfg.ConfigSources); elsewhere == "" && variant != (Endpoint{}) {
		if e, err := newEndpoint(opts.Region, variant); err == nil {
			elsewhere = plainURL(e.String())
		}
	}
	if ours := plainURL(c.g.endpoint.String()); elsewhere != "" && elsewhere != ours {
		c.g.warn("the endpoint %s of the environment or of the shared configuration is not used; calls go to %s", elsewhere, ours)
	}
	if !isNil(cfg.BearerAuthTokenProvider) && !fromSSO(cfg) && !apiKeyIsSet() {
		c.g.warn("the configuration's bearer token provider is not used; calls are signed with SigV4, and " + apiKey + " would not be used either")
	}
	return c, nil
}

// Wrap returns a Client on a client that the application has. It takes what
// NewFromConfig takes from a configuration, and the region where Options.Region
// is empty. It does not take the client's retryer and endpoint: an endpoint that is
// not the public one of its region, whoever has set it, is a fault unless
// Options.Endpoint names the one to call. c itself stays as it was, unguarded.
func Wrap(c *bedrockruntime.Client, opts Options) (*Client, error) {
	if c == nil {
		return nil, fmt.Errorf("%w: the client to wrap is nil", ErrConfig)
	}
	o := c.Options()
	var region error
	switch {
	case opts.Region == "":
		opts.Region = o.Region
	case o.Region != "" && o.Region != opts.Region:
		region = fmt.Errorf("%w: Region: it is %s and the wrapped client's is %s; leave it empty to take the client's", ErrConfig, opts.Region, o.Region)
	}
	return build(o, opts, region, opts.checkEndpoint("wrapped client", o))
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
	o.APIOptions = append(slices.Clip(o.APIOptions), c.installer.install)
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
