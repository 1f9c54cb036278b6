package securebedrock

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/internal/session"
)

// New returns a Client on the default AWS configuration: environment, shared files,
// container and instance roles. The environment supplies credentials, a proxy and a
// certificate bundle. It cannot change anything that Options says.
//
// Nor can the environment change where credentials are requested:
//
//   - STS: the endpoint of Options.Region.
//   - IAM Identity Center (SSO): the public endpoints of the profile's sso_region.
//   - aws login: the endpoint of Options.Region.
//   - A metadata service: a loopback address, or the addresses of EC2, ECS and EKS.
//
// New needs no network. The first call fetches the credentials.
//
// The error joins all faults of opts. Each fault wraps ErrConfig.
func New(ctx context.Context, opts Options) (*Client, error) {
	if ctx == nil {
		return nil, noContext("New")
	}
	s, err := settle(opts)
	if err != nil {
		return nil, err
	}
	gate := &session.Gate{Place: s.stsPlace()}
	chain := []func(*config.LoadOptions) error{
		config.WithRegion(s.region),
		config.WithDefaultsMode(aws.DefaultsModeStandard), // "auto" would ask the instance's metadata service
		config.WithAPIOptions([]func(*middleware.Stack) error{gate.Install}),
	}
	cfg, err := config.LoadDefaultConfig(ctx, chain...)
	if err != nil {
		return nil, fmt.Errorf("%w: the default AWS configuration cannot be loaded: %w", ErrConfig, named(err, "New", ""))
	}
	cfg.APIOptions = nil // Bedrock's calls have a gate of their own
	cfg.Credentials = session.NewChain(cfg.Credentials, func(ctx context.Context) (aws.CredentialsProvider, error) {
		fresh, err := config.LoadDefaultConfig(ctx, chain...)
		return fresh.Credentials, err
	})
	c, err := fromConfig(cfg, s, nil)
	if err != nil {
		return nil, err
	}
	gate.Client, gate.Local = c.doer, pinned.NewLocal(c.doer.Connections)
	return c, nil
}

// NewFromConfig returns a Client on the application's own AWS configuration. The error
// joins all faults of cfg and opts.
//
// NewFromConfig takes from cfg the credentials, the logger, the application's own API
// options and interceptors, tracing and metering. From cfg.HTTPClient it takes the root
// CAs, the client certificates, the proxy, the dialer, the setting that disables
// HTTP/2, and settings that tighten TLS. Region, endpoints, retries, timeouts and
// authentication are those of opts, whatever cfg says.
//
// Settings that would loosen TLS are refused: InsecureSkipVerify, KeyLogWriter, an
// insecure cipher suite and others. A dialer together with a plain http Endpoint.URL is
// refused. An HTTPClient must be an *awshttp.BuildableClient or an *http.Client over an
// *http.Transport. Any other is refused, since what it does with a request is unknown.
//
// An endpoint that the application itself has put into cfg (BaseEndpoint, an endpoint
// resolver, FIPS or dual stack in code, ServiceOptions) is a fault unless opts.Endpoint
// names one. An endpoint of the environment or of the shared configuration is not used.
// cfg's logger receives a warning about it.
//
// Keys that cfg has read from a shared credentials file do not change. Only a Client of
// New reads a rewritten file again.
func NewFromConfig(cfg aws.Config, opts Options) (*Client, error) {
	s, err := settle(opts)
	return fromConfig(cfg, s, err)
}

// fromConfig makes a Client on a configuration. faults are those of the Options.
func fromConfig(cfg aws.Config, s settings, faults error) (*Client, error) {
	own, elsewhere := ownWord(cfg)
	o := bedrockruntime.NewFromConfig(own).Options()
	if o.Credentials == nil {
		o.Credentials = cfg.Credentials // the SDK drops anonymous ones, which are refused here by name
	}
	c, err := build(o, s, s.checkEndpoint("configuration", o), faults)
	if err != nil {
		return nil, err
	}
	if variant := variantElsewhere(cfg.ConfigSources); elsewhere == "" && variant != (Endpoint{}) {
		elsewhere = publicEndpoint(s.region, variant)
	}
	if ours := plainURL(c.g.endpoint.String()); elsewhere != "" && elsewhere != ours {
		c.g.warn("the endpoint %s of the environment or of the shared configuration is not used; calls go to %s", elsewhere, ours)
	}
	if !foreign.IsNil(cfg.BearerAuthTokenProvider) && !fromSSO(cfg) && !apiKeyIsSet() {
		c.g.warn("the configuration's bearer token provider is not used; calls are signed with SigV4, and " + apiKey + " would not be used either")
	}
	return c, nil
}

// Wrap returns a Client on a client that the application has. Wrap takes from c what
// NewFromConfig takes from a configuration. Where Options.Region is empty, it also
// takes c's region. It does not take c's retryer or endpoint. An endpoint other than
// the public one of its region is a fault, whoever has set it, unless Options.Endpoint
// names the endpoint to call. c itself does not change and stays unguarded. The error
// joins all faults.
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
		region = refusal.Fault("Region", "it is %s and the wrapped client's is %s; leave it empty to take the client's", opts.Region, o.Region)
	}
	s, err := settle(opts)
	return build(o, s, region, s.checkEndpoint("wrapped client", o), err)
}
