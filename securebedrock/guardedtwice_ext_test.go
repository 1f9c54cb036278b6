package securebedrock_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// What is made of Config cannot be guarded again, whichever part of the guard is left
// in it, and the error is one fault that says so.
func TestConfigIsNotGuardedTwice(t *testing.T) {
	someoneElse := credentials.NewStaticCredentialsProvider("AKIDOFSOMEONEELSE", "secret", "")
	for _, row := range []struct {
		name   string
		config func(cfg *aws.Config)
		option func(o *sdkOptions)
	}{
		{name: "as it is"},
		{name: "with other credentials", config: func(cfg *aws.Config) { cfg.Credentials = someoneElse }},
		{name: "with cached credentials", config: func(cfg *aws.Config) { cfg.Credentials = aws.NewCredentialsCache(cfg.Credentials) }},
		{name: "without ServiceOptions", config: func(cfg *aws.Config) { cfg.ServiceOptions = nil }},
		{name: "without ServiceOptions and HTTP client", config: func(cfg *aws.Config) { cfg.ServiceOptions, cfg.HTTPClient = nil, nil }},
		{name: "without ServiceOptions and credentials", config: func(cfg *aws.Config) { cfg.ServiceOptions, cfg.Credentials = nil, someoneElse }},
		{name: "a client with other credentials and another HTTP client", option: func(o *sdkOptions) { o.Credentials, o.HTTPClient = someoneElse, nil }},
		{name: "a client with the protocol, credentials and HTTP client replaced", option: func(o *sdkOptions) { o.Protocol, o.Credentials, o.HTTPClient = nil, someoneElse, nil }},
		{name: "a client with the protocol alone left", option: func(o *sdkOptions) {
			o.Credentials, o.HTTPClient, o.AuthSchemeResolver, o.EndpointResolverV2 = someoneElse, nil, anonymous{}, bedrockruntime.NewDefaultEndpointResolverV2()
		}},
		{name: "a client with the scheme alone left", option: func(o *sdkOptions) {
			o.Protocol, o.Credentials, o.HTTPClient, o.EndpointResolverV2 = nil, someoneElse, nil, bedrockruntime.NewDefaultEndpointResolverV2()
		}},
		{name: "a client with the endpoint alone left", option: func(o *sdkOptions) {
			o.Protocol, o.Credentials, o.HTTPClient, o.AuthSchemeResolver = nil, someoneElse, nil, anonymous{}
		}},
	} {
		for _, role := range []bool{true, false} { // whose STS client needs no credentials of the configuration
			for _, endpoint := range []bool{true, false} {
				t.Run(row.name, func(t *testing.T) {
					server := bedrocktest.NewServer(t)
					c := newClient(t, server)
					opts := server.Options()
					if !role {
						opts.Role = nil
					}
					if !endpoint {
						opts.Endpoint = securebedrock.Endpoint{}
					}
					cfg := c.Config()
					if row.config != nil {
						row.config(&cfg)
					}
					check := func(how string, err error) {
						t.Helper()
						if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "guarded already") || strings.Contains(err.Error(), "HTTPClient") || strings.Contains(err.Error(), "Endpoint") {
							t.Errorf("%s: %v", how, err)
						}
					}
					if row.option == nil {
						_, err := securebedrock.NewFromConfig(cfg, opts)
						check("NewFromConfig", err)
					}
					_, err := securebedrock.Wrap(bedrockruntime.NewFromConfig(cfg, func(o *sdkOptions) {
						if row.option != nil {
							row.option(o)
						}
					}), opts)
					check("Wrap", err)
				})
			}
		}
	}
}

// Where nothing but the API options is left of the first guard, the second client
// refuses each call.
func TestTwoGuardsSendNothing(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	theirs := server.Config()
	theirs.APIOptions = bedrockruntime.NewFromConfig(c.Config()).Options().APIOptions
	twice, err := securebedrock.NewFromConfig(theirs, server.Options())
	if err != nil {
		t.Fatal(err)
	}
	defer twice.Close()
	if _, err := twice.Converse(t.Context(), converse("a secret")); err == nil {
		t.Error("the call went through")
	}
	nothingArrived(t, server)
}
