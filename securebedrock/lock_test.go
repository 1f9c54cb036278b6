package securebedrock_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	smithyauth "github.com/aws/smithy-go/auth"
	"github.com/aws/smithy-go/auth/bearer"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

type sdkOptions = bedrockruntime.Options

// perCall is what a per-call option can try. On Client's methods the call goes
// where it always goes, or is refused with rule; on Runtime's it is refused with
// runtime, or goes where it always goes if runtime is nil.
type perCall struct {
	name          string
	option        func(elsewhere string) func(*sdkOptions)
	rule, runtime error
}

func perCallOptions() []perCall {
	api := func(f func(*middleware.Stack) error) func(string) func(*sdkOptions) {
		return func(string) func(*sdkOptions) {
			return func(o *sdkOptions) { o.APIOptions = append(o.APIOptions, f) }
		}
	}
	rewrite := func(f func(*smithyhttp.Request)) func(string) func(*sdkOptions) {
		return api(func(s *middleware.Stack) error {
			return s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("rewrite", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				f(in.Request.(*smithyhttp.Request))
				return next.HandleFinalize(ctx, in)
			}), "Signing", middleware.Before)
		})
	}
	plain := func(f func(*sdkOptions)) func(string) func(*sdkOptions) {
		return func(string) func(*sdkOptions) { return f }
	}
	return []perCall{
		{"Region", plain(func(o *sdkOptions) { o.Region = "eu-west-1" }), nil, nil},
		{"BaseEndpoint", func(url string) func(*sdkOptions) { return func(o *sdkOptions) { o.BaseEndpoint = &url } }, nil, nil},
		{"EndpointResolver", func(url string) func(*sdkOptions) {
			//lint:ignore SA1019 deprecated, and still there to be misused
			return bedrockruntime.WithEndpointResolver(bedrockruntime.EndpointResolverFromURL(url)) //nolint:staticcheck // deprecated, and still there to be misused
		}, nil, nil},
		{"EndpointResolverV2", func(url string) func(*sdkOptions) {
			return bedrockruntime.WithEndpointResolverV2(elsewhere{url})
		}, nil, securebedrock.ErrEndpoint},
		{"plain http", plain(func(o *sdkOptions) { o.EndpointOptions.DisableHTTPS = true }), nil, securebedrock.ErrEndpoint},
		{"FIPS", plain(func(o *sdkOptions) { o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled }), nil, nil},
		{"Credentials", plain(func(o *sdkOptions) {
			o.Credentials = credentials.NewStaticCredentialsProvider("AKIDOFSOMEONEELSE", "secret", "")
		}), nil, securebedrock.ErrAuth},
		{"anonymous Credentials", plain(func(o *sdkOptions) { o.Credentials = aws.AnonymousCredentials{} }), nil, errAny},
		{"HTTPClient", func(url string) func(*sdkOptions) {
			return func(o *sdkOptions) { o.HTTPClient = redirecting{url} }
		}, nil, nil},
		{"AuthSchemes", plain(func(o *sdkOptions) {
			o.AuthSchemes = []smithyhttp.AuthScheme{smithyhttp.NewAnonymousScheme()}
		}), nil, errAny},
		{"AuthSchemeResolver", plain(func(o *sdkOptions) { o.AuthSchemeResolver = anonymous{} }), nil, securebedrock.ErrAuth},
		{"AuthSchemePreference", plain(func(o *sdkOptions) {
			o.AuthSchemePreference = []string{"noAuth", "httpBearerAuth"}
			o.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: "token"}}
		}), nil, nil},
		{"HTTPSignerV4", plain(func(o *sdkOptions) { o.HTTPSignerV4 = v4.NewSigner() }), nil, nil},
		{"signing name", plain(bedrockruntime.WithSigV4SigningName("s3")), nil, nil},
		{"signing region", plain(bedrockruntime.WithSigV4SigningRegion("eu-west-1")), nil, nil},
		{"Protocol", plain(func(o *sdkOptions) { o.Protocol = nil }), nil, errAny},
		{"Retryer", plain(func(o *sdkOptions) { o.Retryer = aws.NopRetryer{}; o.RetryMaxAttempts = 9 }), nil, nil},
		{"APIOptions cleared", plain(func(o *sdkOptions) { o.APIOptions = nil }), nil, securebedrock.ErrBypassed},
		{"APIOptions and HTTPClient replaced", func(url string) func(*sdkOptions) {
			return func(o *sdkOptions) { o.APIOptions, o.HTTPClient = nil, redirecting{url} }
		}, nil, securebedrock.ErrBypassed},
		{"a nil option", plain(nil), nil, errSkip},

		{"host rewritten before signing", rewrite(func(r *smithyhttp.Request) { r.URL.Host = "evil.example.com" }), securebedrock.ErrEndpoint, securebedrock.ErrEndpoint},
		{"Host header rewritten", rewrite(func(r *smithyhttp.Request) { r.Host = "evil.example.com" }), securebedrock.ErrEndpoint, securebedrock.ErrEndpoint},
		{"scheme rewritten", rewrite(func(r *smithyhttp.Request) { r.URL.Scheme = "http" }), securebedrock.ErrEndpoint, securebedrock.ErrEndpoint},
		{"model rewritten in the path", rewrite(func(r *smithyhttp.Request) {
			r.URL.Path = strings.Replace(r.URL.Path, "haiku", "opus", 1)
		}), securebedrock.ErrEndpoint, securebedrock.ErrEndpoint},
		{"body rewritten", rewrite(func(r *smithyhttp.Request) {
			changed, err := r.SetStream(strings.NewReader(`{"messages":[{"role":"user","content":[{"text":"unguarded"}]}]}`))
			if err == nil {
				*r = *changed
			}
		}), securebedrock.ErrEndpoint, securebedrock.ErrEndpoint},
		{"an opaque URL", rewrite(func(r *smithyhttp.Request) {
			r.URL.Opaque = "//" + r.URL.Host + strings.Replace(r.URL.EscapedPath(), "haiku", "opus", 1)
		}), securebedrock.ErrEndpoint, securebedrock.ErrEndpoint},
		{"another body beside the serialized one", rewrite(func(r *smithyhttp.Request) {
			r.Request.Body, r.ContentLength = io.NopCloser(strings.NewReader(`{"unguarded":true}`)), 0
		}), securebedrock.ErrEndpoint, securebedrock.ErrEndpoint},
		{"another content type", rewrite(func(r *smithyhttp.Request) { r.Header.Set("Content-Type", "application/octet-stream") }), securebedrock.ErrGuardrailOverride, securebedrock.ErrGuardrailOverride},
		{"guardrail header in another case", rewrite(func(r *smithyhttp.Request) {
			r.Header["x-amzn-bedrock-guardrailidentifier"] = []string{"other"}
		}), securebedrock.ErrGuardrailOverride, securebedrock.ErrGuardrailOverride},
		{"guardrail header added", rewrite(func(r *smithyhttp.Request) {
			r.Header.Set("X-Amzn-Bedrock-GuardrailIdentifier", "other")
		}), securebedrock.ErrGuardrailOverride, securebedrock.ErrGuardrailOverride},
		{"input rewritten before the serializer", api(func(s *middleware.Stack) error {
			return s.Serialize.Insert(middleware.SerializeMiddlewareFunc("rewrite", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
				in.Parameters.(*bedrockruntime.ConverseInput).ModelId = aws.String("global." + haiku)
				return next.HandleSerialize(ctx, in)
			}), "OperationSerializer", middleware.Before)
		}), securebedrock.ErrResidency, securebedrock.ErrResidency},
		{"request signed again for another region after signing", api(func(s *middleware.Stack) error {
			return s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("resign", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				h := in.Request.(*smithyhttp.Request).Header
				h.Set("Authorization", strings.Replace(h.Get("Authorization"), "/us-east-1/", "/eu-west-1/", 1))
				return next.HandleFinalize(ctx, in)
			}), "Signing", middleware.After)
		}), securebedrock.ErrRegion, securebedrock.ErrRegion},
		{"interceptor that rewrites the path after serialization", plain(func(o *sdkOptions) {
			o.Interceptors.AddAfterSerialization(interceptor(func(r *smithyhttp.Request) { r.URL.Path = "/model/other/converse" }))
		}), securebedrock.ErrEndpoint, securebedrock.ErrEndpoint},
		{"the gate taken out", api(func(s *middleware.Stack) error { _, _ = s.Deserialize.Remove("securebedrock:gate"); return nil }), nil, securebedrock.ErrBypassed},
		{"the chain taken out", api(func(s *middleware.Stack) error { _, _ = s.Initialize.Remove("securebedrock:chain"); return nil }), nil, securebedrock.ErrBypassed},
		{"a header added", rewrite(func(r *smithyhttp.Request) { r.Header.Set("X-Trace", "7") }), nil, nil},
	}
}

func TestPerCallOptions(t *testing.T) {
	for _, row := range perCallOptions() {
		for _, side := range []struct {
			name string
			rule error
			call func(*client) func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error)
		}{
			{"Client", row.rule, func(c *client) func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error) {
				return c.Converse
			}},
			{"Runtime", row.runtime, func(c *client) func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error) {
				return c.Runtime().Converse
			}},
		} {
			if side.rule == errSkip {
				continue
			}
			t.Run(row.name+"/"+side.name, func(t *testing.T) {
				other := newTrap(t)
				server := bedrocktest.NewServer(t)
				c := newClient(t, server)
				_, err := call(t, side.call(c), row.option(other.URL))
				switch {
				case side.rule == nil && err != nil:
					t.Fatal(err)
				case side.rule == errAny && err == nil:
					t.Fatal("the call went through")
				case side.rule != nil && side.rule != errAny:
					refusedBy(t, err, side.rule)
				}
				if side.rule != nil {
					nothingArrived(t, server)
					return
				}
				got := calls(server, "Converse")
				if len(got) != 1 {
					t.Fatalf("the server received %d calls", len(got))
				}
				in := got[0].Input.(*bedrockruntime.ConverseInput)
				if in.GuardrailConfig == nil || aws.ToString(in.GuardrailConfig.GuardrailIdentifier) != bedrocktest.DefaultGuardrailID {
					t.Errorf("the call went with guardrail %+v", in.GuardrailConfig)
				}
				if !strings.HasPrefix(got[0].AccessKeyID, "ASIA") {
					t.Errorf("the call was signed with %s, not with the role's session", got[0].AccessKeyID)
				}
			})
		}
	}
}

// call recovers a panic: a per-call option that breaks the SDK itself (a nil
// protocol) is no concern of the guard's, as long as nothing is sent.
func call(t *testing.T, f func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error), opt func(*sdkOptions)) (out *bedrockruntime.ConverseOutput, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errPanicked
		}
	}()
	return f(t.Context(), converse("a secret"), opt)
}

// The same at construction: a configuration's own options cannot loosen it.
func TestConfigurationCannotLoosen(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(cfg *aws.Config, elsewhere string)
		rule   error
	}{
		{"Region", func(cfg *aws.Config, _ string) { cfg.Region = "eu-west-1" }, nil},
		{"BaseEndpoint", func(cfg *aws.Config, url string) { cfg.BaseEndpoint = &url }, nil},
		{"ServiceOptions that move the endpoint", func(cfg *aws.Config, url string) {
			cfg.ServiceOptions = append(cfg.ServiceOptions, func(_ string, o any) {
				if o, ok := o.(*sdkOptions); ok {
					o.BaseEndpoint, o.Region = &url, "eu-west-1"
					o.EndpointResolverV2 = elsewhere{url}
				}
			})
		}, nil},
		{"a bearer token provider", func(cfg *aws.Config, _ string) {
			cfg.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: "token"}}
			cfg.AuthSchemePreference = []string{"httpBearerAuth"}
		}, nil},
		{"APIOptions that rewrite the host", func(cfg *aws.Config, _ string) {
			cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
				return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("rewrite", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
					in.Request.(*smithyhttp.Request).URL.Host = "evil.example.com"
					return next.HandleFinalize(ctx, in)
				}), middleware.After)
			})
		}, securebedrock.ErrEndpoint},
		{"an interceptor that takes the guardrail off the input", func(cfg *aws.Config, _ string) {
			cfg.Interceptors.AddBeforeSerialization(dropGuardrail{})
		}, nil},
		{"an interceptor that rewrites the body", func(cfg *aws.Config, _ string) {
			cfg.Interceptors.AddAfterSerialization(interceptor(func(r *smithyhttp.Request) {
				if changed, err := r.SetStream(strings.NewReader(`{}`)); err == nil {
					*r = *changed
				}
			}))
		}, securebedrock.ErrEndpoint},
	} {
		t.Run(row.name, func(t *testing.T) {
			other := newTrap(t)
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			row.change(&cfg, other.URL)
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Converse(t.Context(), converse("a secret"))
			if row.rule != nil {
				refusedBy(t, err, row.rule)
				nothingArrived(t, server)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if in := calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput); in.GuardrailConfig == nil {
				t.Error("the call went without its guardrail")
			}
		})
	}
}

// AWS_BEARER_TOKEN_BEDROCK makes the plain SDK drop its credentials.
func TestBearerTokenInTheEnvironmentIsNotUsed(t *testing.T) {
	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "a-bedrock-api-key")
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	got := calls(server, "Converse")[0]
	if got.AuthScheme != "AWS4-HMAC-SHA256" || !strings.HasPrefix(got.AccessKeyID, "ASIA") {
		t.Errorf("went with %s %s", got.AuthScheme, got.AccessKeyID)
	}
	sdk := bedrockruntime.NewFromConfig(server.Config())
	if _, err := sdk.Converse(t.Context(), converse("hello")); err == nil {
		t.Error("the plain SDK no longer prefers the token: this guard may go")
	}
}

// New takes nothing but credentials from the environment.
func TestEnvironmentCannotMoveACall(t *testing.T) {
	other := newTrap(t)
	server := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP())
	creds := server.Credentials()
	for k, v := range map[string]string{
		"AWS_ACCESS_KEY_ID": creds.AccessKeyID, "AWS_SECRET_ACCESS_KEY": creds.SecretAccessKey, "AWS_SESSION_TOKEN": "",
		"AWS_ENDPOINT_URL": other.URL, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": other.URL, "AWS_ENDPOINT_URL_STS": other.URL,
		"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true",
		"AWS_MAX_ATTEMPTS": "9", "AWS_RETRY_MODE": "standard", "AWS_STS_REGIONAL_ENDPOINTS": "legacy", "AWS_DEFAULTS_MODE": "auto",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "HTTP_PROXY": other.URL, "HTTPS_PROXY": other.URL,
	} {
		t.Setenv(k, v)
	}
	o := server.Options()
	c, err := securebedrock.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	if got := calls(server, "Converse"); len(got) != 1 || got[0].Region != "us-east-1" {
		t.Errorf("the server received %+v", got)
	}
}

func TestRedirectIsRefused(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			other := newTrap(t)
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option)
			server.Fail("ListAsyncInvokes", bedrocktest.Redirect(status, other.URL))
			_, err := c.ListAsyncInvokes(t.Context(), nil) // no body: the SDK would follow 307 and 308
			refusedBy(t, err, securebedrock.ErrRedirect)
			if r := rec.one(t); r.outcome.Attempts != 1 {
				t.Errorf("the redirect was tried %d times", r.outcome.Attempts)
			}
		})
	}
}

type elsewhere struct{ url string }

func (e elsewhere) ResolveEndpoint(context.Context, bedrockruntime.EndpointParameters) (smithyendpoints.Endpoint, error) {
	return smithyendpoints.Endpoint{URI: mustParse(e.url)}, nil
}

// redirecting is an HTTP client that takes every request somewhere else.
type redirecting struct{ url string }

func (r redirecting) Do(req *http.Request) (*http.Response, error) {
	u := mustParse(r.url)
	req.URL.Scheme, req.URL.Host = u.Scheme, u.Host
	return http.DefaultClient.Do(req)
}

type anonymous struct{}

func (anonymous) ResolveAuthSchemes(context.Context, *bedrockruntime.AuthResolverParameters) ([]*smithyauth.Option, error) {
	return []*smithyauth.Option{{SchemeID: smithyauth.SchemeIDAnonymous}}, nil
}

type interceptor func(*smithyhttp.Request)

func (f interceptor) AfterSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	f(in.Request)
	return nil
}

type dropGuardrail struct{}

func (dropGuardrail) BeforeSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	if c, ok := in.Input.(*bedrockruntime.ConverseInput); ok {
		c.GuardrailConfig = nil
	}
	return nil
}
