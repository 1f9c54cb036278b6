package securebedrock_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// The benchmarks put the plain SDK (client=sdk) beside this library (client=ours)
// over the same server in the same process. Both send the same request: the plain
// client's input carries the guardrail, the bound and the metadata that ours adds.
// internal/checks/bench/run runs them, interleaved, and writes docs/benchmarks.md.

const benchAnswer = `{"output":{"message":{"role":"assistant","content":[{"text":"The Danube."}]}},"stopReason":"end_turn","usage":{"inputTokens":9,"outputTokens":5,"totalTokens":14},"metrics":{"latencyMs":1}}`

// benchAPI is what both sides have.
type benchAPI interface {
	Converse(context.Context, *bedrockruntime.ConverseInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseOutput, error)
	ConverseStream(context.Context, *bedrockruntime.ConverseStreamInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseStreamOutput, error)
}

// benchSide makes a client, and the inputs that its user writes.
type benchSide struct {
	name string
	make func(b *testing.B, cfg aws.Config, canned aws.HTTPClient) (benchAPI, func())
	full bool // the input carries what ours adds
}

func benchSides() []benchSide {
	return []benchSide{
		{"sdk", func(_ *testing.B, cfg aws.Config, canned aws.HTTPClient) (benchAPI, func()) {
			if canned != nil {
				cfg.HTTPClient = canned
			}
			c := bedrockruntime.NewFromConfig(cfg)
			return c, func() {} // the SDK's client cannot be closed
		}, true},
		{"ours", func(b *testing.B, cfg aws.Config, canned aws.HTTPClient) (benchAPI, func()) {
			o := securebedrock.Options{
				Region: "us-east-1", Residency: []string{"us-east-1", "us-east-2", "us-west-2"},
				Guardrail: securebedrock.Guardrail{ID: "gr0123456789", Version: "1"}, Middleware: []securebedrock.Middleware{counting()},
			}
			if cfg.BaseEndpoint != nil {
				o.Endpoint.URL = *cfg.BaseEndpoint
			}
			c, err := securebedrock.NewFromConfig(cfg, o)
			if err != nil {
				b.Fatal(err)
			}
			if canned != nil {
				c.WithoutNetwork(canned)
			}
			return c, func() { c.Close() }
		}, false},
	}
}

// counting is a recording middleware.
func counting() securebedrock.Middleware {
	var tokens atomic.Int64
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			res, err := next(ctx, call)
			res.OnDone(func(o securebedrock.Outcome) { tokens.Add(o.Usage.TotalTokens) })
			return res, err
		}
	}
}

const benchModel = "us.anthropic.claude-3-haiku-20240307-v1:0"

func (s benchSide) input(model, prompt string) *bedrockruntime.ConverseInput {
	in := &bedrockruntime.ConverseInput{ModelId: &model, Messages: userSays(prompt)}
	if s.full {
		in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(1024)}
		in.RequestMetadata = map[string]string{"securebedrock-call-id": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
		in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("gr0123456789"), GuardrailVersion: aws.String("1"), Trace: types.GuardrailTraceEnabled}
	}
	return in
}

func (s benchSide) streamInput() *bedrockruntime.ConverseStreamInput {
	in := &bedrockruntime.ConverseStreamInput{ModelId: aws.String(benchModel), Messages: userSays("hello")}
	if s.full {
		in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(1024)}
		in.RequestMetadata = map[string]string{"securebedrock-call-id": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
		in.GuardrailConfig = &types.GuardrailStreamConfiguration{GuardrailIdentifier: aws.String("gr0123456789"), GuardrailVersion: aws.String("1"),
			Trace: types.GuardrailTraceEnabled, StreamProcessingMode: types.GuardrailStreamProcessingModeSync}
	}
	return in
}

// benchStream is a stream of n events as Bedrock sends it.
func benchStream(n int) []byte {
	var b bytes.Buffer
	p := restjson1.New(schemas.AmazonBedrockFrontendService)
	p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStart, &types.MessageStartEvent{Role: types.ConversationRoleAssistant}, &b)
	for range n - 3 {
		p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_contentBlockDelta,
			&types.ContentBlockDeltaEvent{ContentBlockIndex: aws.Int32(0), Delta: &types.ContentBlockDeltaMemberText{Value: "The Danube is a river. "}}, &b)
	}
	p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStop, &types.MessageStopEvent{StopReason: types.StopReasonEndTurn}, &b)
	p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_metadata,
		&types.ConverseStreamMetadataEvent{Usage: &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), TotalTokens: aws.Int32(3)}}, &b)
	return b.Bytes()
}

// cannedHTTP answers without a network.
type cannedHTTP func() (contentType string, body io.ReadCloser)

// Do implements aws.HTTPClient.
func (c cannedHTTP) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	kind, body := c()
	return &http.Response{StatusCode: http.StatusOK, Body: body, ContentLength: -1, Request: r,
		Header: http.Header{"Content-Type": {kind}, "X-Amzn-Requestid": {"8d0a1b8a-0000-4000-8000-000000000000"}}}, nil
}

func benchConfig() aws.Config {
	return aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")}
}

// benchServer answers over TLS after a delay. handshakes counts what it shook.
func benchServer(b *testing.B, proto string, delay time.Duration) (cfg aws.Config, handshakes *atomic.Int64) {
	stream := benchStream(1000)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if strings.Contains(r.URL.Path, "throttled") {
			w.Header().Set("X-Amzn-Errortype", "ThrottlingException")
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"message":"no"}`)
			return
		}
		if delay > 0 {
			time.Sleep(delay)
		}
		if strings.HasSuffix(r.URL.Path, "-stream") {
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			w.Write(stream)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(benchAnswer)))
		io.WriteString(w, benchAnswer)
	}))
	handshakes = new(atomic.Int64)
	srv.EnableHTTP2 = proto == "h2"
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{VerifyConnection: func(tls.ConnectionState) error { handshakes.Add(1); return nil }}
	srv.StartTLS()
	b.Cleanup(srv.Close)
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	cfg = benchConfig()
	cfg.BaseEndpoint = aws.String(srv.URL)
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.TLSClientConfig.RootCAs = roots })
	return cfg, handshakes
}

// callAll spreads b.N calls over callers, and reports calls per second.
func callAll(b *testing.B, callers int, call func() error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	start := time.Now()
	for range callers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "calls/s")
}

// Unary calls one after the other: the cost of the code, without a network, and
// with TLS on loopback.
func BenchmarkUnary(b *testing.B) {
	for _, network := range []string{"none", "h1", "h2"} {
		for _, size := range []int{1 << 10, 100 << 10} {
			prompt := strings.Repeat("x", size)
			for _, side := range benchSides() {
				b.Run(fmt.Sprintf("net=%s/prompt=%dKB/client=%s", network, size>>10, side.name), func(b *testing.B) {
					cfg, canned := benchConfig(), aws.HTTPClient(nil)
					if network == "none" {
						canned = cannedHTTP(func() (string, io.ReadCloser) {
							return "application/json", io.NopCloser(strings.NewReader(benchAnswer))
						})
					} else {
						cfg, _ = benchServer(b, network, 0)
					}
					c, done := side.make(b, cfg, canned)
					defer done()
					b.ReportAllocs()
					for b.Loop() {
						if _, err := c.Converse(context.Background(), side.input(benchModel, prompt)); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// Many callers at once, of a server that takes 20 ms to answer.
func BenchmarkCallers(b *testing.B) {
	for _, proto := range []string{"h1", "h2"} {
		for _, callers := range []int{1, 32, 256} {
			for _, side := range benchSides() {
				b.Run(fmt.Sprintf("net=%s/callers=%d/client=%s", proto, callers, side.name), func(b *testing.B) {
					cfg, handshakes := benchServer(b, proto, 20*time.Millisecond)
					c, done := side.make(b, cfg, nil)
					defer done()
					callAll(b, callers, func() error {
						_, err := c.Converse(context.Background(), side.input(benchModel, "hello"))
						return err
					})
					b.ReportMetric(float64(handshakes.Load())/float64(b.N), "handshakes/op")
				})
			}
		}
	}
}

// A stream of 1,000 events, read to its end.
func BenchmarkStream(b *testing.B) {
	events := benchStream(1000)
	for _, network := range []string{"none", "h2"} {
		for _, side := range benchSides() {
			b.Run(fmt.Sprintf("net=%s/events=1000/client=%s", network, side.name), func(b *testing.B) {
				cfg, canned := benchConfig(), aws.HTTPClient(nil)
				if network == "none" {
					canned = cannedHTTP(func() (string, io.ReadCloser) {
						return "application/vnd.amazon.eventstream", io.NopCloser(bytes.NewReader(events))
					})
				} else {
					cfg, _ = benchServer(b, network, 0)
				}
				c, done := side.make(b, cfg, canned)
				defer done()
				b.ReportAllocs()
				for b.Loop() {
					out, err := c.ConverseStream(context.Background(), side.streamInput())
					if err != nil {
						b.Fatal(err)
					}
					n := 0
					for range out.GetStream().Events() {
						n++
					}
					if err := errors.Join(out.GetStream().Err(), out.GetStream().Close()); err != nil || n != 1000 {
						b.Fatal(n, err)
					}
				}
			})
		}
	}
}

// A new client and its first call, TLS handshake included.
func BenchmarkFirstCall(b *testing.B) {
	for _, side := range benchSides() {
		b.Run("net=h2/client="+side.name, func(b *testing.B) {
			cfg, _ := benchServer(b, "h2", 0)
			roots := cfg.HTTPClient.(*awshttp.BuildableClient).GetTransport().TLSClientConfig.RootCAs
			b.ReportAllocs()
			for b.Loop() {
				cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.TLSClientConfig.RootCAs = roots })
				c, done := side.make(b, cfg, nil)
				if _, err := c.Converse(context.Background(), side.input(benchModel, "hello")); err != nil {
					b.Fatal(err)
				}
				done()
			}
		})
	}
}

// What 1,000 open streams hold in memory, heap and stacks.
func BenchmarkOpenStreams(b *testing.B) {
	const streams = 1000
	first := benchStream(1000)[:4096]
	for _, side := range benchSides() {
		b.Run("net=none/client="+side.name, func(b *testing.B) {
			release := make(chan struct{})
			c, done := side.make(b, benchConfig(), cannedHTTP(func() (string, io.ReadCloser) {
				return "application/vnd.amazon.eventstream", &stalledBody{r: bytes.NewReader(first), release: release}
			}))
			defer done()
			for b.Loop() {
				before := inUse()
				var open []*bedrockruntime.ConverseStreamEventStream
				for range streams {
					out, err := c.ConverseStream(context.Background(), side.streamInput())
					if err != nil {
						b.Fatal(err)
					}
					<-out.GetStream().Events()
					open = append(open, out.GetStream())
				}
				b.ReportMetric(float64(inUse()-before)/streams, "B/stream")
				for _, s := range open {
					s.Close()
				}
			}
			close(release)
		})
	}
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// stalledBody sends what it has and then waits until it is closed.
type stalledBody struct {
	r       *bytes.Reader
	release chan struct{}
	closed  chan struct{}
	once    sync.Once
	mu      sync.Mutex
}

func (s *stalledBody) wait() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil {
		s.closed = make(chan struct{})
	}
	return s.closed
}

func (s *stalledBody) Read(p []byte) (int, error) {
	if s.r.Len() > 0 {
		return s.r.Read(p)
	}
	select {
	case <-s.wait():
	case <-s.release:
	}
	return 0, io.ErrClosedPipe
}

func (s *stalledBody) Close() error {
	s.once.Do(func() { close(s.wait()) })
	return nil
}

// Model B while model A is throttled without end: 8 callers each, for two seconds
// whatever b.N. The plain client has the SDK's adaptive retries.
func BenchmarkThrottledNeighbour(b *testing.B) {
	for _, beside := range []bool{false, true} {
		for _, side := range benchSides() {
			b.Run(fmt.Sprintf("throttled=%v/client=%s", beside, side.name), func(b *testing.B) {
				cfg, _ := benchServer(b, "h2", 2*time.Millisecond)
				cfg.Retryer = func() aws.Retryer { return retry.NewAdaptiveMode() }
				c, done := side.make(b, cfg, nil)
				defer done()
				ctx, cancel := context.WithCancel(context.Background())
				var wg sync.WaitGroup
				var answered atomic.Int64
				call := func(model string) {
					for ctx.Err() == nil {
						if _, err := c.Converse(ctx, side.input(model, "hello")); err == nil {
							answered.Add(1)
						}
					}
				}
				if beside {
					for range 8 {
						wg.Go(func() { call("anthropic.throttled-v1:0") })
					}
					time.Sleep(time.Second) // the throttles are under way
				}
				start := time.Now()
				for range 8 {
					wg.Go(func() { call(benchModel) })
				}
				time.Sleep(2 * time.Second)
				n, took := answered.Load(), time.Since(start)
				cancel()
				wg.Wait()
				b.ReportMetric(float64(n)/took.Seconds(), "calls/s")
			})
		}
	}
}
