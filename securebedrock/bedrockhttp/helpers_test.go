package bedrockhttp_test

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/eventstream"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const (
	haiku     = "anthropic.claude-3-haiku-20240307-v1:0"
	callerKey = "AKIACALLERCALLERCALL"
)

// newClient is a guarded client of server, whose options the test may change.
func newClient(t testing.TB, server *bedrocktest.Server, change ...func(*securebedrock.Options)) *securebedrock.Client {
	t.Helper()
	opts := server.Options()
	for _, f := range change {
		f(&opts)
	}
	cfg := server.Config()
	c, err := securebedrock.NewFromConfig(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// entry is a way to a door.
type entry struct {
	name string
	url  string
	http *http.Client
}

// entries are all ways to a door of c.
func entries(t testing.TB, c *securebedrock.Client) []entry {
	t.Helper()
	h := bedrockhttp.Handler(c, bedrockhttp.HandlerOptions{Open: "a test"})
	return []entry{
		{"Transport", "https://bedrock-runtime.mars-north-1.amazonaws.com", &http.Client{Transport: bedrockhttp.Transport(c)}},
		serve(t, h, "HTTP/1.1"), serve(t, h, "h2c"), serve(t, h, "h2"),
	}
}

// serve serves h on loopback over a protocol.
func serve(t testing.TB, h http.Handler, protocol string) entry {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.Protocols = new(http.Protocols)
	client := new(http.Protocols)
	switch protocol {
	case "h2":
		s.EnableHTTP2 = true
		s.Config.Protocols.SetHTTP2(true)
		s.StartTLS()
	case "h2c":
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		client.SetUnencryptedHTTP2(true)
		s.Start()
	default:
		s.Config.Protocols.SetHTTP1(true)
		client.SetHTTP1(true)
		s.Start()
	}
	t.Cleanup(s.Close)
	hc := s.Client()
	if protocol != "h2" {
		hc = &http.Client{Transport: &http.Transport{Protocols: client}}
		t.Cleanup(hc.CloseIdleConnections)
	}
	return entry{protocol, s.URL, hc}
}

// sdk is a plain client of the SDK that goes through the door, with a region and keys
// of its own.
func (e entry) sdk() *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region:       "mars-north-1",
		BaseEndpoint: aws.String(e.url),
		Credentials:  credentials.NewStaticCredentialsProvider(callerKey, "the caller's secret", "the caller's session"),
		HTTPClient:   plainBodies{e.http},
		Retryer:      aws.NopRetryer{},
	})
}

// plainBodies keeps the bodies of requests clear of a flaw of the SDK, which shows over
// HTTP/1.1 where a server answers as fast as a loopback one (bedrocktest.Server.Config
// tells of it).
type plainBodies struct{ *http.Client }

// Do implements aws.HTTPClient.
func (c plainBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.Client.Do(r)
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

// upstream is a guarded client of a Bedrock that answers with handler.
func upstream(t testing.TB, handler http.HandlerFunc, change ...func(*securebedrock.Options)) *securebedrock.Client {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	opts := securebedrock.Options{
		Region: "us-east-1", Endpoint: securebedrock.Endpoint{URL: s.URL},
		Guardrail: securebedrock.Guardrail{ID: bedrocktest.DefaultGuardrailID, Version: "1"},
	}
	for _, f := range change {
		f(&opts)
	}
	c, err := securebedrock.NewFromConfig(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), HTTPClient: s.Client(),
	}, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// frame is an event of a stream as Bedrock writes it.
func frame(t testing.TB, kind, payload string) []byte {
	t.Helper()
	msg := eventstream.Message{Payload: []byte(payload)}
	msg.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue(eventstream.EventMessageType))
	msg.Headers.Set(eventstream.EventTypeHeader, eventstream.StringValue(kind))
	msg.Headers.Set(eventstream.ContentTypeHeader, eventstream.StringValue("application/json"))
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, msg); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func delta(t testing.TB, text string) []byte {
	t.Helper()
	return frame(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"`+text+`"}}`)
}

func stop(t testing.TB) []byte {
	t.Helper()
	return frame(t, "messageStop", `{"stopReason":"end_turn"}`)
}

// begin answers with a stream and sends its headers.
func begin(w http.ResponseWriter) {
	w.Header().Set("Content-Type", wire.EventStreamType)
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
}

// soon waits for a condition.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not in 20 s", what)
		}
	}
}

// upstreamPlain is a plain client of a Bedrock that answers with handler.
func upstreamPlain(t testing.TB, handler http.HandlerFunc) *bedrockruntime.Client {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return entry{"plain", s.URL, s.Client()}.sdk()
}
