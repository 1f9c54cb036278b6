package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// libraryOption is what a library sets in the options of its own client. The call then
// goes where it always goes, or is refused with rule.
type libraryOption struct {
	name string
	set  func(o *sdkOptions, elsewhere string)
	rule error // nil: the call goes as pinned
}

// libraryOptions has at least one row for each field of bedrockruntime.Options.
func libraryOptions() map[string][]libraryOption {
	someoneElse := credentials.NewStaticCredentialsProvider("AKIDOFSOMEONEELSE", "secret", "")
	token := bearer.StaticTokenProvider{Token: bearer.Token{Value: "a-token"}}
	return map[string][]libraryOption{
		"APIOptions": {
			{"cleared", func(o *sdkOptions, _ string) { o.APIOptions = nil }, securebedrock.ErrBypassed},
			{"emptied in place", func(o *sdkOptions, _ string) { clear(o.APIOptions) }, errAny}, // the SDK calls a nil function
			{"replaced", func(o *sdkOptions, _ string) {
				o.APIOptions = []func(*middleware.Stack) error{func(*middleware.Stack) error { return nil }}
			}, securebedrock.ErrBypassed},
			{"a step added", func(o *sdkOptions, _ string) {
				o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
					return s.Initialize.Add(middleware.InitializeMiddlewareFunc("own", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
						return next.HandleInitialize(ctx, in)
					}), middleware.Before)
				})
			}, nil},
			{"the gate taken out", func(o *sdkOptions, _ string) {
				o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
					_, err := s.Deserialize.Remove("securebedrock:gate")
					return err
				})
			}, securebedrock.ErrBypassed},
			{"a step that sends the request elsewhere", func(o *sdkOptions, elsewhere string) {
				o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
					return s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("move", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
						u := mustParse(elsewhere)
						in.Request.(*smithyhttp.Request).URL.Host = u.Host
						return next.HandleFinalize(ctx, in)
					}), "Signing", middleware.Before)
				})
			}, securebedrock.ErrEndpoint},
		},
		"AppID":        {{"set", func(o *sdkOptions, _ string) { o.AppID = "library" }, nil}},
		"BaseEndpoint": {{"elsewhere", func(o *sdkOptions, elsewhere string) { o.BaseEndpoint = &elsewhere }, nil}},
		"BearerAuthSigner": {
			{"nil", func(o *sdkOptions, _ string) { o.BearerAuthSigner = nil }, nil},
			{"set", func(o *sdkOptions, _ string) { o.BearerAuthSigner = bearer.NewSignHTTPSMessage() }, nil},
		},
		"BearerAuthTokenProvider": {
			{"set", func(o *sdkOptions, _ string) { o.BearerAuthTokenProvider = token }, nil},
			{"set and preferred", func(o *sdkOptions, _ string) {
				o.BearerAuthTokenProvider, o.AuthSchemePreference = token, []string{"httpBearerAuth"}
			}, nil},
			{"set with the SDK's own resolver of schemes", func(o *sdkOptions, _ string) {
				o.BearerAuthTokenProvider, o.AuthSchemePreference = token, []string{"httpBearerAuth"}
				o.AuthSchemeResolver = bedrockruntime.New(sdkOptions{Region: "us-east-1"}).Options().AuthSchemeResolver
			}, securebedrock.ErrAuth},
		},
		"ClientLogMode": {{"set", func(o *sdkOptions, _ string) { o.ClientLogMode = aws.LogRetries | aws.LogSigning }, nil}},
		"Credentials": {
			{"someone else's", func(o *sdkOptions, _ string) { o.Credentials = someoneElse }, securebedrock.ErrAuth},
			{"anonymous", func(o *sdkOptions, _ string) { o.Credentials = aws.AnonymousCredentials{} }, errAny},
			{"nil", func(o *sdkOptions, _ string) { o.Credentials = nil }, errAny},
			{"in a cache", func(o *sdkOptions, _ string) { o.Credentials = aws.NewCredentialsCache(o.Credentials) }, nil}, // within the first call
		},
		"DefaultsMode":               {{"auto", func(o *sdkOptions, _ string) { o.DefaultsMode = aws.DefaultsModeAuto }, nil}},
		"DisableClockSkewCorrection": {{"set", func(o *sdkOptions, _ string) { o.DisableClockSkewCorrection = true }, nil}},
		"EndpointOptions": {
			{"FIPS", func(o *sdkOptions, _ string) { o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled }, nil},
			{"dual stack", func(o *sdkOptions, _ string) {
				o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
			}, nil},
			{"another region", func(o *sdkOptions, _ string) { o.EndpointOptions.ResolvedRegion = "eu-west-1" }, nil},
			{"plain http", func(o *sdkOptions, _ string) { o.EndpointOptions.DisableHTTPS = true }, securebedrock.ErrEndpoint},
		},
		"EndpointResolver": {{"elsewhere", func(o *sdkOptions, elsewhere string) {
			o.EndpointResolver = bedrockruntime.EndpointResolverFromURL(elsewhere) //nolint:staticcheck // deprecated, and still there to be misused
		}, nil}},
		"EndpointResolverV2": {
			{"elsewhere", func(o *sdkOptions, url string) { o.EndpointResolverV2 = elsewhere{url} }, securebedrock.ErrEndpoint},
			{"the SDK's own", func(o *sdkOptions, _ string) {
				o.EndpointResolverV2, o.Region = bedrockruntime.NewDefaultEndpointResolverV2(), "eu-west-1"
			}, securebedrock.ErrEndpoint},
			{"nil", func(o *sdkOptions, _ string) { o.EndpointResolverV2 = nil }, errAny},
		},
		"HTTPSignerV4": {
			{"the SDK's", func(o *sdkOptions, _ string) { o.HTTPSignerV4 = v4.NewSigner() }, nil},
			{"nil", func(o *sdkOptions, _ string) { o.HTTPSignerV4 = nil }, nil},
		},
		"IdempotencyTokenProvider": {{"nil", func(o *sdkOptions, _ string) { o.IdempotencyTokenProvider = nil }, nil}},
		"Logger":                   {{"nil", func(o *sdkOptions, _ string) { o.Logger = nil }, nil}},
		"MeterProvider":            {{"nil", func(o *sdkOptions, _ string) { o.MeterProvider = nil }, errAny}}, // the SDK calls it
		"Region": {
			{"another", func(o *sdkOptions, _ string) { o.Region = "eu-west-1" }, nil},
			{"none", func(o *sdkOptions, _ string) { o.Region = "" }, nil},
			{"no region at all", func(o *sdkOptions, _ string) { o.Region = "evil.example.com/" }, errAny}, // the SDK's own check
		},
		"RetryMaxAttempts":   {{"9", func(o *sdkOptions, _ string) { o.RetryMaxAttempts = 9 }, nil}},
		"RetryMode":          {{"adaptive", func(o *sdkOptions, _ string) { o.RetryMode = aws.RetryModeAdaptive }, nil}},
		"Retryer":            {{"none", func(o *sdkOptions, _ string) { o.Retryer = aws.NopRetryer{} }, nil}, {"nil", func(o *sdkOptions, _ string) { o.Retryer = nil }, nil}},
		"RuntimeEnvironment": {{"another region", func(o *sdkOptions, _ string) { o.RuntimeEnvironment.Region = "eu-west-1" }, nil}},
		"TracerProvider":     {{"nil", func(o *sdkOptions, _ string) { o.TracerProvider = nil }, errAny}}, // the SDK calls it
		"Protocol": {
			{"nil", func(o *sdkOptions, _ string) { o.Protocol = nil }, errAny},
			{"the SDK's", func(o *sdkOptions, _ string) {
				o.Protocol = restjson1.New(schemas.AmazonBedrockFrontendService)
			}, securebedrock.ErrEndpoint},
			{"the SDK's, and no guard", func(o *sdkOptions, _ string) {
				o.Protocol, o.APIOptions = restjson1.New(schemas.AmazonBedrockFrontendService), nil
			}, securebedrock.ErrBypassed},
		},
		"HTTPClient": {
			{"elsewhere", func(o *sdkOptions, url string) { o.HTTPClient = redirecting{url} }, nil},
			{"nil", func(o *sdkOptions, _ string) { o.HTTPClient = nil }, nil},
			{"elsewhere, and no guard", func(o *sdkOptions, url string) {
				o.HTTPClient, o.APIOptions, o.Protocol = redirecting{url}, nil, restjson1.New(schemas.AmazonBedrockFrontendService)
			}, securebedrock.ErrBypassed},
			{"elsewhere, and of the guard the scheme and the endpoint alone", func(o *sdkOptions, url string) {
				o.HTTPClient, o.APIOptions, o.Protocol, o.Credentials = redirecting{url}, nil, restjson1.New(schemas.AmazonBedrockFrontendService), someoneElse
			}, securebedrock.ErrBypassed},
			{"elsewhere, and of the guard the scheme alone", func(o *sdkOptions, url string) {
				o.HTTPClient, o.APIOptions, o.Protocol, o.Credentials = redirecting{url}, nil, restjson1.New(schemas.AmazonBedrockFrontendService), someoneElse
				o.EndpointResolverV2 = elsewhere{url}
			}, securebedrock.ErrBypassed},
			{"elsewhere, and of the guard the endpoint alone", func(o *sdkOptions, url string) {
				o.HTTPClient, o.APIOptions, o.Protocol, o.Credentials = redirecting{url}, nil, restjson1.New(schemas.AmazonBedrockFrontendService), someoneElse
				o.AuthSchemeResolver = bedrockruntime.New(sdkOptions{Region: "us-east-1"}).Options().AuthSchemeResolver
			}, securebedrock.ErrBypassed},
			{"credentials, and no guard", func(o *sdkOptions, _ string) {
				o.Credentials, o.APIOptions, o.Protocol = someoneElse, nil, restjson1.New(schemas.AmazonBedrockFrontendService)
			}, securebedrock.ErrBypassed},
		},
		"Interceptors": {
			{"cleared", func(o *sdkOptions, _ string) { o.Interceptors = smithyhttp.InterceptorRegistry{} }, nil},
			{"one that names another host, before the endpoint is known", func(o *sdkOptions, elsewhere string) {
				o.Interceptors.AddAfterSerialization(interceptor(func(r *smithyhttp.Request) { r.URL.Host = mustParse(elsewhere).Host }))
			}, nil},
			{"one that names another model", func(o *sdkOptions, _ string) {
				o.Interceptors.AddAfterSerialization(interceptor(func(r *smithyhttp.Request) { r.URL.Path = "/model/other/converse" }))
			}, securebedrock.ErrEndpoint},
		},
		"AuthSchemeResolver":   {{"anonymous", func(o *sdkOptions, _ string) { o.AuthSchemeResolver = anonymous{} }, securebedrock.ErrAuth}},
		"AuthSchemePreference": {{"bearer", func(o *sdkOptions, _ string) { o.AuthSchemePreference = []string{"httpBearerAuth", "noAuth"} }, nil}},
		"AuthSchemes": {
			{"anonymous", func(o *sdkOptions, _ string) {
				o.AuthSchemes = []smithyhttp.AuthScheme{smithyhttp.NewAnonymousScheme()}
			}, errAny},
			{"written to in place", func(o *sdkOptions, _ string) {
				for i := range o.AuthSchemes {
					o.AuthSchemes[i] = smithyhttp.NewAnonymousScheme()
				}
			}, errAny},
		},
	}
}

// libraryCalls are a unary call, a stream and a bidirectional stream.
func libraryCalls() map[string]func(context.Context, *bedrockruntime.Client, ...func(*sdkOptions)) error {
	return map[string]func(context.Context, *bedrockruntime.Client, ...func(*sdkOptions)) error{
		"Converse": func(ctx context.Context, c *bedrockruntime.Client, f ...func(*sdkOptions)) error {
			_, err := c.Converse(ctx, converse("a secret"), f...)
			return err
		},
		"ConverseStream": func(ctx context.Context, c *bedrockruntime.Client, f ...func(*sdkOptions)) error {
			out, err := c.ConverseStream(ctx, converseStream("a secret"), f...)
			if err != nil {
				return err
			}
			_, err = drain(out.GetStream())
			return err
		},
		"InvokeModelWithBidirectionalStream": func(ctx context.Context, c *bedrockruntime.Client, f ...func(*sdkOptions)) error {
			out, err := c.InvokeModelWithBidirectionalStream(ctx, sonic(), f...)
			if err != nil {
				return err
			}
			es := out.GetStream()
			defer es.Close()
			err = say(ctx, es)
			select {
			case <-es.Events():
				return errors.Join(err, es.Err())
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
}

// attempted recovers a panic of the SDK's, which a nil provider causes in the plain SDK,
// too.
func attempted(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errPanicked
		}
	}()
	return f()
}

// arrivedGuarded fails unless the server has received one call as the Options want it.
func arrivedGuarded(t *testing.T, server *bedrocktest.Server, operation string) {
	t.Helper()
	got := calls(server, operation)
	if len(got) != 1 {
		t.Fatalf("the server received %d calls", len(got))
	}
	if got[0].Region != server.Region() || !strings.HasPrefix(got[0].AccessKeyID, "ASIA") {
		t.Errorf("the call was signed for %s with %s, not with the role's session", got[0].Region, got[0].AccessKeyID)
	}
	var guardrail string
	switch in := got[0].Input.(type) {
	case *bedrockruntime.ConverseInput:
		guardrail = aws.ToString(in.GuardrailConfig.GuardrailIdentifier)
	case *bedrockruntime.ConverseStreamInput:
		guardrail = aws.ToString(in.GuardrailConfig.GuardrailIdentifier)
	default:
		return
	}
	if guardrail != bedrocktest.DefaultGuardrailID {
		t.Errorf("the call went with guardrail %q", guardrail)
	}
}

// Whatever a library sets in the options of a client that it makes from Config, when it
// makes the client or for one call, the call goes where it always goes or is refused
// with nothing sent.
func TestConfigHoldsAgainstTheLibrary(t *testing.T) {
	rows := libraryOptions()
	for i := range reflect.TypeFor[sdkOptions]().NumField() {
		field := reflect.TypeFor[sdkOptions]().Field(i)
		if !field.IsExported() {
			continue
		}
		if len(rows[field.Name]) == 0 {
			t.Errorf("bedrockruntime.Options has the field %s, and no row sets it", field.Name)
		}
		for _, row := range rows[field.Name] {
			for operation, do := range libraryCalls() {
				for _, place := range []string{"NewFromConfig", "per call"} {
					t.Run(fmt.Sprintf("%s %s/%s/%s", field.Name, row.name, operation, place), func(t *testing.T) {
						other, server := newTrap(t), bedrocktest.NewServer(t)
						c := newClient(t, server, excuseAll)
						ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
						defer cancel()
						set := func(o *sdkOptions) { row.set(o, other.URL) }
						err := attempted(func() error {
							if place == "per call" {
								return do(ctx, bedrockruntime.NewFromConfig(c.Config()), set)
							}
							return do(ctx, bedrockruntime.NewFromConfig(c.Config(), set))
						})
						switch {
						case row.rule == nil && err != nil:
							t.Fatal(err)
						case row.rule == nil:
							arrivedGuarded(t, server, operation)
							return
						case errors.Is(err, context.DeadlineExceeded):
							t.Fatalf("the call waited: %v", err)
						case err == nil:
							t.Fatal("the call went through")
						case row.rule != errAny:
							refusedBy(t, err, row.rule)
						}
						nothingArrived(t, server)
						// The client itself has suffered nothing.
						if err := do(t.Context(), c.Runtime()); err != nil {
							t.Errorf("the client afterwards: %v", err)
						}
					})
				}
			}
		}
	}
}
