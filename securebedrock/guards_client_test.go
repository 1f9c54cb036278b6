package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func TestInvokeModelSafely(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	if _, err := c.InvokeModelSafely(t.Context(), haiku, userSays("hello")); err != nil {
		t.Fatal(err)
	}
	got := calls(server, "Converse")
	if len(got) != 1 || got[0].ModelID != haiku || got[0].Input.(*bedrockruntime.ConverseInput).GuardrailConfig == nil {
		t.Errorf("sent %+v", got)
	}
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

// Close lets a call in flight come to its end, and its connection with it.
func TestCloseWaitsForCallsInFlight(t *testing.T) {
	server := bedrocktest.NewServer(t, bedrocktest.WithHTTP1())
	server.Fail("Converse", bedrocktest.StallHeadersFor(400*time.Millisecond))
	c := newClient(t, server, func(o *opts) { o.Role = nil; o.Retry.MaxAttempts = 1 })
	done := make(chan error)
	go func() { _, err := c.Converse(context.Background(), converse("hello")); done <- err }()
	settled(t, "the call is in flight", func() bool { return len(calls(server, "Converse")) == 1 })
	c.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	settled(t, "no connection left", func() bool { return server.Connections() == 0 })
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

func TestVerifyNamesTheGuardrail(t *testing.T) {
	pinned := bedrocktest.DefaultGuardrailID
	for _, row := range []struct {
		name    string
		applied []string
		ok      bool
	}{
		{"the pinned one", []string{pinned + " 1"}, true},
		{"none", nil, false},
		{"another one", []string{"other 1"}, false},
		{"another version", []string{pinned + " 2"}, false},
		{"an enforced one beside it", []string{"enforced 3", pinned + " 1", "other 1"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range 8 { // the trace is a map: any order must do
				rec := new(recorder)
				c := handled(t, applied(row.applied...), rec.option, func(o *opts) { o.Guardrail.Verify = true })
				_, err := c.Converse(t.Context(), converse("hello"))
				if row.ok {
					if err != nil {
						t.Fatal(err)
					}
					if g := rec.one(t).outcome.Guardrail; g.Version != "1" || !strings.HasSuffix(g.ARN, pinned) {
						t.Fatalf("outcome %+v", g)
					}
					continue
				}
				refusedBy(t, err, securebedrock.ErrGuardrailUnverified)
			}
		})
	}
	t.Run("an operation that carries none", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, func(o *opts) { o.Guardrail.Verify = true })
		if _, err := c.ListAsyncInvokes(t.Context(), nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("an InvokeModel stream", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, func(o *opts) { o.Guardrail.Verify = true })
		out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
		if err != nil {
			t.Fatal(err)
		}
		for range out.GetStream().Events() {
		}
		if err := out.GetStream().Err(); err != nil {
			t.Error(err)
		}
	})
}

// A cancelled stream that nobody reads has its record at once, not after
// Timeouts.Read.
func TestCancelledStreamIsRecordedAtOnce(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	rec := new(recorder)
	c := newClient(t, server, rec.option, func(o *opts) { o.Timeouts.Read = time.Minute })
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := c.ConverseStream(ctx, converseStream(longPrompt)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if r := rec.one(t); !r.outcome.Canceled || !errors.Is(r.outcome.Err, context.Canceled) {
		t.Errorf("outcome %+v", r.outcome)
	}
}

func TestStreamNamesTheCallTimeout(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	c := newClient(t, server, func(o *opts) { o.Timeouts.Call = 300 * time.Millisecond })
	out, err := c.ConverseStream(t.Context(), converseStream(longPrompt))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(out.GetStream()); err == nil || !strings.Contains(err.Error(), "Timeouts.Call") {
		t.Errorf("got %v", err)
	}
}

// A stream that begins while the client is being closed is closed with it.
func TestStreamBegunDuringClose(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	cfg := server.Config()
	var c *client
	cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("close", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, md, err := next.HandleInitialize(ctx, in)
			c.Close()
			return out, md, err
		}), middleware.Before)
	})
	o := server.Options()
	o.Timeouts.Read = time.Second
	o.Role = nil
	var err error
	if c, err = securebedrock.NewFromConfig(cfg, o); err != nil {
		t.Fatal(err)
	}
	_, _ = c.ConverseStream(context.Background(), converseStream(longPrompt))
	settled(t, "no stream left", func() bool { return streamGoroutines() == 0 })
	settled(t, "no connection left", func() bool { return server.Connections() == 0 })
}

func TestCancelledCallIsRecordedAsSuch(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("Converse", bedrocktest.StallHeaders())
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	_, err := c.Converse(ctx, converse("hello"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if r := rec.one(t); !r.outcome.Canceled {
		t.Errorf("outcome %+v", r.outcome)
	}
}
