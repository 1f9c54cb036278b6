package securebedrock_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
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

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

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

// A bearer token that is configured is named once in the log, and not its value.
func TestBearerTokenIsNoted(t *testing.T) {
	for _, env := range []bool{true, false} {
		t.Run(fmt.Sprintf("environment %v", env), func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			var text bytes.Buffer
			cfg.Logger = logging.NewStandardLogger(&text)
			if env {
				t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "the-token")
			} else {
				cfg.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: "the-token"}}
			}
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if n := strings.Count(text.String(), "is not used"); n != 1 || !strings.Contains(text.String(), "AWS_BEARER_TOKEN_BEDROCK") || strings.Contains(text.String(), "the-token") {
				t.Errorf("the log says\n%s", text.String())
			}
		})
	}
}

// Options are copied: what the application does with them later changes nothing.
func TestOptionsAreCopiedAll(t *testing.T) {
	server := bedrocktest.NewServer(t)
	o := server.Options()
	o.Residency, o.Models = []string{"us-east-1"}, []string{"anthropic.*"}
	o.UnguardedOperations = map[string]string{"InvokeModelWithBidirectionalStream": "demo"}
	ran := false
	o.Middleware = []securebedrock.Middleware{func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			ran = true
			return next(ctx, call)
		}
	}}
	c, err := securebedrock.NewFromConfig(server.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o.Residency[0], o.Models[0], o.Middleware[0] = "us-west-2", "*", nil
	o.UnguardedOperations["StartAsyncInvoke"] = "later"
	in := converse("a secret")
	in.ModelId = aws.String("amazon.nova-lite-v1:0")
	_, err = c.Converse(t.Context(), in)
	refusedBy(t, err, securebedrock.ErrModel)
	start := startAsync()
	start.ModelId = aws.String(haiku)
	_, err = c.StartAsyncInvoke(t.Context(), start)
	refusedBy(t, err, securebedrock.ErrUnguardedOperation)
	nothingArrived(t, server)
	if !ran {
		t.Error("the middleware is gone")
	}
}

// applied answers a Converse with traces of the given guardrails, "ID version".
func applied(guardrails ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		var in []string
		for i, g := range guardrails {
			id, version, _ := strings.Cut(g, " ")
			in = append(in, fmt.Sprintf(`"g%d":{"appliedGuardrailDetails":{"guardrailId":%q,"guardrailVersion":%q,"guardrailArn":"arn:aws:bedrock:us-east-1:123456789012:guardrail/%s","guardrailOrigin":["REQUEST"]}}`, i, id, version, id))
		}
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/count-tokens") {
			io.WriteString(w, `{"inputTokens":3}`)
			return
		}
		fmt.Fprintf(w, `{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1},"trace":{"guardrail":{"inputAssessment":{%s}}}}`, strings.Join(in, ","))
	})
}
