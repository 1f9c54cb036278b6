package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// configChange is what a library sets in the aws.Config that Config gave it.
type configChange struct {
	name string
	set  func(cfg *aws.Config, elsewhere string)
	rule error // nil: the call goes as pinned
}

// byHTTPClient marks a row in which the HTTP client is all that refuses. The plain SDK
// has given its caller a bidirectional stream by then, on which nothing ever comes.
const byHTTPClient = ", which the HTTP client alone refuses"

// configChanges has at least one row for each field of aws.Config.
func configChanges() map[string][]configChange {
	same := func(set func(cfg *aws.Config)) []configChange {
		return []configChange{{"set", func(cfg *aws.Config, _ string) { set(cfg) }, nil}}
	}
	token := bearer.StaticTokenProvider{Token: bearer.Token{Value: "a-token"}}
	return map[string][]configChange{
		"Region": {
			{"another", func(cfg *aws.Config, _ string) { cfg.Region = "eu-west-1" }, nil},
			{"none", func(cfg *aws.Config, _ string) { cfg.Region = "" }, nil},
		},
		"Credentials": {
			{"someone else's", func(cfg *aws.Config, _ string) {
				cfg.Credentials = credentials.NewStaticCredentialsProvider("AKIDOFSOMEONEELSE", "secret", "")
			}, nil},
			{"none", func(cfg *aws.Config, _ string) { cfg.Credentials = nil }, nil},
			{"anonymous", func(cfg *aws.Config, _ string) { cfg.Credentials = aws.AnonymousCredentials{} }, nil},
		},
		"BearerAuthTokenProvider": same(func(cfg *aws.Config) { cfg.BearerAuthTokenProvider = token }),
		"HTTPClient": {
			{"elsewhere", func(cfg *aws.Config, url string) { cfg.HTTPClient = redirecting{url} }, nil},
			{"none", func(cfg *aws.Config, _ string) { cfg.HTTPClient = nil }, nil},
		},
		"EndpointResolver": {{"elsewhere", func(cfg *aws.Config, url string) {
			cfg.EndpointResolver = aws.EndpointResolverFunc(func(string, string) (aws.Endpoint, error) { return aws.Endpoint{URL: url}, nil }) //nolint:staticcheck // deprecated, and still there to be misused
		}, nil}},
		"EndpointResolverWithOptions": {{"elsewhere", func(cfg *aws.Config, url string) {
			cfg.EndpointResolverWithOptions = aws.EndpointResolverWithOptionsFunc(func(string, string, ...any) (aws.Endpoint, error) { return aws.Endpoint{URL: url}, nil }) //nolint:staticcheck // deprecated, and still there to be misused
		}, nil}},
		"RetryMaxAttempts": same(func(cfg *aws.Config) { cfg.RetryMaxAttempts = 9 }),
		"RetryMode":        same(func(cfg *aws.Config) { cfg.RetryMode = aws.RetryModeAdaptive }),
		"Retryer":          same(func(cfg *aws.Config) { cfg.Retryer = nil }),
		"ConfigSources": {{"with another endpoint", func(cfg *aws.Config, url string) {
			cfg.ConfigSources = []any{config.EnvConfig{BaseEndpoint: url}, config.LoadOptions{BaseEndpoint: url, Region: "eu-west-1"}}
		}, nil}},
		"APIOptions": {
			{"cleared", func(cfg *aws.Config, _ string) { cfg.APIOptions = nil }, nil},
			{"one that moves the request", func(cfg *aws.Config, elsewhere string) {
				cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
					return s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("move", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
						in.Request.(*smithyhttp.Request).URL.Host = mustParse(elsewhere).Host
						return next.HandleFinalize(ctx, in)
					}), "Signing", middleware.After)
				})
			}, securebedrock.ErrEndpoint},
		},
		"Logger":                      {{"none", func(cfg *aws.Config, _ string) { cfg.Logger = nil }, nil}, {"another", func(cfg *aws.Config, _ string) { cfg.Logger = logging.Nop{} }, nil}},
		"ClientLogMode":               same(func(cfg *aws.Config) { cfg.ClientLogMode = aws.LogRetries }),
		"DefaultsMode":                same(func(cfg *aws.Config) { cfg.DefaultsMode = aws.DefaultsModeAuto }),
		"RuntimeEnvironment":          same(func(cfg *aws.Config) { cfg.RuntimeEnvironment.Region = "eu-west-1" }),
		"AppID":                       same(func(cfg *aws.Config) { cfg.AppID = "library" }),
		"BaseEndpoint":                {{"elsewhere", func(cfg *aws.Config, url string) { cfg.BaseEndpoint = &url }, nil}},
		"DisableRequestCompression":   same(func(cfg *aws.Config) { cfg.DisableRequestCompression = true }),
		"RequestMinCompressSizeBytes": same(func(cfg *aws.Config) { cfg.RequestMinCompressSizeBytes = 1 }),
		"DisableClockSkewCorrection":  same(func(cfg *aws.Config) { cfg.DisableClockSkewCorrection = true }),
		"AccountIDEndpointMode":       same(func(cfg *aws.Config) { cfg.AccountIDEndpointMode = aws.AccountIDEndpointModeRequired }),
		"RequestChecksumCalculation":  same(func(cfg *aws.Config) { cfg.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired }),
		"ResponseChecksumValidation":  same(func(cfg *aws.Config) { cfg.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired }),
		"Interceptors":                same(func(cfg *aws.Config) { cfg.Interceptors = smithyhttp.InterceptorRegistry{} }),
		"AuthSchemePreference":        same(func(cfg *aws.Config) { cfg.AuthSchemePreference = []string{"httpBearerAuth", "noAuth"} }),
		"ServiceOptions": {
			{"one added that moves the client", func(cfg *aws.Config, url string) {
				cfg.ServiceOptions = append(cfg.ServiceOptions, func(_ string, o any) {
					o.(*sdkOptions).BaseEndpoint, o.(*sdkOptions).HTTPClient = &url, redirecting{url}
				})
			}, nil},
			{"one put before", func(cfg *aws.Config, url string) {
				cfg.ServiceOptions = append([]func(string, any){func(_ string, o any) { o.(*sdkOptions).EndpointResolverV2 = elsewhere{url} }}, cfg.ServiceOptions...)
			}, nil},
			// Without the guard the configuration has no credentials and no network.
			{"cleared", func(cfg *aws.Config, _ string) { cfg.ServiceOptions = nil }, securebedrock.ErrBypassed},
			{"cleared, with another HTTP client and endpoint", func(cfg *aws.Config, url string) {
				cfg.ServiceOptions, cfg.HTTPClient, cfg.BaseEndpoint = nil, redirecting{url}, &url
			}, securebedrock.ErrBypassed},
			{"cleared, with other credentials" + byHTTPClient, func(cfg *aws.Config, _ string) {
				cfg.ServiceOptions, cfg.Credentials = nil, credentials.NewStaticCredentialsProvider("AKIDOFSOMEONEELSE", "secret", "")
			}, securebedrock.ErrBypassed},
			{"cleared, with a bearer token" + byHTTPClient, func(cfg *aws.Config, _ string) {
				cfg.ServiceOptions, cfg.BearerAuthTokenProvider, cfg.AuthSchemePreference = nil, token, []string{"httpBearerAuth"}
			}, errAny},
		},
		"RestrictFilePermissions": same(func(cfg *aws.Config) { cfg.RestrictFilePermissions = "all" }),
	}
}

// Whatever a library changes in the configuration, the call goes where it always goes
// or is refused with nothing sent.
func TestConfigHoldsAgainstChangesOfTheCopy(t *testing.T) {
	rows := configChanges()
	for i := range reflect.TypeFor[aws.Config]().NumField() {
		field := reflect.TypeFor[aws.Config]().Field(i).Name
		if len(rows[field]) == 0 {
			t.Errorf("aws.Config has the field %s, and no row sets it", field)
		}
		for _, row := range rows[field] {
			for operation, do := range libraryCalls() {
				if strings.HasSuffix(row.name, byHTTPClient) && operation == "InvokeModelWithBidirectionalStream" {
					continue
				}
				t.Run(fmt.Sprintf("%s %s/%s", field, row.name, operation), func(t *testing.T) {
					other, server := newTrap(t), bedrocktest.NewServer(t)
					c := newClient(t, server, excuseAll)
					cfg := c.Config()
					row.set(&cfg, other.URL)
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					defer cancel()
					err := do(ctx, bedrockruntime.NewFromConfig(cfg))
					if row.rule == nil {
						if err != nil {
							t.Fatal(err)
						}
						arrivedGuarded(t, server, operation)
						return
					}
					if err == nil {
						t.Fatal("the call went through")
					}
					if row.rule != errAny {
						refusedBy(t, err, row.rule)
					}
					nothingArrived(t, server)
				})
			}
		}
	}
}

// The environment of a library's own client moves nothing, with the library's own
// loading of the configuration, too.
func TestConfigHoldsAgainstTheEnvironment(t *testing.T) {
	for operation, do := range libraryCalls() {
		for _, row := range []struct {
			name string
			make func(t *testing.T, ours aws.Config) aws.Config
		}{
			{"Config as it is", func(_ *testing.T, ours aws.Config) aws.Config { return ours }},
			{"the library's own configuration with Config's ServiceOptions", func(t *testing.T, ours aws.Config) aws.Config {
				cfg, err := config.LoadDefaultConfig(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				cfg.ServiceOptions = append(cfg.ServiceOptions, ours.ServiceOptions...)
				return cfg
			}},
		} {
			t.Run(operation+"/"+row.name, func(t *testing.T) {
				other, server := newTrap(t), bedrocktest.NewServer(t)
				c := newClient(t, server, excuseAll)
				profile := filepath.Join(t.TempDir(), "config")
				if err := os.WriteFile(profile, []byte("[profile elsewhere]\nregion = eu-west-1\nendpoint_url = "+other.URL+
					"\nuse_fips_endpoint = true\nservices = s\n[services s]\nbedrock_runtime =\n  endpoint_url = "+other.URL+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				for k, v := range map[string]string{
					"AWS_ENDPOINT_URL": other.URL, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": other.URL, "AWS_BEARER_TOKEN_BEDROCK": "a-token",
					"AWS_REGION": "eu-west-1", "AWS_PROFILE": "elsewhere", "AWS_CONFIG_FILE": profile, "AWS_USE_FIPS_ENDPOINT": "true",
					"AWS_AUTH_SCHEME_PREFERENCE": "httpBearerAuth,noAuth", "HTTPS_PROXY": other.URL, "HTTP_PROXY": other.URL,
				} {
					t.Setenv(k, v)
				}
				if err := do(t.Context(), bedrockruntime.NewFromConfig(row.make(t, c.Config()))); err != nil {
					t.Fatal(err)
				}
				arrivedGuarded(t, server, operation)
			})
		}
	}
}

// A client of Config is the Client in every respect: one retryer, one record, one end.
func TestConfigIsOfTheClient(t *testing.T) {
	for operation, do := range libraryCalls() {
		t.Run(operation, func(t *testing.T) {
			server, r := bedrocktest.NewServer(t), new(recorder)
			c := newClient(t, server, excuseAll, r.option)
			library := bedrockruntime.NewFromConfig(c.Config())
			if operation != "InvokeModelWithBidirectionalStream" { // which is never sent again
				server.Fail(operation, bedrocktest.ServerError(503, 1))
			}
			if err := do(t.Context(), library); err != nil {
				t.Fatal(err)
			}
			if got := r.one(t); got.call.Operation != operation || got.outcome.Err != nil {
				t.Errorf("the record says %s, %v", got.call.Operation, got.outcome.Err)
			}
			before := len(server.Calls())
			if err := c.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			refusedBy(t, do(t.Context(), library), securebedrock.ErrClosed)
			if after := len(server.Calls()); after != before {
				t.Errorf("%d requests arrived after Shutdown", after-before)
			}
		})
	}
}

// The application's own API options, interceptors, logger and other settings are those
// of Config's clients, too, and each runs once.
func TestConfigKeepsWhatIsTheApplications(t *testing.T) {
	server := bedrocktest.NewServer(t)
	cfg := server.Config()
	var steps, intercepted atomic.Int32
	cfg.APIOptions = []func(*middleware.Stack) error{func(s *middleware.Stack) error {
		steps.Add(1)
		return nil
	}}
	cfg.Interceptors.AddAfterSerialization(interceptor(func(*smithyhttp.Request) { intercepted.Add(1) }))
	cfg.AppID = "the-application"
	c, err := securebedrock.NewFromConfig(cfg, server.Options())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := bedrockruntime.NewFromConfig(c.Config()).Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	if steps.Load() != 1 || intercepted.Load() != 1 {
		t.Errorf("the application's API option ran %d times and its interceptor %d times, want once", steps.Load(), intercepted.Load())
	}
	if got := calls(server, "Converse")[0].Header.Get("User-Agent"); !strings.Contains(got, "app/the-application") {
		t.Errorf("the user agent %q lacks the application's ID", got)
	}
}

// What one holder of a configuration writes into its slices reaches no other holder.
func TestConfigsShareNoSlice(t *testing.T) {
	server := bedrocktest.NewServer(t)
	cfg := server.Config()
	cfg.Interceptors.AddAfterSerialization(interceptor(func(*smithyhttp.Request) {}))
	c, err := securebedrock.NewFromConfig(cfg, server.Options())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	bad := errors.New("not this client's")
	fails := func(*middleware.Stack) error { return bad }
	spoilt := c.Config()
	clear(spoilt.ServiceOptions)
	for i := range spoilt.APIOptions {
		spoilt.APIOptions[i] = fails
	}
	_ = append(slices.Grow(spoilt.APIOptions, 0), fails)
	for i := range spoilt.Interceptors.AfterSerialization {
		spoilt.Interceptors.AfterSerialization[i] = nil
	}
	_ = bedrockruntime.NewFromConfig(c.Config(), func(o *sdkOptions) {
		for i := range o.AuthSchemes {
			o.AuthSchemes[i] = smithyhttp.NewAnonymousScheme()
		}
		for i := range o.APIOptions {
			o.APIOptions[i] = fails
		}
	})
	for name, do := range map[string]func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error){
		"another Config": bedrockruntime.NewFromConfig(c.Config()).Converse, "Runtime": c.Runtime().Converse, "the Client": c.Converse,
	} {
		if _, err := do(t.Context(), converse("hello")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
