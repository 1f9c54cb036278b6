package securebedrock

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// checkEndpoint refuses an endpoint of the application's making that Options do not
// name: a client of a VPC endpoint would call the public host without a word.
func (s *settings) checkEndpoint(whose string, theirs bedrockruntime.Options) error {
	if s.place != (Endpoint{}) || isGuarded(theirs) {
		return nil
	}
	if theirs.Region == "" {
		theirs.Region = s.region
	}
	ours, err := endpointOf(bedrockruntime.Options{Region: theirs.Region})
	if err != nil || !regions.Valid(theirs.Region) {
		return nil //nolint:nilerr // the region is another fault's
	}
	switch called, err := endpointOf(theirs); {
	case err != nil:
		return refusal.Fault("Endpoint", "it is empty, which means %s, and what the %s calls cannot be told: its endpoint resolver: %w", ours, whose, err)
	case called != ours:
		return refusal.Fault("Endpoint", "it is empty, which means %s, and the endpoint of the %s is %s; give the one to call in Endpoint.URL", ours, whose, called)
	}
	return nil
}

// endpointOf asks a client's own resolver, as the SDK would.
func endpointOf(o bedrockruntime.Options) (string, error) {
	if r := o.EndpointResolver; !foreign.IsNil(r) { //nolint:staticcheck // the SDK still heeds it
		e, err := r.ResolveEndpoint(o.Region, o.EndpointOptions)
		var missing *aws.EndpointNotFoundError
		switch {
		case err == nil:
			return plainURL(e.URL), nil
		case !errors.As(err, &missing):
			return "", err
		}
	}
	resolver := o.EndpointResolverV2
	if foreign.IsNil(resolver) {
		resolver = bedrockruntime.NewDefaultEndpointResolverV2()
	}
	e, err := resolver.ResolveEndpoint(context.Background(), bedrockruntime.EndpointParameters{
		Region:       &o.Region,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		Endpoint:     o.BaseEndpoint,
	})
	if err != nil {
		return "", err
	}
	return plainURL(e.URI.String()), nil
}

// publicEndpoint is the public host of a variant in a region; empty where there is none.
func publicEndpoint(region string, variant Endpoint) string {
	o := bedrockruntime.Options{Region: region}
	if variant.FIPS {
		o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if variant.DualStack {
		o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	e, err := endpointOf(o)
	if err != nil {
		return ""
	}
	return e
}

// plainURL is a URL without what could be a secret, and in one spelling.
func plainURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "(no URL)"
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host + strings.TrimSuffix(u.EscapedPath(), "/")
}

// ownWord is cfg without the endpoints of the environment and of the shared
// configuration, which move no call, and what endpoint they name.
func ownWord(cfg aws.Config) (own aws.Config, elsewhere string) {
	var kept []any
	base, set := "", false // of the environment, and in code
	for _, source := range cfg.ConfigSources {
		var said string
		switch s := source.(type) {
		case config.EnvConfig:
			said = s.BaseEndpoint
		case config.SharedConfig:
			said = s.BaseEndpoint
		default:
			if l, ok := source.(config.LoadOptions); ok {
				set = set || l.BaseEndpoint != ""
			}
			kept = append(kept, source)
			continue
		}
		if base == "" {
			base = said
		}
		if s, ok := source.(interface {
			GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
		}); ok && elsewhere == "" {
			elsewhere, _, _ = s.GetServiceBaseEndpoint(context.Background(), bedrockruntime.ServiceID)
		}
	}
	if !set && base != "" && aws.ToString(cfg.BaseEndpoint) == base {
		cfg.BaseEndpoint = nil
		if elsewhere == "" {
			elsewhere = base
		}
	}
	if elsewhere != "" {
		elsewhere = plainURL(elsewhere)
	}
	cfg.ConfigSources = kept
	cfg.ServiceOptions = slices.DeleteFunc(slices.Clone(cfg.ServiceOptions), func(f func(string, any)) bool { return f == nil })
	if foreign.IsNil(cfg.HTTPClient) {
		cfg.HTTPClient = nil
	}
	if foreign.IsNil(cfg.Credentials) {
		cfg.Credentials = nil // build names them
	}
	if foreign.IsNil(cfg.Logger) {
		cfg.Logger = nil
	}
	return cfg, elsewhere
}

// variantElsewhere is the variant of the public endpoint, FIPS or dual stack, that the
// environment or the shared configuration asks for, and the application does not.
func variantElsewhere(sources []any) (e Endpoint) {
	fips, dual := false, false // somebody has said
	for _, source := range sources {
		said := false
		switch source.(type) {
		case config.EnvConfig, config.SharedConfig:
			said = true
		}
		if s, ok := source.(interface {
			GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error)
		}); ok && !fips {
			var state aws.FIPSEndpointState
			state, fips, _ = s.GetUseFIPSEndpoint(context.Background())
			e.FIPS = said && state == aws.FIPSEndpointStateEnabled
		}
		if s, ok := source.(interface {
			GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error)
		}); ok && !dual {
			var state aws.DualStackEndpointState
			state, dual, _ = s.GetUseDualStackEndpoint(context.Background())
			e.DualStack = said && state == aws.DualStackEndpointStateEnabled
		}
	}
	return e
}

// fromSSO reports whether a configuration's bearer tokens are those of its SSO
// session, which the SDK offers to every service, and not a Bedrock API key.
func fromSSO(cfg aws.Config) bool {
	sso := false
	for _, source := range cfg.ConfigSources {
		switch s := source.(type) {
		case config.SharedConfig:
			sso = sso || s.SSOSession != nil
		case config.LoadOptions:
			if s.BearerAuthTokenProvider != nil {
				return false
			}
		}
	}
	return sso
}
