package bedrockhttp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// endless is a Bedrock whose streams go on until their client leaves, with a door
// before it.
type endless struct {
	client                        *securebedrock.Client
	door                          *httptest.Server
	streams, conns                atomic.Int64 // upstream
	handlers, callers             atomic.Int64 // at the door
	calls, outcomes, twice, clean atomic.Int64
}

func newEndless(t *testing.T, proto string) *endless {
	t.Helper()
	u := new(endless)
	count := func(n *atomic.Int64) func(net.Conn, http.ConnState) {
		return func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				n.Add(1)
			case http.StateClosed, http.StateHijacked:
				n.Add(-1)
			}
		}
	}
	up := httptest.NewUnstartedServer(http.HandlerFunc(u.serveStream))
	up.EnableHTTP2 = proto == "h2"
	up.Config.ConnState = count(&u.conns)
	up.StartTLS()
	t.Cleanup(up.Close)
	var err error
	u.client, err = securebedrock.NewFromConfig(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), HTTPClient: up.Client(),
	}, securebedrock.Options{
		Region: "us-east-1", Endpoint: securebedrock.Endpoint{URL: up.URL}, Timeouts: securebedrock.Timeouts{Read: 3 * time.Second},
		Guardrail: securebedrock.Guardrail{ID: bedrocktest.DefaultGuardrailID, Version: "1"}, Middleware: []securebedrock.Middleware{u.record},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.client.Close() })
	handler := bedrockhttp.Handler(u.client, bedrockhttp.HandlerOptions{Open: "a test", BodyTimeout: doorBodyTimeout})
	u.door = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.handlers.Add(1)
		defer u.handlers.Add(-1)
		handler.ServeHTTP(w, r)
	}))
	u.door.Config.ConnState = count(&u.callers)
	u.door.Config.Protocols = new(http.Protocols)
	u.door.Config.Protocols.SetHTTP1(true)
	u.door.Config.Protocols.SetUnencryptedHTTP2(true)
	u.door.Start()
	t.Cleanup(u.door.Close)
	return u
}

// serveStream sends 4 KiB events for ever, or 100 where the prompt asks for an end.
func (u *endless) serveStream(w http.ResponseWriter, r *http.Request) {
	u.streams.Add(1)
	defer u.streams.Add(-1)
	body, _ := io.ReadAll(r.Body) // a client that leaves here leaves below, too
	w.Header().Set("Content-Type", wire.EventStreamType)
	encoder, control := wire.NewEventEncoder(), http.NewResponseController(w)
	send := func(event wire.Event) bool {
		frame, err := encoder.Encode(event)
		if err == nil {
			_, err = w.Write(frame)
		}
		return err == nil && control.Flush() == nil && r.Context().Err() == nil
	}
	long := strings.Repeat("many words of an answer ", 170)
	converse := strings.HasSuffix(r.URL.Path, "/converse-stream")
	if converse && !send(&types.ConverseStreamOutputMemberMessageStart{Value: types.MessageStartEvent{Role: types.ConversationRoleAssistant}}) {
		return
	}
	for i := 0; i < 100 || !strings.Contains(string(body), "come to an end"); i++ {
		var event wire.Event = &types.ResponseStreamMemberChunk{Value: types.PayloadPart{Bytes: []byte(`{"completion":"` + long + `"}`)}}
		if converse {
			event = &types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{
				ContentBlockIndex: aws.Int32(0), Delta: &types.ContentBlockDeltaMemberText{Value: long}}}
		}
		if !send(event) {
			return
		}
	}
	if converse {
		send(&types.ConverseStreamOutputMemberMessageStop{Value: types.MessageStopEvent{StopReason: types.StopReasonEndTurn}})
		send(&types.ConverseStreamOutputMemberMetadata{Value: types.ConverseStreamMetadataEvent{
			Usage: &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), TotalTokens: aws.Int32(3)}, Metrics: &types.ConverseStreamMetrics{LatencyMs: aws.Int64(1)}}})
	}
}

// record counts calls and their outcomes.
func (u *endless) record(next securebedrock.Handler) securebedrock.Handler {
	return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
		u.calls.Add(1)
		var done atomic.Bool
		res, err := next(ctx, call)
		res.OnDone(func(o securebedrock.Outcome) {
			if done.Swap(true) {
				u.twice.Add(1)
			}
			if o.Err == nil && !o.Canceled {
				u.clean.Add(1)
			}
			u.outcomes.Add(1)
		})
		return res, err
	}
}

// streamRequest is a request for a stream, without a signature.
func streamRequest(operation, prompt string) *rawRequest {
	r := &rawRequest{method: http.MethodPost, proto: "HTTP/1.1", target: "/model/" + attackModel + "/converse-stream"}
	r.add("Host", "localhost")
	r.add("Content-Type", "application/json")
	r.setBody(`{"messages":[{"role":"user","content":[{"text":"` + prompt + `"}]}]}`)
	if operation != "ConverseStream" {
		r.target = "/model/" + attackModel + "/invoke-with-response-stream"
		r.setBody(string(attackBody(prompt)))
	}
	return r
}

func (u *endless) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", u.door.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func mustWrite(t *testing.T, w io.Writer, b []byte) {
	t.Helper()
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, r io.Reader, n int) {
	t.Helper()
	if _, err := io.ReadFull(r, make([]byte, n)); err != nil {
		t.Fatal(err)
	}
}

// leaving are the ways to leave a stream.
func leaving() map[string]func(t *testing.T, u *endless, r *rawRequest) {
	roundTrip := func(t *testing.T, ctx context.Context, u *endless, r *rawRequest) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, r.method, "https://bedrock-runtime.us-east-1.amazonaws.com"+r.target, strings.NewReader(string(r.body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := bedrockhttp.Transport(u.client).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	return map[string]func(t *testing.T, u *endless, r *rawRequest){
		"the caller closes after the first bytes": func(t *testing.T, u *endless, r *rawRequest) {
			conn := u.dial(t)
			mustWrite(t, conn, r.bytes())
			mustRead(t, conn, 1000)
			conn.Close()
		},
		"the caller closes at once": func(t *testing.T, u *endless, r *rawRequest) {
			conn := u.dial(t)
			mustWrite(t, conn, r.bytes())
			eventually(t, "the call is made", func() bool { return u.calls.Load() == 1 })
			conn.Close()
		},
		"the caller closes its side for writing": func(t *testing.T, u *endless, r *rawRequest) {
			conn := u.dial(t)
			mustWrite(t, conn, r.bytes())
			mustRead(t, conn, 1000)
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, conn) // until the door leaves
		},
		"the caller reads nothing and stays": func(t *testing.T, u *endless, r *rawRequest) {
			conn := u.dial(t)
			mustWrite(t, conn, r.bytes())
			eventually(t, "the call is made", func() bool { return u.calls.Load() == 1 })
			eventually(t, "the door leaves the caller", func() bool { return u.handlers.Load() == 0 })
		},
		"the caller reads a little and stays": func(t *testing.T, u *endless, r *rawRequest) {
			conn := u.dial(t)
			mustWrite(t, conn, r.bytes())
			mustRead(t, conn, 100_000)
			eventually(t, "the door leaves the caller", func() bool { return u.handlers.Load() == 0 })
		},
		"the caller opens no window in HTTP 2 and stays": func(t *testing.T, u *endless, r *rawRequest) {
			c := rawHTTP2{u.dial(t)}
			mustWrite(t, c, []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
			if err := c.frame(h2Settings, 0, 0, nil); err != nil {
				t.Fatal(err)
			}
			if err := c.request(1, r.fields(), r.body); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the call is made", func() bool { return u.calls.Load() == 1 })
			eventually(t, "the door leaves the caller", func() bool { return u.handlers.Load() == 0 })
			c.Close()
		},
		"the caller resets its stream in HTTP 2": func(t *testing.T, u *endless, r *rawRequest) {
			c := rawHTTP2{u.dial(t)}
			mustWrite(t, c, []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
			if err := c.frame(h2Settings, 0, 0, nil); err != nil {
				t.Fatal(err)
			}
			if err := c.request(1, r.fields(), r.body); err != nil {
				t.Fatal(err)
			}
			mustRead(t, c, 1000)
			if err := c.frame(h2Reset, 0, 1, []byte{0, 0, 0, 8}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the door leaves the stream", func() bool { return u.handlers.Load() == 0 })
			c.Close()
		},
		"the caller of a Transport closes the body": func(t *testing.T, u *endless, r *rawRequest) {
			resp := roundTrip(t, t.Context(), u, r)
			mustRead(t, resp.Body, 1000)
			resp.Body.Close()
		},
		"the caller of a Transport closes the body unread": func(t *testing.T, u *endless, r *rawRequest) {
			roundTrip(t, t.Context(), u, r).Body.Close()
		},
		"the caller of a Transport cancels and reads on": func(t *testing.T, u *endless, r *rawRequest) {
			ctx, cancel := context.WithCancel(t.Context())
			resp := roundTrip(t, ctx, u, r)
			mustRead(t, resp.Body, 1000)
			cancel()
			if _, err := io.Copy(io.Discard, resp.Body); err == nil {
				t.Error("a cancelled stream ends cleanly")
			}
			resp.Body.Close()
		},
		"the caller of a Transport cancels and forgets the body": func(t *testing.T, u *endless, r *rawRequest) {
			ctx, cancel := context.WithCancel(t.Context())
			mustRead(t, roundTrip(t, ctx, u, r).Body, 1000)
			cancel()
		},
	}
}

// Streams that callers leave, in any way, end upstream, have one record each that says
// so, and leave no connection, handler or goroutine behind.
func TestAbandonedStreamsEnd(t *testing.T) {
	for name, leave := range leaving() {
		for _, proto := range []string{"h1", "h2"} {
			for _, operation := range []string{"ConverseStream", "InvokeModelWithResponseStream"} {
				t.Run(name+", upstream "+proto+", "+operation, func(t *testing.T) {
					t.Parallel()
					u := newEndless(t, proto)
					leave(t, u, streamRequest(operation, "go on for ever"))
					eventually(t, "the handlers end and the callers' connections are closed", func() bool { return u.handlers.Load() == 0 && u.callers.Load() == 0 })
					eventually(t, "the stream ends upstream", func() bool { return u.streams.Load() == 0 })
					eventually(t, "the record is complete", func() bool { return u.outcomes.Load() == u.calls.Load() })
					if u.calls.Load() != 1 || u.twice.Load() != 0 || u.clean.Load() != 0 {
						t.Errorf("%d calls, %d recorded twice, %d recorded as complete", u.calls.Load(), u.twice.Load(), u.clean.Load())
					}
					u.client.Close()
					eventually(t, "the upstream's connections are closed", func() bool { return u.conns.Load() == 0 })
				})
			}
		}
	}
}

// The same in great number on one client: what the process holds afterwards is what it
// held before.
func TestAbandonedStreamsLeaveNoGoroutine(t *testing.T) {
	for _, proto := range []string{"h1", "h2"} {
		t.Run(proto, func(t *testing.T) {
			u := newEndless(t, proto)
			whole := func() {
				t.Helper()
				conn := u.dial(t)
				r := streamRequest("ConverseStream", "come to an end")
				r.add("Connection", "close")
				mustWrite(t, conn, r.bytes())
				answer, err := io.ReadAll(conn)
				if err != nil || !strings.Contains(string(answer), "messageStop") {
					t.Errorf("a whole stream of %s bytes: %v", strconv.Itoa(len(answer)), err)
				}
				conn.Close()
			}
			whole()
			eventually(t, "the door is quiet", func() bool { return u.callers.Load() == 0 && u.handlers.Load() == 0 })
			before := runtime.NumGoroutine()
			for range 50 {
				for _, operation := range []string{"ConverseStream", "InvokeModelWithResponseStream"} {
					conn := u.dial(t)
					mustWrite(t, conn, streamRequest(operation, "go on for ever").bytes())
					mustRead(t, conn, 500)
					conn.Close()
				}
			}
			eventually(t, "the streams end upstream", func() bool { return u.streams.Load() == 0 && u.handlers.Load() == 0 && u.callers.Load() == 0 })
			// The client keeps some idle connections, with two goroutines on either side.
			eventually(t, "the goroutines end", func() bool { return runtime.NumGoroutine() <= before+3*int(u.conns.Load())+4 })
			whole()
			eventually(t, "the records are complete", func() bool { return u.outcomes.Load() == u.calls.Load() })
			if u.twice.Load() != 0 || u.clean.Load() != 2 {
				t.Errorf("%d recorded twice, %d recorded as complete, want two", u.twice.Load(), u.clean.Load())
			}
		})
	}
}
