package profiles

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrockagent"
	"github.com/aws/smithy-go/logging"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Resolver is a securebedrock.ProfileResolver over GetInferenceProfile,
// GetPromptRouter and GetPrompt. It is safe for concurrent use. Make one and keep it: the
// Resolver holds the answers.
type Resolver struct {
	region    string
	partition string
	system    time.Duration // how long answers are used
	own       time.Duration
	client    *bedrock.Client
	agent     *bedrockagent.Client // nil: no host is known to ask
	transport *http.Transport
	cache     cache
}

var _ securebedrock.ProfileResolver = (*Resolver)(nil)

// New returns a Resolver. Of cfg it takes the credentials, the logger, the log mode and
// the application's identifier. Of cfg.HTTPClient it takes the root CAs, client
// certificates, proxy, dialer, HTTP/2 switched off, and what tightens TLS. An HTTP client
// that cannot be looked into, or that loosens TLS, is refused. Region, endpoint, retries,
// timeouts and authentication are the Resolver's own, and the application's API options
// and interceptors are not run. New needs no network.
//
// New reports every fault at once, each wrapping securebedrock.ErrConfig.
func New(cfg aws.Config, opts Options) (*Resolver, error) {
	faults := refusal.Faults{Scope: "profiles: "}
	opts.check(&faults)
	opts = opts.withDefaults()
	endpoint := endpointOf("Endpoint", controlPlane(), opts.Region, opts.Endpoint, &faults)
	agentAt := opts.AgentEndpoint
	if agentAt == (securebedrock.Endpoint{}) {
		agentAt = opts.Endpoint
	}
	// A URL is of one service: prompts are not asked for at the other's.
	askAgent := opts.Endpoint.URL == "" || opts.AgentEndpoint != (securebedrock.Endpoint{})
	var agentEndpoint pinned.Endpoint
	if askAgent {
		agentEndpoint = endpointOf("AgentEndpoint", agents(), opts.Region, agentAt, &faults)
	}
	pinned.CheckCredentials(cfg.Credentials, "", &faults)
	client, transport := newClient(cfg.HTTPClient, pinned.Plain(opts.Endpoint.URL) || pinned.Plain(opts.AgentEndpoint.URL), opts.Timeout, &faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if foreign.IsNil(cfg.Logger) {
		cfg.Logger = logging.Nop{}
	}
	r := &Resolver{region: opts.Region, system: opts.SystemTTL, own: opts.ApplicationTTL, transport: transport}
	r.partition = regions.PartitionOf(opts.Region)
	r.cache = cache{ask: r.ask, timeout: opts.Timeout, limit: opts.MaxEntries}
	signer := v4.NewSigner(func(s *v4.SignerOptions) {
		s.Logger, s.LogSigning = cfg.Logger, cfg.ClientLogMode.IsSigning()
	})
	retryer := retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = 3
		s.MaxBackoff = 500 * time.Millisecond
		s.RateLimiter = ratelimit.None // one flight a profile is limit enough
	})
	credentials := pinned.NotedCredentials{CredentialsProvider: cfg.Credentials}
	r.client = bedrock.New(bedrock.Options{
		Region:        opts.Region,
		AppID:         cfg.AppID,
		ClientLogMode: cfg.ClientLogMode,
		Logger:        cfg.Logger,
	}, func(o *bedrock.Options) {
		// New has read AWS_BEARER_TOKEN_BEDROCK by now.
		o.APIOptions = nil
		o.AuthSchemePreference = nil
		o.BearerAuthTokenProvider = nil
		o.AuthSchemeResolver = pinned.NewSigV4[bedrock.AuthResolverParameters](signingName, opts.Region, nil)
		o.Credentials = credentials
		o.EndpointResolverV2 = pinned.NewResolver[bedrock.EndpointParameters](endpoint)
		o.HTTPSignerV4 = signer
		o.HTTPClient = &gate{client, endpoint, opts.Region}
		o.Retryer = retryer
	})
	if !askAgent {
		return r, nil
	}
	r.agent = bedrockagent.New(bedrockagent.Options{
		Region:        opts.Region,
		AppID:         cfg.AppID,
		ClientLogMode: cfg.ClientLogMode,
		Logger:        cfg.Logger,
	}, func(o *bedrockagent.Options) {
		o.APIOptions = nil
		o.AuthSchemePreference = nil
		o.AuthSchemeResolver = pinned.NewSigV4[bedrockagent.AuthResolverParameters](signingName, opts.Region, nil)
		o.Credentials = credentials
		o.EndpointResolverV2 = pinned.NewResolver[bedrockagent.EndpointParameters](agentEndpoint)
		o.HTTPSignerV4 = signer
		o.HTTPClient = &gate{client, agentEndpoint, opts.Region}
		o.Retryer = retryer
	})
	return r, nil
}

// Destinations implements securebedrock.ProfileResolver, for inference profiles,
// prompt routers and managed prompts. The first question for a profile goes to the
// control plane, and all who ask meanwhile wait for the answer. Later questions are
// answered from memory until the answer expires. A caller whose context ends stops
// waiting and fails no other.
//
// The errors name the profile and wrap securebedrock.ErrModel, ErrRegion, ErrRedirect,
// ErrEndpoint, ErrAuth, ErrAnswerSize, ErrConnectTimeout, ErrReadTimeout or the SDK's own
// error, such as *types.AccessDeniedException.
func (r *Resolver) Destinations(ctx context.Context, profile, region string) ([]string, error) {
	if region != r.region {
		return nil, fmt.Errorf("profiles: %w: the call is made in %s and the resolver asks in %s", securebedrock.ErrRegion, region, r.region)
	}
	m, err := r.parse(profile)
	if err != nil {
		return nil, err
	}
	switch m.Kind {
	case securebedrock.KindInferenceProfile, securebedrock.KindApplicationProfile, securebedrock.KindUnknown,
		securebedrock.KindPromptRouter, securebedrock.KindPrompt:
	default:
		return nil, fmt.Errorf("profiles: %w: %s is a %s, which runs in its own region", securebedrock.ErrModel, profile, m.Kind)
	}
	list, err := r.cache.get(ctx, profile)
	if err != nil {
		return nil, fmt.Errorf("profiles: where %s runs is not known: %w", profile, err)
	}
	return list, nil
}

// Close ends the idle connections. It always returns nil. A Resolver that is used again
// after Close dials anew.
func (r *Resolver) Close() error {
	r.transport.CloseIdleConnections()
	return nil
}

// parse admits identifiers that Bedrock can be asked about, in the pinned region.
// An ID whose first word is not known here is asked for as an inference profile.
func (r *Resolver) parse(profile string) (securebedrock.Model, error) {
	m, err := securebedrock.ParseModel(profile)
	if err != nil {
		return m, fmt.Errorf("profiles: %w", err)
	}
	if a, ok := regions.ParseARN(profile); ok && (a.Region != r.region || a.Partition != r.partition) {
		return m, fmt.Errorf("profiles: %w: the ARN is of %s in %s and the resolver asks in %s", securebedrock.ErrRegion, a.Region, a.Partition, r.region)
	}
	return m, nil
}

// ask puts one question to the control plane.
func (r *Resolver) ask(ctx context.Context, profile string) ([]string, time.Duration, error) {
	ctx = pinned.WithNote(ctx)
	m, err := r.parse(profile)
	if err != nil {
		return nil, 0, err
	}
	switch m.Kind {
	case securebedrock.KindPromptRouter:
		return r.askRouter(ctx, m)
	case securebedrock.KindPrompt:
		return r.askPrompt(ctx, m)
	}
	return r.askProfile(ctx, m)
}

// askProfile asks about an inference profile.
func (r *Resolver) askProfile(ctx context.Context, m securebedrock.Model) ([]string, time.Duration, error) {
	if m.Kind == securebedrock.KindUnknown {
		m.Kind = securebedrock.KindInferenceProfile
		m.Prefix, _, _ = strings.Cut(m.ID, ".")
	}
	out, err := r.client.GetInferenceProfile(ctx, &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: &m.ID})
	if err != nil {
		return nil, 0, err
	}
	list, err := destinations(m, r.region, out)
	if err != nil {
		return nil, 0, unusable(err)
	}
	if m.Kind == securebedrock.KindApplicationProfile {
		return list, r.own, nil
	}
	return list, r.system, nil
}
