package profiles

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Resolver is a securebedrock.ProfileResolver over GetInferenceProfile. It is
// safe for concurrent use, and is best made once: it holds the answers.
type Resolver struct {
	region    string
	system    time.Duration // how long answers are used
	own       time.Duration
	client    *bedrock.Client
	transport *http.Transport
	cache     cache
}

var _ securebedrock.ProfileResolver = (*Resolver)(nil)

// New returns a Resolver. Of cfg it takes the credentials, the logger, the log
// mode and the application's identifier, and from cfg.HTTPClient the root CAs,
// client certificates and proxy; an HTTP client that cannot be looked into is
// refused. Region, endpoint, retries and authentication are its own, and the
// application's API options and interceptors are not run. New needs no network.
//
// It reports every fault at once, each wrapping securebedrock.ErrConfig.
func New(cfg aws.Config, opts Options) (*Resolver, error) {
	transport, transportErr := newTransport(cfg.HTTPClient)
	var endpoint pinnedEndpoint
	var endpointErr error
	if isRegion(opts.Region) || opts.Endpoint.URL != "" {
		endpoint, endpointErr = newEndpoint(opts.Region, opts.Endpoint)
	}
	if err := errors.Join(opts.check(), endpointErr, checkCredentials(cfg.Credentials), transportErr); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	r := &Resolver{region: opts.Region, system: opts.SystemTTL, own: opts.ApplicationTTL, transport: transport}
	r.cache = cache{ask: r.ask, timeout: opts.Timeout, limit: opts.MaxEntries}
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
		o.AuthSchemeResolver = sigV4Only{opts.Region}
		o.Credentials = cfg.Credentials
		o.EndpointResolverV2 = endpoint
		o.HTTPSignerV4 = v4.NewSigner(func(s *v4.SignerOptions) {
			s.Logger, s.LogSigning = cfg.Logger, cfg.ClientLogMode.IsSigning()
		})
		o.HTTPClient = &gate{rt: transport, pinned: endpoint.endpoint.URI, region: opts.Region}
		o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
			s.MaxAttempts = 3
			s.MaxBackoff = 500 * time.Millisecond
			s.RateLimiter = ratelimit.None // one flight a profile is limit enough
			s.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(refusalsAreFinal)}, s.Retryables...)
		})
	})
	return r, nil
}

// Destinations implements securebedrock.ProfileResolver. The first question for
// a profile goes to the control plane, and all who ask meanwhile wait for its
// answer; later ones are answered from memory until the answer expires. A caller
// whose context ends stops waiting and fails no other.
//
// The errors name the profile and wrap securebedrock.ErrModel, ErrRegion,
// ErrRedirect, ErrAuth or the SDK's own error, such as
// *types.AccessDeniedException.
func (r *Resolver) Destinations(ctx context.Context, profile, region string) ([]string, error) {
	if region != r.region {
		return nil, fmt.Errorf("profiles: %w: the call is made in %s and the resolver asks in %s", securebedrock.ErrRegion, region, r.region)
	}
	if _, err := r.parse(profile); err != nil {
		return nil, err
	}
	regions, err := r.cache.get(ctx, profile)
	if err != nil {
		return nil, fmt.Errorf("profiles: where %s runs is not known: %w", profile, err)
	}
	return regions, nil
}

// Close ends the idle connections. It always returns nil. A Resolver that is
// used again after it dials anew.
func (r *Resolver) Close() error {
	r.transport.CloseIdleConnections()
	return nil
}

// parse admits the identifiers of inference profiles, in the pinned region.
func (r *Resolver) parse(profile string) (securebedrock.Model, error) {
	m, err := securebedrock.ParseModel(profile)
	switch {
	case err != nil:
		return m, fmt.Errorf("profiles: %w", err)
	case m.Kind != securebedrock.KindInferenceProfile && m.Kind != securebedrock.KindApplicationProfile:
		return m, fmt.Errorf("profiles: %w: %s is a %s and no inference profile", securebedrock.ErrModel, profile, m.Kind)
	case m.Region != "" && m.Region != r.region:
		return m, fmt.Errorf("profiles: %w: the ARN is of %s and the resolver asks in %s", securebedrock.ErrRegion, m.Region, r.region)
	}
	return m, nil
}

// ask puts one question to the control plane.
func (r *Resolver) ask(ctx context.Context, profile string) ([]string, time.Duration, error) {
	m, err := r.parse(profile)
	if err != nil {
		return nil, 0, err
	}
	out, err := r.client.GetInferenceProfile(ctx, &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: &profile})
	if err != nil {
		return nil, 0, err
	}
	regions, err := destinations(m, r.region, out)
	if err != nil {
		return nil, 0, fmt.Errorf("the control plane's answer cannot be used: %w", err)
	}
	if m.Kind == securebedrock.KindApplicationProfile {
		return regions, r.own, nil
	}
	return regions, r.system, nil
}
