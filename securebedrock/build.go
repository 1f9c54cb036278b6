package securebedrock

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/metrics"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// build makes a Client from the SDK options that the application's settings
// amount to. faults are those that the constructor has found before.
func build(theirs bedrockruntime.Options, opts Options, faults ...error) (*Client, error) {
	opts = opts.clone()
	withoutNil(&theirs)
	timeouts := opts.Timeouts.withDefaults()
	conns := &pinned.Connections{Killed: clientClosed}
	transport, transportErr := newTransport(theirs.HTTPClient, opts.Endpoint, timeouts, conns)
	faults = append(faults, opts.check(), opts.checkCredentials(theirs.Credentials), transportErr)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	endpoint, err := newEndpoint(opts.Region, opts.Endpoint)
	if err != nil {
		return nil, err
	}
	do := &pinned.Client{RoundTripper: transport, Connections: conns, Timeouts: timeouts.pinned(), Costs: true}
	credentials := &sealedCredentials{inner: theirs.Credentials, region: opts.Region}
	if r := opts.Role; r != nil {
		credentials.role = r.ARN
		if credentials.session, err = r.session(opts.Region, opts.Endpoint, theirs.Credentials, do, theirs.Logger); err != nil {
			return nil, err
		}
	}
	guardrail := opts.Guardrail
	if opts.Unguarded == "" {
		if guardrail.Trace == "" {
			guardrail.Trace = types.GuardrailTraceEnabled
		}
		if guardrail.Stream == "" {
			guardrail.Stream = types.GuardrailStreamProcessingModeSync
		}
	}
	maxTokens := opts.MaxTokens
	if maxTokens == 0 {
		maxTokens = defaultMaxTokens
	}
	retryer := newRetryer(opts.Retry)
	g := &guard{
		region:    opts.Region,
		residency: opts.Residency,
		anywhere:  slices.Contains(opts.Residency, regions.Anywhere),
		guardrail: guardrail,
		unguarded: opts.Unguarded,
		excused:   opts.UnguardedOperations,
		models:    opts.Models,
		accounts:  opts.accounts(),
		maxTokens: maxTokens,
		profiles:  opts.Profiles,
		timeouts:  timeouts,
		rules:     rules(),
		hasMW:     len(opts.Middleware) > 0,
		endpoint:  endpoint,
		events:    newEventCodec(),
		logger:    theirs.Logger,
	}
	if r := opts.Role; r != nil {
		g.roleARN, g.sessionName = r.ARN, r.sessionName()
	}
	out := &outermost{TracerProvider: theirs.TracerProvider}
	if theirs.TracerProvider == nil {
		out.TracerProvider = &tracing.NopTracerProvider{}
	}
	proven := guardrail
	proven.Verify = proven.Verify && opts.Unguarded == ""
	g.answers = &answerReader{trace: guardrailTrace{pinned: proven, home: g.home}, events: g.events}
	g.streams.patience = timeouts.Read
	if timeouts.Read <= 0 {
		g.streams.patience = defaultReadTimeout
	}
	in := newInstaller(g, out)
	c := &Client{g: g, installer: in, credentials: credentials, doer: do, retryer: retryer,
		auth: pinned.NewSigV4[bedrockruntime.AuthResolverParameters](signingName, opts.Region, signsAsOthers),
		host: pinned.NewResolver[bedrockruntime.EndpointParameters](endpoint), signer: v4.NewSigner(func(o *v4.SignerOptions) {
			o.Logger, o.LogSigning = theirs.Logger, theirs.ClientLogMode.IsSigning()
		})}
	c.closeIdle = func() {
		retryer.close()
		transport.CloseIdleConnections()
		conns.Close()
		if credentials.session != nil {
			credentials.session.Close()
		}
	}
	c.protocol = &protocol{eventCodec: g.events}
	c.protocol.outside = func(ctx context.Context) error { return refuseOutsideGuard(ctx, c.inner) }
	meter := func(h *smithyhttp.ClientHandler) {
		h.Meter = theirs.MeterProvider.Meter("github.com/securebedrock/securebedrock-go")
	}
	g.transport = smithyhttp.NewClientHandlerWithOptions(do, meter)
	g.duplexed = smithyhttp.NewClientHandlerWithOptions(duplexClient{do}, meter)
	g.free = smithyhttp.NewClientHandlerWithOptions(&pinned.Client{RoundTripper: transport, Connections: conns, Timeouts: timeouts.pinned()}, meter)
	if _, none := out.TracerProvider.(*tracing.NopTracerProvider); !none {
		g.traced = true
	}
	in.retry = retryStep{retry.NewAttemptMiddleware(c.retryer, smithyhttp.RequestCloner, func(m *retry.Attempt) {
		m.LogAttempts = theirs.ClientLogMode.IsRetries()
		m.OperationMeter = theirs.MeterProvider.Meter("github.com/securebedrock/securebedrock-go")
		m.ClientSkew = new(atomic.Int64)
		m.DisableClockSkewCorrection = theirs.DisableClockSkewCorrection
	}), credentials.renew}
	g.watched = len(theirs.APIOptions) > 0 || intercepts(theirs.Interceptors)
	if g.chain, err = chain(opts.Middleware, sender(g)); err != nil {
		c.closeIdle()
		return nil, err
	}

	kept := bedrockruntime.Options{
		Region:                     opts.Region,
		APIOptions:                 theirs.APIOptions,
		Interceptors:               theirs.Interceptors,
		AppID:                      theirs.AppID,
		ClientLogMode:              theirs.ClientLogMode,
		DisableClockSkewCorrection: theirs.DisableClockSkewCorrection,
		IdempotencyTokenProvider:   theirs.IdempotencyTokenProvider,
		Logger:                     theirs.Logger,
		MeterProvider:              theirs.MeterProvider,
		TracerProvider:             theirs.TracerProvider,
		HTTPClient:                 pinned.Refusing{Refuse: roundTheGate},
	}
	c.inner = bedrockruntime.New(kept, func(o *bedrockruntime.Options) {
		o.APIOptions = slices.Clone(theirs.APIOptions)
		c.pin(o)
	})
	c.runtime = bedrockruntime.New(kept, func(o *bedrockruntime.Options) {
		o.APIOptions = append(slices.Clone(theirs.APIOptions), in.installOpen)
		o.TracerProvider = out
		c.pin(o)
	})
	c.schemes = slices.Clone(c.inner.Options().AuthSchemes) // per-call options can write into the client's own
	g.logger = theirs.Logger
	if apiKeyIsSet() {
		g.warn(apiKey + " is set and is not used; calls are signed with SigV4")
	}
	return c, nil
}

// signsAsOthers reports whether a call shares the SDK's signing options with others:
// it has no steps or options of the application's, which could write into them.
func signsAsOthers(ctx context.Context) bool {
	ex := exchangeOf(ctx)
	return ex != nil && !ex.watched
}

// intercepts reports whether there is an interceptor of any kind. The SDK's options
// hold empty lists where there is none.
func intercepts(r smithyhttp.InterceptorRegistry) bool {
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		if v.Field(i).Len() > 0 {
			return true
		}
	}
	return false
}

// defaultMaxTokens bounds an answer whose caller set no bound.
const defaultMaxTokens = 1024

func (g *guard) warn(format string, args ...any) {
	g.logger.Logf(logging.Warn, "securebedrock: "+format, args...)
}

// withoutNil takes out what would panic at its first use.
func withoutNil(o *bedrockruntime.Options) {
	if isNil(o.Logger) {
		o.Logger = logging.Nop{}
	}
	if isNil(o.MeterProvider) {
		o.MeterProvider = metrics.NopMeterProvider{}
	}
	if isNil(o.TracerProvider) {
		o.TracerProvider = nil // the SDK has its own
	}
	if isNil(o.IdempotencyTokenProvider) {
		o.IdempotencyTokenProvider = nil
	}
	o.APIOptions = slices.DeleteFunc(slices.Clone(o.APIOptions), func(f func(*middleware.Stack) error) bool { return f == nil })
}
