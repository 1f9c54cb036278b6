package securebedrock_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The configuration's ClientLogMode is taken over: each mode writes what it is for,
// and only a mode with bodies writes a prompt. The calls succeed with every mode.
func TestLogModes(t *testing.T) {
	const prompt = "a prompt to look for"
	for name, row := range map[string]struct {
		mode   aws.ClientLogMode
		writes []string
		body   bool
	}{
		"none":         {0, nil, false},
		"request":      {aws.LogRequest, []string{"DEBUG Request\n", "POST /model/"}, false},
		"requestBody":  {aws.LogRequestWithBody, []string{"DEBUG Request\n", "POST /model/"}, true},
		"response":     {aws.LogResponse, []string{"DEBUG Response\n", "200 OK"}, false},
		"responseBody": {aws.LogResponseWithBody, []string{"DEBUG Response\n", "200 OK", `"stopReason"`}, true}, // the answer repeats the prompt
		"retries":      {aws.LogRetries, []string{"retrying request"}, false},
		"signing":      {aws.LogSigning, []string{"DEBUG Request Signature:"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			var log bytes.Buffer
			cfg.ClientLogMode = row.mode
			cfg.Logger = logging.NewStandardLogger(&log)
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if name == "retries" {
				server.Fail("Converse", bedrocktest.ServerError(503, 1))
			}
			if _, err := c.Converse(t.Context(), converse(prompt)); err != nil {
				t.Error(err)
			}
			out, err := c.ConverseStream(t.Context(), converseStream(prompt))
			if err != nil {
				t.Fatal(err)
			}
			if text, err := drain(out.GetStream()); err != nil || text == "" {
				t.Error(text, err)
			}
			for _, want := range row.writes {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log has no %q:\n%s", want, &log)
				}
			}
			if len(row.writes) == 0 && log.Len() > 0 {
				t.Errorf("the log is not empty:\n%s", &log)
			}
			if got := strings.Contains(log.String(), prompt); got != row.body {
				t.Errorf("the prompt stands in the log: %t, want %t:\n%s", got, row.body, &log)
			}
		})
	}
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

type dropGuardrail struct{}

func (dropGuardrail) BeforeSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	if c, ok := in.Input.(*bedrockruntime.ConverseInput); ok {
		c.GuardrailConfig = nil
	}
	return nil
}

// What of the configuration is the application's to say is kept, on both clients.
func TestConfigurationIsKept(t *testing.T) {
	server := bedrocktest.NewServer(t)
	cfg := server.Config()
	var text bytes.Buffer
	var mu sync.Mutex
	cfg.Logger = logging.LoggerFunc(func(_ logging.Classification, format string, v ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&text, format+"\n", v...)
	})
	cfg.ClientLogMode = aws.LogRetries | aws.LogSigning | aws.LogRequest
	cfg.AppID = "claims-app"
	var ran, spans atomic.Int32
	cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("count", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			ran.Add(1)
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
	})
	cfg.ServiceOptions = append(cfg.ServiceOptions, func(_ string, o any) {
		if o, ok := o.(*sdkOptions); ok {
			o.TracerProvider = countingTracer{n: &spans}
			o.IdempotencyTokenProvider = fixedToken("from-the-application")
		}
	})
	o := server.Options()
	o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "public"}
	c, err := securebedrock.NewFromConfig(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, call := range map[string]func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error){"Client": c.Converse, "Runtime": c.Runtime().Converse} {
		t.Run(name, func(t *testing.T) {
			ran.Store(0)
			spans.Store(0)
			mu.Lock()
			text.Reset()
			mu.Unlock()
			server.Fail("Converse", bedrocktest.ServerError(503, 1))
			if _, err := call(t.Context(), converse("hello")); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			got := text.String()
			mu.Unlock()
			if n := ran.Load(); n != 1 {
				t.Errorf("the application's API option ran %d times", n)
			}
			if spans.Load() == 0 {
				t.Error("no span was started")
			}
			for _, want := range []string{"retrying request", "Request Signature", "Request\n"} {
				if !strings.Contains(got, want) {
					t.Errorf("the log does not have %q", want)
				}
			}
		})
	}
	if _, err := c.StartAsyncInvoke(t.Context(), startAsync()); err != nil {
		t.Fatal(err)
	}
	start := calls(server, "StartAsyncInvoke")[0]
	if got := aws.ToString(start.Input.(*bedrockruntime.StartAsyncInvokeInput).ClientRequestToken); got != "from-the-application" {
		t.Errorf("sent token %q", got)
	}
	if ua := start.Header.Get("User-Agent"); !strings.Contains(ua, "app/claims-app") {
		t.Errorf("sent User-Agent %s", ua)
	}
}

type fixedToken string

func (t fixedToken) GetIdempotencyToken() (string, error) { return string(t), nil }

type countingTracer struct {
	tracing.NopTracerProvider
	n *atomic.Int32
}

func (c countingTracer) Tracer(scope string, opts ...tracing.TracerOption) tracing.Tracer {
	return countedTracer{c.NopTracerProvider.Tracer(scope, opts...), c.n}
}

type countedTracer struct {
	tracing.Tracer
	n *atomic.Int32
}

func (c countedTracer) StartSpan(ctx context.Context, name string, opts ...tracing.SpanOption) (context.Context, tracing.Span) {
	c.n.Add(1)
	return c.Tracer.StartSpan(ctx, name, opts...)
}
