package securebedrock_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	smithyauth "github.com/aws/smithy-go/auth"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Retries have one owner, on Runtime's client too.
func TestPerCallRetryerIsNotUsed(t *testing.T) {
	for _, runtime := range []bool{false, true} {
		server := bedrocktest.NewServer(t)
		server.Fail("Converse", bedrocktest.ServerError(503, 1))
		c := newClient(t, server)
		f := c.Converse
		if runtime {
			f = c.Runtime().Converse
		}
		if _, err := f(t.Context(), converse("hello"), func(o *sdkOptions) { o.Retryer, o.RetryMaxAttempts = aws.NopRetryer{}, 1 }); err != nil {
			t.Errorf("runtime %v: %v", runtime, err)
		}
	}
}

// Middleware of the application's is told the region that is called.
func TestRegionInTheContextIsThePinnedOne(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	var region string
	if _, err := c.Converse(t.Context(), converse("hello"), func(o *sdkOptions) {
		o.Region = "eu-west-1"
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("see", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				region = awsmiddleware.GetRegion(ctx)
				return next.HandleFinalize(ctx, in)
			}), middleware.Before)
		})
	}); err != nil {
		t.Fatal(err)
	}
	if region != "us-east-1" {
		t.Errorf("the context says %q", region)
	}
}

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
