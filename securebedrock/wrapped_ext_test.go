package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/auth/bearer"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/metrics"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const vpce = "https://vpce-0a1b2c.bedrock-runtime.eu-central-1.vpce.amazonaws.com"

type resolvesTo string

func (r resolvesTo) ResolveEndpoint(context.Context, bedrockruntime.EndpointParameters) (smithyendpoints.Endpoint, error) {
	u, err := url.Parse(string(r))
	return smithyendpoints.Endpoint{URI: *u}, err
}

// An endpoint of the application's own making is never dropped in silence.
func TestEndpointIsNotDropped(t *testing.T) {
	sdk := func(f func(*sdkOptions)) func(*aws.Config) {
		return func(cfg *aws.Config) {
			cfg.ServiceOptions = append(cfg.ServiceOptions, func(_ string, o any) {
				if o, ok := o.(*sdkOptions); ok {
					f(o)
				}
			})
		}
	}
	for _, row := range []struct {
		name   string
		change func(*aws.Config)
		theirs string // that the error names; empty: no error
	}{
		{"none", func(*aws.Config) {}, ""},
		{"BaseEndpoint", func(cfg *aws.Config) { cfg.BaseEndpoint = aws.String(vpce) }, vpce},
		{"BaseEndpoint with a password", func(cfg *aws.Config) {
			cfg.BaseEndpoint = aws.String("https://me:hunter2@bedrock.internal/base?x=hunter2")
		}, "https://bedrock.internal/base"},
		{"BaseEndpoint that is the public one", func(cfg *aws.Config) {
			cfg.BaseEndpoint = aws.String("https://Bedrock-Runtime.eu-central-1.amazonaws.com:443/")
		}, ""},
		{"the client's own BaseEndpoint", sdk(func(o *sdkOptions) { o.BaseEndpoint = aws.String(vpce) }), vpce},
		{"EndpointResolverV2", sdk(func(o *sdkOptions) { o.EndpointResolverV2 = resolvesTo(vpce) }), vpce},
		{"EndpointResolver", sdk(func(o *sdkOptions) {
			o.EndpointResolver = bedrockruntime.EndpointResolverFromURL(vpce) //nolint:staticcheck // deprecated, and still in use
		}), vpce},
		{"a configuration's resolver", func(cfg *aws.Config) {
			cfg.EndpointResolverWithOptions = aws.EndpointResolverWithOptionsFunc(func(string, string, ...any) (aws.Endpoint, error) { //nolint:staticcheck // deprecated, and still in use
				return aws.Endpoint{URL: vpce}, nil //nolint:staticcheck // deprecated, and still in use
			})
		}, vpce},
		{"a configuration's resolver that knows other services", func(cfg *aws.Config) {
			cfg.EndpointResolverWithOptions = aws.EndpointResolverWithOptionsFunc(func(string, string, ...any) (aws.Endpoint, error) { //nolint:staticcheck // deprecated, and still in use
				return aws.Endpoint{}, &aws.EndpointNotFoundError{} //nolint:staticcheck // deprecated, and still in use
			})
		}, ""},
		{"FIPS", sdk(func(o *sdkOptions) { o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled }), "https://bedrock-runtime-fips.eu-central-1.amazonaws.com"},
		{"dual stack", sdk(func(o *sdkOptions) { o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled }), "https://bedrock-runtime.eu-central-1.api.aws"},
	} {
		for _, side := range []struct {
			name string
			make func(aws.Config, opts) (*client, error)
		}{
			{"NewFromConfig", securebedrock.NewFromConfig},
			{"Wrap", func(cfg aws.Config, o opts) (*client, error) {
				return securebedrock.Wrap(bedrockruntime.NewFromConfig(cfg), o)
			}},
		} {
			t.Run(row.name+"/"+side.name, func(t *testing.T) {
				cfg := goodConfig()
				row.change(&cfg)
				o := goodOptions()
				c, err := side.make(cfg, o)
				switch {
				case row.theirs == "" && err != nil:
					t.Fatal(err)
				case row.theirs == "":
					c.Close()
				case !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), ": Endpoint: ") || !strings.Contains(err.Error(), row.theirs+";") ||
					!strings.Contains(err.Error(), "https://bedrock-runtime.eu-central-1.amazonaws.com") || strings.Contains(err.Error(), "hunter2"):
					t.Errorf("got %v, want a fault that names both", err)
				}
				o.Endpoint.URL = vpce // now the Options say one
				if c, err = side.make(cfg, o); err != nil {
					t.Fatal(err)
				}
				c.Close()
			})
		}
	}
}

// The environment's endpoint is no word of the application's: it is told of, and
// moves nothing.
func TestEndpointOfTheEnvironmentIsLogged(t *testing.T) {
	none := t.TempDir() + "/none"
	services := t.TempDir() + "/config"
	if err := os.WriteFile(services, []byte("[default]\nservices = all\n[services all]\nbedrock_runtime =\n  endpoint_url = https://bedrock.internal\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, variable, file string }{
		{"for everything", "AWS_ENDPOINT_URL", none},
		{"for Bedrock Runtime", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", none},
		{"in the shared configuration", "X", services},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(row.variable, "https://bedrock.internal")
			t.Setenv("AWS_CONFIG_FILE", row.file)
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			log := new(logged)
			cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("eu-central-1"), config.WithLogger(log))
			if err != nil {
				t.Fatal(err)
			}
			c, err := securebedrock.NewFromConfig(cfg, goodOptions())
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if strings.Count(log.String(), "https://bedrock.internal") != 1 {
				t.Errorf("the log says %q", log.String())
			}
			// What the application itself has said counts, whatever the environment says.
			if cfg, err = config.LoadDefaultConfig(t.Context(), config.WithRegion("eu-central-1"), config.WithBaseEndpoint(vpce)); err != nil {
				t.Fatal(err)
			}
			if _, err = securebedrock.NewFromConfig(cfg, goodOptions()); !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), vpce) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// So is a variant of the public endpoint that only the environment asks for.
func TestVariantOfTheEnvironmentIsLogged(t *testing.T) {
	file := t.TempDir() + "/config"
	if err := os.WriteFile(file, []byte("[default]\nuse_fips_endpoint = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const fips, dual = "https://bedrock-runtime-fips.us-east-1.amazonaws.com", "https://bedrock-runtime.us-east-1.api.aws"
	for name, row := range map[string]struct {
		variable, file string
		endpoint       securebedrock.Endpoint
		load           func(*config.LoadOptions) error
		told           string
	}{
		"FIPS":                         {"AWS_USE_FIPS_ENDPOINT", "none", securebedrock.Endpoint{}, nil, fips},
		"dual stack":                   {"AWS_USE_DUALSTACK_ENDPOINT", "none", securebedrock.Endpoint{}, nil, dual},
		"FIPS in a profile":            {"X", file, securebedrock.Endpoint{}, nil, fips},
		"FIPS, which the Options name": {"AWS_USE_FIPS_ENDPOINT", "none", securebedrock.Endpoint{FIPS: true}, nil, ""},
		"FIPS, switched off in code":   {"AWS_USE_FIPS_ENDPOINT", "none", securebedrock.Endpoint{}, config.WithUseFIPSEndpoint(aws.FIPSEndpointStateDisabled), ""},
		"neither":                      {"X", "none", securebedrock.Endpoint{}, nil, ""},
		"both":                         {"AWS_USE_DUALSTACK_ENDPOINT", file, securebedrock.Endpoint{}, nil, "https://bedrock-runtime-fips.us-east-1.api.aws"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(row.variable, "true")
			t.Setenv("AWS_CONFIG_FILE", row.file)
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			log := new(logged)
			load := []func(*config.LoadOptions) error{config.WithRegion("us-east-1"), config.WithLogger(log)}
			if row.load != nil {
				load = append(load, row.load)
			}
			cfg, err := config.LoadDefaultConfig(t.Context(), load...)
			if err != nil {
				t.Fatal(err)
			}
			o := goodOptions()
			o.Region, o.Residency, o.Endpoint = "us-east-1", nil, row.endpoint
			c, err := securebedrock.NewFromConfig(cfg, o)
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if text := log.String(); row.told == "" && text != "" || !strings.Contains(text, row.told) {
				t.Errorf("the log says %q", text)
			}
		})
	}
}

// A guarded client cannot be wrapped again, and the error says what it is.
func TestGuardedAlready(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	_, err := securebedrock.Wrap(c.Runtime(), server.Options())
	if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "guarded already") || strings.Contains(err.Error(), "refusingClient") {
		t.Errorf("Wrap: %v", err)
	}
	for name, provider := range map[string]aws.CredentialsProvider{
		"as they are": c.Runtime().Options().Credentials,
		"in a cache":  aws.NewCredentialsCache(c.Runtime().Options().Credentials),
	} {
		cfg, o := server.Config(), server.Options()
		cfg.Credentials, o.Role = provider, nil
		if _, err := securebedrock.NewFromConfig(cfg, o); !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "guarded already") {
			t.Errorf("credentials %s: %v", name, err)
		}
	}
}

// Who has only a Bedrock API key is told that it is not used, and nobody else is.
func TestUnusedKeyIsNamed(t *testing.T) {
	const key = "AWS_BEARER_TOKEN_BEDROCK"
	fails := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errNoKey })
	empty := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, nil })
	for _, set := range []bool{true, false} {
		t.Run(fmt.Sprintf("set %v", set), func(t *testing.T) {
			if set {
				t.Setenv(key, "bedrock-api-key-hunter2")
			}
			check := func(what string, err error) {
				t.Helper()
				if err == nil || strings.Contains(err.Error(), key) != set || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%s: %v", what, err)
				}
			}
			_, err := securebedrock.NewFromConfig(aws.Config{Region: "eu-central-1"}, goodOptions())
			check("no credentials", err)
			for what, provider := range map[string]aws.CredentialsProvider{"a chain that finds nothing": fails, "empty credentials": empty} {
				server := bedrocktest.NewServer(t)
				cfg, o := server.Config(), server.Options()
				cfg.Credentials, o.Role = provider, nil
				c, err := securebedrock.NewFromConfig(cfg, o)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				_, err = c.Converse(t.Context(), converse("a secret"))
				check(what, err)
				if what == "a chain that finds nothing" && !errors.Is(err, errNoKey) {
					t.Errorf("the chain's own error is lost: %v", err)
				}
				nothingArrived(t, server)
			}
			server := bedrocktest.NewServer(t)
			cfg, o := server.Config(), server.Options()
			cfg.Credentials = fails
			o.Role.STS = sts.NewFromConfig(cfg)
			c, err := securebedrock.NewFromConfig(cfg, o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Converse(t.Context(), converse("a secret"))
			check("a role on them", err)
			check("Warm", c.Warm(t.Context()))
		})
	}
}

var errNoKey = errors.New("no provider has a key")

// The SDK gives every service the bearer token of an SSO session, which is no
// Bedrock API key.
func TestWarningOfAnAPIKey(t *testing.T) {
	file := t.TempDir() + "/config"
	if err := os.WriteFile(file, []byte("[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n"+ssoSession), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	token := bearer.StaticTokenProvider{Token: bearer.Token{Value: "hunter2"}}
	for _, row := range []struct {
		name   string
		key    string
		option config.LoadOptionsFunc
		says   string
	}{
		{"an SSO session", "", func(*config.LoadOptions) error { return nil }, ""},
		{"an API key", "hunter2", func(*config.LoadOptions) error { return nil }, "AWS_BEARER_TOKEN_BEDROCK is set"},
		{"a token provider of the application's", "", config.WithBearerAuthTokenProvider(token), "bearer token provider is not used"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("AWS_BEARER_TOKEN_BEDROCK", row.key)
			log := new(logged)
			cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("eu-central-1"), config.WithLogger(log), row.option)
			if err != nil {
				t.Fatal(err)
			}
			if row.key == "" && cfg.BearerAuthTokenProvider == nil {
				t.Fatal("the SDK no longer offers the session's token: this test shows nothing")
			}
			c, err := securebedrock.NewFromConfig(cfg, goodOptions())
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if got := log.String(); strings.Contains(got, "hunter2") || !strings.Contains(got, row.says) || (row.says == "") != (got == "") || strings.Count(got, "\n") > 1 {
				t.Errorf("the log says %q", got)
			}
		})
	}
}

type nilSTS struct{ failingSTS }

// What is nil is refused or left out, and nothing panics.
func TestNil(t *testing.T) {
	server := bedrocktest.NewServer(t)
	for _, row := range []struct {
		name   string
		change func(*aws.Config, *opts)
		field  string // empty: the client works
	}{
		{"an STS that is a nil client", func(_ *aws.Config, o *opts) { o.Role.STS = (*sts.Client)(nil) }, "Role.STS"},
		{"an STS that is another nil pointer", func(_ *aws.Config, o *opts) { o.Role.STS = (*nilSTS)(nil) }, "Role.STS"},
		{"a Middleware that returns nil", func(_ *aws.Config, o *opts) {
			o.Middleware = []securebedrock.Middleware{func(securebedrock.Handler) securebedrock.Handler { return nil }}
		}, "Middleware"},
		{"credentials that are a nil pointer", func(cfg *aws.Config, o *opts) { cfg.Credentials, o.Role = (*aws.CredentialsCache)(nil), nil }, "Credentials"},
		{"credentials that are a nil function", func(cfg *aws.Config, o *opts) { cfg.Credentials, o.Role = aws.CredentialsProviderFunc(nil), nil }, "Credentials"},
		{"an HTTP client that is a nil pointer", func(cfg *aws.Config, o *opts) {
			cfg.HTTPClient, o.Role = (*awshttp.BuildableClient)(nil), nil
			plain := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP())
			o.Endpoint.URL = plain.URL()
		}, ""},
		{"a logger that is a nil pointer", func(cfg *aws.Config, _ *opts) {
			cfg.Logger = (*logged)(nil)
			cfg.ClientLogMode = aws.LogRequest | aws.LogSigning
		}, ""},
		{"a logger that an option makes a nil pointer", func(cfg *aws.Config, _ *opts) {
			cfg.ClientLogMode = aws.LogRequest
			cfg.ServiceOptions = append(cfg.ServiceOptions, func(_ string, o any) {
				if o, ok := o.(*sdkOptions); ok {
					o.Logger, o.MeterProvider, o.TracerProvider = (*logged)(nil), (*metrics.NopMeterProvider)(nil), (*tracing.NopTracerProvider)(nil)
				}
			})
		}, ""},
		{"nil API and service options", func(cfg *aws.Config, _ *opts) {
			cfg.APIOptions = append([]func(*middleware.Stack) error{nil}, cfg.APIOptions...)
			cfg.ServiceOptions = append(cfg.ServiceOptions, nil)
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg, o := server.Config(), server.Options()
			row.change(&cfg, &o)
			c, err := securebedrock.NewFromConfig(cfg, o)
			if row.field != "" {
				if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), ": "+row.field+": ") {
					t.Fatalf("got %v, want a fault of %s", err, row.field)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
				t.Error(err)
			}
		})
	}
}

// A nil context is an error before anything is done, from every operation.
func TestNilContext(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) { o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "test" })
	var none context.Context
	for name, call := range map[string]func() error{
		"New":            func() error { _, err := securebedrock.New(none, goodOptions()); return err },
		"Warm":           func() error { return c.Warm(none) },
		"Converse":       func() error { _, err := c.Converse(none, converse("a secret")); return err },
		"ConverseStream": func() error { _, err := c.ConverseStream(none, converseStream("a secret")); return err },
		"InvokeModelSafely": func() error {
			_, err := c.InvokeModelSafely(none, haiku, userSays("a secret"))
			return err
		},
		"InvokeModel":                        func() error { _, err := c.InvokeModel(none, nil); return err },
		"InvokeModelWithResponseStream":      func() error { _, err := c.InvokeModelWithResponseStream(none, nil); return err },
		"InvokeModelWithBidirectionalStream": func() error { _, err := c.InvokeModelWithBidirectionalStream(none, nil); return err },
		"ApplyGuardrail":                     func() error { _, err := c.ApplyGuardrail(none, nil); return err },
		"InvokeGuardrailChecks":              func() error { _, err := c.InvokeGuardrailChecks(none, nil); return err },
		"CountTokens":                        func() error { _, err := c.CountTokens(none, nil); return err },
		"StartAsyncInvoke":                   func() error { _, err := c.StartAsyncInvoke(none, startAsync()); return err },
		"GetAsyncInvoke":                     func() error { _, err := c.GetAsyncInvoke(none, nil); return err },
		"ListAsyncInvokes":                   func() error { _, err := c.ListAsyncInvokes(none, nil); return err },
	} {
		t.Run(name, func(t *testing.T) { refusedBy(t, call(), securebedrock.ErrConfig) })
	}
	if len(server.Calls()) > 0 {
		t.Errorf("the server received %d requests", len(server.Calls()))
	}
}

// A Middleware that passes on nothing gets an error, and so does the caller.
func TestMiddlewarePassesOnNil(t *testing.T) {
	server := bedrocktest.NewServer(t)
	for name, bad := range map[string]securebedrock.Middleware{
		"a nil Call": func(next securebedrock.Handler) securebedrock.Handler {
			return func(ctx context.Context, _ *securebedrock.Call) (*securebedrock.Result, error) { return next(ctx, nil) }
		},
		"a nil context": func(next securebedrock.Handler) securebedrock.Handler {
			return func(_ context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
				var none context.Context
				return next(none, call)
			}
		},
	} {
		for _, inner := range []int{0, 1} {
			t.Run(fmt.Sprint(name, inner), func(t *testing.T) {
				rec := new(recorder)
				c := newClient(t, server, rec.option, func(o *opts) {
					o.Middleware = append(o.Middleware, bad)
					if inner > 0 {
						o.Middleware = append(o.Middleware, new(recorder).middleware())
					}
				})
				_, err := c.Converse(t.Context(), converse("a secret"))
				if !errors.Is(err, securebedrock.ErrConfig) {
					t.Errorf("got %v", err)
				}
				if r := rec.one(t); !errors.Is(r.outcome.Err, securebedrock.ErrConfig) {
					t.Errorf("recorded %v", r.outcome.Err)
				}
			})
		}
	}
	nothingArrived(t, server)
}

// zero client
func TestWrapZeroClient(t *testing.T) {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("panic: %v", p)
		}
	}()
	_, err := securebedrock.Wrap(new(bedrockruntime.Client), opts{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"},
		Role: &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app", STS: &shortSTS{}}})
	t.Log(err)
	_, err = securebedrock.NewFromConfig(aws.Config{}, opts{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"}})
	t.Log(err)
}
