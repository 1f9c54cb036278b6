package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/eventstream"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const haiku = "anthropic.claude-3-haiku-20240307-v1:0"

// newClient is a client of server whose options the test may change.
func newClient(t testing.TB, server *bedrocktest.Server, change ...func(*securebedrock.Options)) *securebedrock.Client {
	t.Helper()
	opts := server.Options()
	for _, f := range change {
		f(&opts)
	}
	c, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func userSays(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

func converse(text string) *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), Messages: userSays(text)}
}

func converseStream(text string) *bedrockruntime.ConverseStreamInput {
	return &bedrockruntime.ConverseStreamInput{ModelId: aws.String(haiku), Messages: userSays(text)}
}

func invokeBody(text string) []byte {
	return []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"messages":[{"role":"user","content":"` + text + `"}]}`)
}

// calls is what the server received of one operation.
func calls(server *bedrocktest.Server, operation string) []bedrocktest.Call {
	var out []bedrocktest.Call
	for _, c := range server.Calls() {
		if c.Operation == operation {
			out = append(out, c)
		}
	}
	return out
}

// nothingArrived fails if any byte of any request reached the server, apart
// from STS, which holds no prompt.
func nothingArrived(t *testing.T, server *bedrocktest.Server) {
	t.Helper()
	for _, c := range server.Calls() {
		if c.Operation != "AssumeRole" {
			t.Errorf("the server received %s %s", c.Operation, c.Path)
		}
	}
}

// refusedBy fails unless err is a *PolicyError of the rule that names the
// operation.
func refusedBy(t *testing.T, err, rule error) {
	t.Helper()
	if !errors.Is(err, rule) {
		t.Fatalf("got %v, want a refusal: %v", err, rule)
	}
	var p *securebedrock.PolicyError
	if !errors.As(err, &p) {
		t.Fatalf("%T is no *PolicyError: %v", err, err)
	}
	if p.Operation == "" {
		t.Errorf("the refusal does not name its operation: %v", err)
	}
	onlyPublic(t, err)
}

// onlyPublic fails where err holds an internal refusal that no PolicyError stands
// before.
func onlyPublic(t *testing.T, err error) {
	t.Helper()
	var walk func(err error) (public, internal bool)
	walk = func(err error) (bool, bool) {
		switch e := err.(type) {
		case *securebedrock.PolicyError:
			return true, false
		case *refusal.Refusal:
			return false, true
		case interface{ Unwrap() error }:
			return walk(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, err := range e.Unwrap() {
				if public, internal := walk(err); public || internal {
					return public, internal
				}
			}
		}
		return false, false
	}
	if _, internal := walk(err); internal {
		t.Errorf("an internal refusal comes before the PolicyError: %#v", err)
	}
}

func textOf(t *testing.T, out *bedrockruntime.ConverseOutput) string {
	t.Helper()
	m, ok := out.Output.(*types.ConverseOutputMemberMessage)
	if !ok || len(m.Value.Content) == 0 {
		t.Fatalf("no message in %+v", out.Output)
	}
	return m.Value.Content[0].(*types.ContentBlockMemberText).Value
}

// drain reads a stream to its end and returns its text and error.
func drain(stream *bedrockruntime.ConverseStreamEventStream) (string, error) {
	var b strings.Builder
	for ev := range stream.Events() {
		if d, ok := ev.(*types.ConverseStreamOutputMemberContentBlockDelta); ok {
			if text, ok := d.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				b.WriteString(text.Value)
			}
		}
	}
	return b.String(), stream.Err()
}

// recorder is a middleware that keeps every call with its outcome.
type recorder struct {
	mu      sync.Mutex
	calls   []*securebedrock.Call
	records []record
	arrived chan struct{}
}

type record struct {
	call    *securebedrock.Call
	outcome securebedrock.Outcome
	err     error
}

func (r *recorder) middleware() securebedrock.Middleware {
	if r.arrived == nil {
		r.arrived = make(chan struct{}, 1<<16)
	}
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			r.mu.Lock()
			r.calls = append(r.calls, call)
			r.mu.Unlock()
			res, err := next(ctx, call)
			res.OnDone(func(o securebedrock.Outcome) {
				r.mu.Lock()
				r.records = append(r.records, record{call, o, err})
				r.mu.Unlock()
				r.arrived <- struct{}{}
			})
			return res, err
		}
	}
}

func (r *recorder) option(o *securebedrock.Options) {
	o.Middleware = append(o.Middleware, r.middleware())
}

// one waits for exactly one record.
func (r *recorder) one(t *testing.T) record {
	t.Helper()
	select {
	case <-r.arrived:
	case <-time.After(10 * time.Second):
		t.Fatal("no record arrived")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.records) != 1 {
		t.Fatalf("got %d records, want one", len(r.records))
	}
	return r.records[0]
}

// trap is another host, which must never be called.
type trap struct {
	*httptest.Server
	hits atomic.Int32
}

func newTrap(t *testing.T) *trap {
	tr := new(trap)
	tr.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tr.hits.Add(1)
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(func() {
		tr.Close()
		if n := tr.hits.Load(); n != 0 {
			t.Errorf("%d requests went to another host", n)
		}
	})
	return tr
}

// settled waits until f holds, and fails if it never does.
func settled(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 200 {
		if f() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Fatalf("%s never came true; goroutines:\n%s", what, buf[:runtime.Stack(buf, true)])
}

func asyncInput() document.Interface {
	return document.NewLazyDocument(map[string]any{"taskType": "TEXT_VIDEO"})
}

var (
	errAny      = errors.New("any error")
	errSkip     = errors.New("not for this side")
	errPanicked = errors.New("the SDK panicked")
)

func mustParse(s string) url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return *u
}

// countStreams counts, in a dump of all goroutines, those that serve a stream.
func countStreams(dump string) (n int) {
	for g := range strings.SplitSeq(dump, "\n\n") {
		for _, mark := range []string{"waitStreamClose", "readEventStream", "StreamOutputReader).pipe", "responseStreamReader).pipe", "writeStream", "securebedrock.(*stream)"} {
			if strings.Contains(g, mark) {
				n++
				break
			}
		}
	}
	return n
}

// handled is a client of an HTTPS server that answers with handler, for answers
// that a Bedrock would not give.
func handled(t *testing.T, handler http.Handler, change ...func(*securebedrock.Options)) *securebedrock.Client {
	t.Helper()
	return handledBy(t, true, handler.ServeHTTP, change...)
}

// handledBy is handled over HTTP/2 or HTTP/1.1.
func handledBy(t *testing.T, http2 bool, handler http.HandlerFunc, change ...func(*securebedrock.Options)) *securebedrock.Client {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	srv.EnableHTTP2 = http2
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	o := securebedrock.Options{
		Region:    "us-east-1",
		Endpoint:  securebedrock.Endpoint{URL: srv.URL},
		Guardrail: securebedrock.Guardrail{ID: bedrocktest.DefaultGuardrailID, Version: "1"},
	}
	for _, f := range change {
		f(&o)
	}
	c, err := securebedrock.NewFromConfig(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient: srv.Client(),
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// unproven answers well, and without a guardrail trace.
func unproven(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	if !strings.HasSuffix(r.URL.Path, "-stream") {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"output":{"message":{"role":"assistant","content":[{"text":"unproven"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}`)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	p := restjson1.New(schemas.AmazonBedrockFrontendService)
	send := func(member *smithy.Schema, v smithy.Serializable) {
		p.SerializeEventMessage(schemas.ConverseStreamOutput, member, v, w)
	}
	send(schemas.ConverseStreamOutput_messageStart, &types.MessageStartEvent{Role: types.ConversationRoleAssistant})
	send(schemas.ConverseStreamOutput_contentBlockDelta, &types.ContentBlockDeltaEvent{ContentBlockIndex: aws.Int32(0), Delta: &types.ContentBlockDeltaMemberText{Value: "unproven"}})
	send(schemas.ConverseStreamOutput_messageStop, &types.MessageStopEvent{StopReason: types.StopReasonEndTurn})
	send(schemas.ConverseStreamOutput_metadata, &types.ConverseStreamMetadataEvent{Usage: &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), TotalTokens: aws.Int32(3)}})
}

// everyOperation calls each operation with a prompt and drains what streams.
func everyOperation() map[string]func(context.Context, *client) error {
	return map[string]func(context.Context, *client) error{
		"Converse": func(ctx context.Context, c *client) error {
			_, err := c.Converse(ctx, converse("a secret"))
			return err
		},
		"ConverseStream": func(ctx context.Context, c *client) error {
			out, err := c.ConverseStream(ctx, converseStream("a secret"))
			if err != nil {
				return err
			}
			_, err = drain(out.GetStream())
			return err
		},
		"InvokeModel": func(ctx context.Context, c *client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("a secret")})
			return err
		},
		"InvokeModelWithResponseStream": func(ctx context.Context, c *client) error {
			out, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("a secret")})
			if err != nil {
				return err
			}
			for range out.GetStream().Events() {
			}
			return out.GetStream().Err()
		},
		"InvokeModelWithBidirectionalStream": func(ctx context.Context, c *client) error {
			out, err := c.InvokeModelWithBidirectionalStream(ctx, sonic())
			if err != nil {
				return err
			}
			for range out.GetStream().Events() {
			}
			err = out.GetStream().Err()
			out.GetStream().Close()
			return err
		},
		"StartAsyncInvoke": func(ctx context.Context, c *client) error {
			_, err := c.StartAsyncInvoke(ctx, startAsync())
			return err
		},
		"ApplyGuardrail": func(ctx context.Context, c *client) error {
			_, err := c.ApplyGuardrail(ctx, applyGuardrail(bedrocktest.DefaultGuardrailID, "1"))
			return err
		},
		"InvokeGuardrailChecks": func(ctx context.Context, c *client) error {
			_, err := c.InvokeGuardrailChecks(ctx, guardrailChecks())
			return err
		},
		"CountTokens": func(ctx context.Context, c *client) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku),
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("a secret")}}})
			return err
		},
		"GetAsyncInvoke": func(ctx context.Context, c *client) error {
			_, err := c.GetAsyncInvoke(ctx, &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String("arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc")})
			return err
		},
		"ListAsyncInvokes": func(ctx context.Context, c *client) error { _, err := c.ListAsyncInvokes(ctx, nil); return err },
	}
}

func excuseAll(o *opts) {
	o.UnguardedOperations = map[string]string{"InvokeModelWithBidirectionalStream": "test", "StartAsyncInvoke": "test"}
}

func guardrailChecks() *bedrockruntime.InvokeGuardrailChecksInput {
	return &bedrockruntime.InvokeGuardrailChecksInput{
		Checks: &types.GuardrailChecksConfig{
			PromptAttack: &types.GuardrailChecksPromptAttackConfig{Categories: []types.GuardrailChecksPromptAttackCategoryConfig{{Category: "JAILBREAK"}}},
		},
		Messages: []types.GuardrailChecksMessage{{Role: "user", Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: "a secret"}}}},
	}
}

type sdkOptions = bedrockruntime.Options

type elsewhere struct{ url string }

func (e elsewhere) ResolveEndpoint(context.Context, bedrockruntime.EndpointParameters) (smithyendpoints.Endpoint, error) {
	return smithyendpoints.Endpoint{URI: mustParse(e.url)}, nil
}

type interceptor func(*smithyhttp.Request)

func (f interceptor) AfterSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	f(in.Request)
	return nil
}

// eventFrame is the frame of an event.
func eventFrame(t *testing.T, kind, payload string) []byte {
	t.Helper()
	return encoded(t, eventstream.EventMessageType, eventstream.EventTypeHeader, kind, payload)
}

// exceptionFrame is the frame of an exception.
func exceptionFrame(t *testing.T, name, message string) []byte {
	t.Helper()
	return encoded(t, eventstream.ExceptionMessageType, eventstream.ExceptionTypeHeader, name, `{"message":"`+message+`"}`)
}

func encoded(t *testing.T, message, header, name, payload string) []byte {
	t.Helper()
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue(message))
	m.Headers.Set(header, eventstream.StringValue(name))
	m.Headers.Set(eventstream.ContentTypeHeader, eventstream.StringValue("application/json"))
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
