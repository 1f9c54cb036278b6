package securebedrock_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"
	smithyauth "github.com/aws/smithy-go/auth"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A host of AWS's own passes as Bedrock Runtime of Region, in its own partition,
// or as a VPC endpoint of it, and as nothing else.
func TestHostsOfAWS(t *testing.T) {
	for _, row := range []struct {
		region, host string
		ok           bool
	}{
		{"eu-west-1", "bedrock-runtime.eu-west-1.amazonaws.com", true},
		{"eu-west-1", "bedrock-runtime.eu-west-1.api.aws", true},
		{"eu-west-1", "vpce-0a1b-2c3d.bedrock-runtime.eu-west-1.vpce.amazonaws.com", true},
		{"eu-west-1", "vpce-0a1b-2c3d-eu-west-1b.bedrock-runtime.eu-west-1.vpce.amazonaws.com", true},
		{"us-gov-west-1", "vpce-0a1b-2c3d.bedrock-runtime-fips.us-gov-west-1.vpce.amazonaws.com", true},
		{"eusc-de-east-1", "bedrock-runtime.eusc-de-east-1.amazonaws.eu", true},
		{"us-iso-east-1", "bedrock-runtime.us-iso-east-1.c2s.ic.gov", true},
		{"eu-west-1", "bedrock.example.com", true},

		{"eu-west-1", "bedrock-runtime.eu-west-1.evil.us-east-1.amazonaws.com", false},
		{"eu-west-1", "eu-west-1.bedrock-runtime.us-east-1.amazonaws.com", false},
		{"eu-west-1", "BEDROCK-RUNTIME.US-EAST-1.AMAZONAWS.COM.", false},
		{"eu-west-1", "vpce-0a.bedrock-agent-runtime.eu-west-1.vpce.amazonaws.com", false},
		{"eu-west-1", "vpce-0a.bedrock-runtime.us-east-1.vpce.amazonaws.com", false},
		{"eu-west-1", "bedrock-runtime.eusc-de-east-1.amazonaws.eu", false},
		{"eusc-de-east-1", "bedrock.eusc-de-east-1.amazonaws.eu", false},
		{"eusc-de-east-1", "bedrock-runtime.eusc-de-west-1.amazonaws.eu", false},
		{"us-iso-east-1", "bedrock-runtime.us-iso-west-1.c2s.ic.gov", false},
		{"us-iso-east-1", "sts.us-iso-east-1.c2s.ic.gov", false},
		{"us-isob-east-1", "bedrock-runtime.us-isob-west-1.sc2s.sgov.gov", false},
		{"eu-isoe-west-1", "bedrock.eu-isoe-west-1.cloud.adc-e.uk", false},
		{"us-isof-south-1", "bedrock-runtime.us-isof-east-1.csp.hci.ic.gov", false},
		{"cn-north-1", "bedrock-runtime.cn-north-1.amazonaws.com", false},
		{"cn-north-1", "bedrock-runtime.cn-northwest-1.api.amazonwebservices.com.cn", false},
		{"eu-west-1", "bedrock-runtime.us-east-1.amazonaws。com", false}, // net/http makes dots of these
		{"eu-west-1", "bedrock-runtime．us-east-1．amazonaws．com", false},
	} {
		o := goodOptions()
		o.Region, o.Guardrail.ID = row.region, "abc123"
		o.Endpoint.URL = "https://" + row.host
		c, err := securebedrock.NewFromConfig(goodConfig(), o)
		if err == nil {
			c.Close()
		}
		if row.ok != (err == nil) || err != nil && (!errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), ": Endpoint: ")) {
			t.Errorf("%s in %s: %v", row.host, row.region, err)
		}
	}
}

// A region that the partition table does not know, a pseudo-region, and a label
// that would make another host are faults of the Options.
func TestRegionOfNoPartition(t *testing.T) {
	for _, region := range []string{"us-east-1.bedrock-runtime.eu-west-1", "fips-us-east-1", "us-east-1-fips", "aws-global", "us-gov-fips-1", "xx-east-1",
		"bedrock-runtime-us-1", "us-east-1a", "US-EAST-1", "us-iso-global"} {
		for _, url := range []string{"", "https://bedrock.example.com"} {
			o := goodOptions()
			o.Region, o.Endpoint.URL = region, url
			if _, err := securebedrock.NewFromConfig(goodConfig(), o); !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), ": Region: ") {
				t.Errorf("%s: %v", region, err)
			}
		}
	}
}

// signsElsewhere is an endpoint that says how to sign.
type signsElsewhere struct{ url string }

func (e signsElsewhere) ResolveEndpoint(context.Context, bedrockruntime.EndpointParameters) (smithyendpoints.Endpoint, error) {
	var props smithy.Properties
	smithyhttp.SetSigV4SigningRegion(&props, "eu-west-1")
	there := smithyendpoints.Endpoint{URI: mustParse(e.url)}
	smithyauth.SetAuthOptions(&there.Properties, []*smithyauth.Option{{SchemeID: smithyauth.SchemeIDSigV4, SignerProperties: props}})
	return there, nil
}

// What one call's step or option says about signing ends with the call.
func TestSigningOfOneCallIsItsOwn(t *testing.T) {
	inContext := func(f func(context.Context) context.Context) func(*sdkOptions) {
		return func(o *sdkOptions) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Build.Add(middleware.BuildMiddlewareFunc("signing", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
					return next.HandleBuild(f(ctx), in)
				}), middleware.After)
			})
		}
	}
	for name, change := range map[string]func(*sdkOptions){
		"the region in the context": inContext(func(ctx context.Context) context.Context {
			return awsmiddleware.SetSigningRegion(ctx, "eu-west-1") //nolint:staticcheck // the SDK still heeds it
		}),
		"the name in the context": inContext(func(ctx context.Context) context.Context {
			return awsmiddleware.SetSigningName(ctx, "sts") //nolint:staticcheck // the SDK still heeds it
		}),
		"the endpoint's resolver": func(o *sdkOptions) { o.EndpointResolverV2 = signsElsewhere{"https://elsewhere.example.com"} },
		"the resolver's options": func(o *sdkOptions) {
			resolver := o.AuthSchemeResolver
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("options", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
					// The resolver answers within a call alone.
					opts, err := resolver.ResolveAuthSchemes(ctx, &bedrockruntime.AuthResolverParameters{})
					if err != nil || len(opts) != 1 {
						t.Error(opts, err)
						return next.HandleFinalize(ctx, in)
					}
					smithyhttp.SetSigV4SigningRegion(&opts[0].SignerProperties, "eu-west-1")
					opts[0] = nil
					return next.HandleFinalize(ctx, in)
				}), middleware.After)
			})
		},
		"the schemes": func(o *sdkOptions) {
			for i := range o.AuthSchemes {
				o.AuthSchemes[i] = smithyhttp.NewAnonymousScheme()
			}
		},
	} {
		for _, side := range []string{"Client", "Runtime"} {
			if side == "Runtime" && name == "the schemes" {
				continue // the list is the SDK's own there, which copies it for no call
			}
			t.Run(name+", "+side, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				c := newClient(t, server, excuseAll)
				sides := map[string]any{"Client": c, "Runtime": c.Runtime()}
				for _, operation := range []string{"Converse", "ConverseStream", "ApplyGuardrail"} {
					_ = invoke(t.Context(), sides[side], operation, anInput()[operation], change) // refused or not, by other tests' word
				}
				for again, client := range sides {
					if err := invoke(t.Context(), client, "Converse", converse("hello")); err != nil && (again == "Client" || name != "the schemes") {
						t.Errorf("the next call, of %s: %v", again, err)
					}
				}
			})
		}
	}
}

func TestEndpointWithAPath(t *testing.T) {
	var path atomic.Value
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { path.Store(r.URL.Path); unproven(w, r) }))
	defer srv.Close()
	if err := dialled(t, srv, srv.Client(), func(o *opts) { o.Endpoint.URL = srv.URL + "/gateway/" }); err != nil {
		t.Fatal(err)
	}
	if got := path.Load(); got != "/gateway/model/"+haiku+"/converse" {
		t.Errorf("called %v", got)
	}
}

// endpoint of another region
func TestEndpointOfAnotherRegion(t *testing.T) {
	for _, url := range []string{"https://bedrock-runtime.eu-west-1.amazonaws.com", "https://vpce-0a-b.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "https://bedrock-agent-runtime.us-east-1.amazonaws.com", "https://s3.us-east-1.amazonaws.com"} {
		_, err := securebedrock.NewFromConfig(aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")},
			opts{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"}, Endpoint: securebedrock.Endpoint{URL: url}})
		if !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// Without an Endpoint the host is the region's own, of its partition.
func TestRegionalHosts(t *testing.T) {
	proxy := newConnectProxy(t)
	for _, row := range []struct {
		region   string
		endpoint securebedrock.Endpoint
		want     string
	}{
		{"eu-central-1", securebedrock.Endpoint{}, "bedrock-runtime.eu-central-1.amazonaws.com:443"},
		{"us-east-1", securebedrock.Endpoint{FIPS: true}, "bedrock-runtime-fips.us-east-1.amazonaws.com:443"},
		{"us-east-1", securebedrock.Endpoint{DualStack: true}, "bedrock-runtime.us-east-1.api.aws:443"},
		{"us-gov-west-1", securebedrock.Endpoint{}, "bedrock-runtime.us-gov-west-1.amazonaws.com:443"},
		{"cn-north-1", securebedrock.Endpoint{}, "bedrock-runtime.cn-north-1.amazonaws.com.cn:443"},
		{"us-iso-east-1", securebedrock.Endpoint{}, "bedrock-runtime.us-iso-east-1.c2s.ic.gov:443"},
		{"eu-central-1", securebedrock.Endpoint{URL: "https://vpce.example:8443/base"}, "vpce.example:8443"},
	} {
		cfg := goodConfig()
		cfg.HTTPClient = proxy.client()
		o := goodOptions()
		o.Region, o.Endpoint, o.Retry.MaxAttempts = row.region, row.endpoint, 1
		c, err := securebedrock.NewFromConfig(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Converse(t.Context(), converse("a secret")); err == nil {
			t.Error("the call went out")
		}
		c.Close()
		if got := proxy.asked(); !slices.Equal(got, []string{row.want}) {
			t.Errorf("%s %+v: asked for %v, want %s", row.region, row.endpoint, got, row.want)
		}
	}
}

func TestPublicHosts(t *testing.T) {
	for _, row := range []struct {
		e    securebedrock.Endpoint
		want string
	}{
		{securebedrock.Endpoint{FIPS: true}, "bedrock-runtime-fips.us-east-1.amazonaws.com:443"},
		{securebedrock.Endpoint{DualStack: true}, "bedrock-runtime.us-east-1.api.aws:443"},
		{securebedrock.Endpoint{FIPS: true, DualStack: true}, "bedrock-runtime-fips.us-east-1.api.aws:443"},
	} {
		proxy := newConnectProxy(t)
		c, err := securebedrock.NewFromConfig(aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), HTTPClient: proxy.client()},
			opts{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"}, Endpoint: row.e, Retry: securebedrock.Retry{MaxAttempts: 1}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, _ = c.Converse(ctx, converse("a secret"))
		cancel()
		c.Close()
		if got := proxy.asked(); len(got) != 1 || got[0] != row.want {
			t.Errorf("asked for %v, want %s", got, row.want)
		}
	}
}
