package bedrockhttp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func open() bedrockhttp.HandlerOptions { return bedrockhttp.HandlerOptions{Open: "a test"} }

// A plain HTTP client gets Bedrock's form: the answer, its headers, and an error's.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	long := "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/" + strings.Repeat("a", 200)
	for _, e := range entries(t, c) {
		for _, row := range []struct {
			name, method, path, contentType, body string
			status                                int
			code, message                         string
		}{
			{"a Converse", "POST", "/model/" + haiku + "/converse", "application/json", converseBody, 200, "", `"stopReason":"end_turn"`},
			{"an escaped model", "POST", "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse", "application/json", converseBody, 200, "", `"stopReason":"end_turn"`},
			{"an ARN in the path", "POST", "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2F" + haiku + "/converse", "application/json", converseBody, 200, "", `"stopReason":"end_turn"`},
			{"a long ARN that is not permitted", "POST", "/model/" + strings.ReplaceAll(strings.ReplaceAll(long, ":", "%3A"), "/", "%2F") + "/converse", "application/json", converseBody, 403, "AccessDeniedException", "securebedrock: Converse: "},
			{"a member that the API does not have", "POST", "/model/" + haiku + "/converse", "application/json", `{"messages":[],"guardrail":{}}`, 400, "ValidationException", "guardrail"},
			{"OpenAI's API", "POST", "/openai/v1/chat/completions", "application/json", `{}`, 403, "AccessDeniedException", "OpenAI's Chat Completions"},
			{"Anthropic's API", "POST", "/anthropic/v1/messages", "application/json", `{}`, 403, "AccessDeniedException", "Anthropic's Messages"},
			{"a path of nobody's", "POST", "/nothing", "application/json", `{}`, 404, "UnknownOperationException", "no operation"},
			{"a method of nobody's", "DELETE", "/model/" + haiku + "/converse", "", "", 404, "UnknownOperationException", "no operation"},
			{"the root", "GET", "/", "", "", 404, "UnknownOperationException", "no operation"},
		} {
			req := request(t, t.Context(), row.method, e.url+row.path, strings.NewReader(row.body))
			req.Header.Set("Content-Type", row.contentType)
			resp, err := e.http.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			code, _, _ := strings.Cut(resp.Header.Get("X-Amzn-ErrorType"), ":")
			if resp.StatusCode != row.status || code != row.code || !strings.Contains(string(body), row.message) ||
				resp.Header.Get("Content-Type") != "application/json" || resp.ContentLength != int64(len(body)) || !json.Valid(body) {
				t.Errorf("%s: %s: %s %v %s", e.name, row.name, resp.Status, resp.Header, body)
			}
			if have := resp.Header.Get("X-Should-Retry"); (have == "false") != (row.status >= 400) {
				t.Errorf("%s: %s: X-Should-Retry is %q", e.name, row.name, have)
			}
			if row.status == 200 && resp.Header.Get("X-Amzn-Requestid") == "" {
				t.Errorf("%s: %s has no request ID", e.name, row.name)
			}
		}
	}
}

// The token counts of InvokeModel, which only Bedrock's headers have, go on.
func TestHeadersOfInvokeModel(t *testing.T) {
	c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, value := range map[string]string{
			"Content-Type": "application/json", "X-Amzn-Requestid": "the-id", "X-Amzn-Bedrock-Input-Token-Count": "7", "X-Amzn-Bedrock-Output-Token-Count": "9",
			"X-Amzn-Bedrock-Invocation-Latency": "12", "X-Amzn-Bedrock-Performanceconfig-Latency": "optimized", "X-Amzn-Bedrock-Service-Tier": "flex", "Set-Cookie": "a=b", "X-Internal": "x",
		} {
			w.Header().Set(name, value)
		}
		_, _ = io.WriteString(w, `{"é":1}`)
	})
	for _, e := range entries(t, c) {
		resp, err := e.http.Do(request(t, t.Context(), "POST", e.url+"/model/"+haiku+"/invoke", bytes.NewReader(invokeBody("Hello"))))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != `{"é":1}` {
			t.Errorf("%s: %s %s", e.name, resp.Status, body)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json", "X-Amzn-Requestid": "the-id", "X-Amzn-Bedrock-Input-Token-Count": "7", "X-Amzn-Bedrock-Output-Token-Count": "9",
			"X-Amzn-Bedrock-Invocation-Latency": "12", "X-Amzn-Bedrock-Performanceconfig-Latency": "optimized", "X-Amzn-Bedrock-Service-Tier": "flex", "Set-Cookie": "", "X-Internal": "",
		} {
			if have := strings.Join(resp.Header.Values(name), "|"); have != want {
				t.Errorf("%s: %s is %q, want %q", e.name, name, have, want)
			}
		}
	}
}

// The SDK sends a refusal once, and a throttle again.
func TestWhatTheSDKSendsAgain(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *securebedrock.Options) { o.Models = []string{"anthropic*"}; o.Retry.MaxAttempts = 1 })
	var requests atomic.Int64
	h := bedrockhttp.Handler(c, open())
	e := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { requests.Add(1); h.ServeHTTP(w, r) }), "h2c")
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		model string
		again bool
	}{
		{"a refusal", bedrocktest.Fault{}, "amazon.nova-micro-v1:0", false},
		{"an answer that cannot be used", bedrocktest.Redirect(307, "https://example.com/"), haiku, false},
		{"a denial by IAM", bedrocktest.Error(403, "AccessDeniedException", "no"), haiku, false},
		{"a throttle", bedrocktest.Throttle(1), haiku, true},
		{"an error of the server", bedrocktest.ServerError(503, 1), haiku, true},
	} {
		requests.Store(0)
		if row.fault != (bedrocktest.Fault{}) {
			server.Fail("Converse", row.fault)
		}
		in := converse("Hello")
		in.ModelId = &row.model
		_, err := e.sdk().Converse(t.Context(), in, func(o *bedrockruntime.Options) {
			o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
		})
		if (err == nil) != row.again || (requests.Load() > 1) != row.again {
			t.Errorf("%s: %d requests, %v", row.name, requests.Load(), err)
		}
	}
}

// A Handler of faulty options, or without a client, answers with the fault and makes no
// call.
func TestFaultyHandler(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	for _, row := range []struct {
		handler http.Handler
		want    string
	}{
		{bedrockhttp.Handler(c, bedrockhttp.HandlerOptions{}), "HandlerOptions.Keys"},
		{bedrockhttp.Handler(c, bedrockhttp.HandlerOptions{Open: "a test", MaxBody: -1}), "HandlerOptions.MaxBody"},
		{bedrockhttp.Handler(nil, open()), "no client"},
	} {
		e := serve(t, row.handler, "HTTP/1.1")
		_, err := e.sdk().Converse(t.Context(), converse("Hello"))
		if err == nil || !strings.Contains(err.Error(), "StatusCode: 503") || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%v, want %s", err, row.want)
		}
	}
	if calls := server.Calls(); len(calls) > 0 {
		t.Errorf("the server received %v", calls)
	}
}

// A body over the bound is refused by its length or when it passes the bound. The
// connection is closed, and the rest is not read.
func TestMaxBody(t *testing.T) {
	t.Parallel()
	server := bedrocktest.NewServer(t)
	opts := open()
	opts.MaxBody = 1 << 10
	for _, protocol := range []string{"HTTP/1.1", "h2c", "h2"} {
		var read atomic.Int64
		h := bedrockhttp.Handler(newClient(t, server), opts)
		e := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = &countedBody{r.Body, &read}
			h.ServeHTTP(w, r)
		}), protocol)
		for name, body := range map[string]io.Reader{
			"of known length":   bytes.NewReader(bytes.Repeat([]byte{' '}, 8<<20)),
			"of unknown length": io.LimitReader(zeros{}, 8<<20),
		} {
			read.Store(0)
			resp, err := e.http.Do(request(t, t.Context(), "POST", converseURL(e.url), body))
			if err != nil { // the connection may be closed before net/http has read the answer
				if protocol != "HTTP/1.1" {
					t.Errorf("%s: %s: %v", protocol, name, err)
				}
			} else {
				resp.Body.Close()
				if resp.StatusCode != http.StatusRequestEntityTooLarge || resp.Header.Get("X-Should-Retry") != "false" || protocol == "HTTP/1.1" && !resp.Close {
					t.Errorf("%s: %s: %s, close %v, %v", protocol, name, resp.Status, resp.Close, resp.Header)
				}
			}
			if n := read.Load(); n > 8<<10 || name == "of known length" && n > 0 {
				t.Errorf("%s: %s: %d bytes were read", protocol, name, n)
			}
		}
		exact := `{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`
		resp, err := e.http.Do(request(t, t.Context(), "POST", converseURL(e.url), strings.NewReader(exact+strings.Repeat(" ", 1<<10-len(exact)))))
		if err != nil || resp.StatusCode != 200 {
			t.Errorf("%s: a body of the bound's length: %v, %v", protocol, resp, err)
		}
		if resp != nil {
			resp.Body.Close()
		}
	}
	for _, call := range server.Calls() {
		if call.Operation == "Converse" && len(call.Body) > 1<<10 {
			t.Errorf("the server received %d bytes", len(call.Body))
		}
	}
}

type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}

// A body that stops arriving is refused, over each protocol. A body that arrives in time
// is not, though it takes longer in all.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	server := bedrocktest.NewServer(t)
	opts := open()
	opts.BodyTimeout = 1500 * time.Millisecond
	for _, protocol := range []string{"HTTP/1.1", "h2c", "h2"} {
		e := serve(t, bedrockhttp.Handler(newClient(t, server), opts), protocol)
		t.Run("one that stops, over "+protocol, func(t *testing.T) {
			t.Parallel()
			r, w := io.Pipe()
			defer w.Close()
			go func() { _, _ = io.WriteString(w, converseBody[:10]) }()
			resp, err := e.http.Do(request(t, t.Context(), "POST", converseURL(e.url), r))
			if err != nil {
				t.Fatal(err)
			}
			if resp.Body.Close(); resp.StatusCode != http.StatusRequestTimeout {
				t.Error(resp.Status)
			}
		})
		t.Run("one that arrives, over "+protocol, func(t *testing.T) {
			t.Parallel()
			r, w := io.Pipe()
			go func() {
				for i := range converseBody {
					if i%3 == 0 {
						time.Sleep(100 * time.Millisecond)
					}
					_, _ = io.WriteString(w, converseBody[i:i+1])
				}
				w.Close()
			}()
			resp, err := e.http.Do(request(t, t.Context(), "POST", converseURL(e.url), r))
			if err != nil {
				t.Fatal(err)
			}
			if resp.Body.Close(); resp.StatusCode != 200 {
				t.Error(resp.Status)
			}
		})
	}
}

// The bound on a body's time does not bound the model's, and no bound stays on a
// connection that is used again.
func TestDeadlinesEnd(t *testing.T) {
	t.Parallel()
	opts := open()
	opts.BodyTimeout = 700 * time.Millisecond
	c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		begin(w)
		_, _ = w.Write(delta(t, "x"))
		w.(http.Flusher).Flush()
		time.Sleep(time.Second)
		_, _ = w.Write(stop(t))
	})
	for _, protocol := range []string{"HTTP/1.1", "h2c", "h2"} {
		e := serve(t, bedrockhttp.Handler(c, opts), protocol)
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				out, err := e.sdk().ConverseStream(t.Context(), converseStream("Hello"))
				if err != nil {
					t.Fatal(err)
				}
				for range out.GetStream().Events() {
				}
				if err := out.GetStream().Close(); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second)
			}
		})
	}
}

// A caller that takes nothing of a stream is cut off, and the call upstream ends.
func TestCallerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	opts := open()
	opts.BodyTimeout = 300 * time.Millisecond
	for _, protocol := range []string{"HTTP/1.1", "h2c", "h2"} {
		var over atomic.Bool
		c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			defer over.Store(true)
			_, _ = io.Copy(io.Discard, r.Body)
			begin(w)
			event := delta(t, strings.Repeat("x", 8<<10))
			for {
				if _, err := w.Write(event); err != nil {
					return
				}
				w.(http.Flusher).Flush()
			}
		})
		e := serve(t, bedrockhttp.Handler(c, opts), protocol)
		resp, err := e.http.Do(request(t, t.Context(), "POST", e.url+"/model/"+haiku+"/converse-stream", strings.NewReader(converseBody)))
		if err != nil {
			t.Fatal(err)
		}
		soon(t, protocol+": the upstream's stream ends", over.Load)
		if _, err := io.Copy(io.Discard, resp.Body); err == nil {
			t.Errorf("%s: the stream ended well", protocol)
		}
		resp.Body.Close()
	}
}

// Requests over MaxInFlight, open streams included, get 503 at once. A request that has
// ended makes room.
func TestMaxInFlightCountsOpenStreams(t *testing.T) {
	t.Parallel()
	server := bedrocktest.NewServer(t)
	opts := open()
	opts.MaxInFlight = 2
	e := serve(t, bedrockhttp.Handler(newClient(t, server), opts), "HTTP/1.1")
	server.Fail("ConverseStream", bedrocktest.StallStream(1), bedrocktest.StallStream(1))
	var cancels []context.CancelFunc
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		cancels = append(cancels, cancel)
		out, err := e.sdk().ConverseStream(ctx, converseStream("Hello"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.GetStream().Close()
		<-out.GetStream().Events()
	}
	resp, err := e.http.Do(request(t, t.Context(), "POST", converseURL(e.url), strings.NewReader(converseBody)))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if resp.Body.Close(); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !strings.Contains(string(body), "MaxInFlight") || resp.Header.Get("X-Should-Retry") != "" {
		t.Errorf("%s %v %s", resp.Status, resp.Header, body)
	}
	cancels[0]()
	soon(t, "a request that has ended makes room", func() bool {
		_, err := e.sdk().Converse(t.Context(), converse("Hello"))
		return err == nil
	})
	cancels[1]()
}

// The log has one line for each refusal of the door, and nothing that the request said.
func TestLog(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var lines linesOfLog
	key := bedrockhttp.NewKey("billing")
	keys, err := bedrockhttp.NewKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	opts := bedrockhttp.HandlerOptions{Keys: keys, MaxBody: 1 << 10, Log: slog.New(slog.NewTextHandler(&lines, nil))}
	e := serve(t, bedrockhttp.Handler(newClient(t, server, func(o *securebedrock.Options) { o.Models = []string{"amazon*"} }), opts), "HTTP/1.1")
	for _, row := range []struct {
		name, path, body, auth string
		want                   []string // none: no line
	}{
		{"no key", "/model/secret-model/converse", converseBody, "", []string{"status=403", "operation=Converse"}},
		{"another key", "/model/secret-model/converse", converseBody, "Bearer sk-secret", []string{"status=403", "operation=Converse"}},
		{"an unknown member", "/model/secret-model/converse", `{"secret-member":"a secret"}`, "Bearer " + key.Bearer, []string{"status=400", "code=ValidationException", "operation=Converse", "caller=billing"}},
		{"an OpenAI API", "/openai/v1/responses", "{}", "Bearer " + key.Bearer, []string{"status=403", `path="OpenAI's Responses"`}},
		{"an unknown path", "/secret-path", "{}", "Bearer " + key.Bearer, []string{"status=404", "path=unknown"}},
		{"too long a body", "/model/secret-model/converse", strings.Repeat("secret ", 1<<10), "Bearer " + key.Bearer, []string{"status=413", "operation=Converse"}},
		{"a refusal of the client, which its own record has", "/model/" + haiku + "/converse", converseBody, "Bearer " + key.Bearer, nil},
	} {
		lines.reset()
		req := request(t, t.Context(), "POST", e.url+row.path, strings.NewReader(row.body))
		if row.auth != "" {
			req.Header.Set("Authorization", row.auth)
		}
		resp, err := e.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		have := lines.String()
		if n := strings.Count(have, "\n"); n != min(len(row.want), 1) {
			t.Errorf("%s: %d lines: %s", row.name, n, have)
		}
		for _, part := range row.want {
			if !strings.Contains(have, part) {
				t.Errorf("%s: %s has no %s", row.name, have, part)
			}
		}
		if strings.Contains(have, "secret") || strings.Contains(have, "Hello") || strings.Contains(have, key.Bearer) || strings.Contains(have, key.AccessKeyID) {
			t.Errorf("%s: %s", row.name, have)
		}
	}
}

type linesOfLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *linesOfLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *linesOfLog) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }
func (l *linesOfLog) reset()         { l.mu.Lock(); defer l.mu.Unlock(); l.b.Reset() }

// A request with Expect: 100-continue is told to go on when its key is known, and is
// refused before that.
func TestExpectContinue(t *testing.T) {
	server := bedrocktest.NewServer(t)
	key := bedrockhttp.NewKey("a")
	keys, err := bedrockhttp.NewKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	e := serve(t, bedrockhttp.Handler(newClient(t, server), bedrockhttp.HandlerOptions{Keys: keys}), "HTTP/1.1")
	for _, row := range []struct {
		name, bearer, first string
	}{
		{"with the key", key.Bearer, "HTTP/1.1 100 Continue"},
		{"with another", "sk", "HTTP/1.1 403 Forbidden"},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(e.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /model/%s/converse HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
			haiku, strings.TrimPrefix(e.url, "http://"), row.bearer, len(converseBody))
		r := bufio.NewReader(conn)
		line, err := r.ReadString('\n')
		if strings.TrimSpace(line) != row.first {
			t.Errorf("%s: %q, %v", row.name, line, err)
		}
		if strings.Contains(line, "100") {
			_, _ = r.ReadString('\n')
			_, _ = io.WriteString(conn, converseBody)
			if line, err = r.ReadString('\n'); !strings.Contains(line, "200") {
				t.Errorf("%s: and then %q, %v", row.name, line, err)
			}
		}
		conn.Close()
	}
}

// A Handler works behind a ResponseWriter that has neither deadlines nor Flush.
func TestPlainResponseWriter(t *testing.T) {
	server := bedrocktest.NewServer(t)
	h := bedrockhttp.Handler(newClient(t, server), open())
	for _, path := range []string{"converse", "converse-stream"} {
		req := httptest.NewRequestWithContext(t.Context(), "POST", "/model/"+haiku+"/"+path, strings.NewReader(converseBody))
		req.Host = "127.0.0.1"
		req.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		h.ServeHTTP(struct{ http.ResponseWriter }{rec}, req)
		if rec.Code != 200 || rec.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}

// The end of the server's context is no proper end of a stream.
func TestEndOfTheServersContext(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(1))
	h := bedrockhttp.Handler(newClient(t, server), open())
	ctx, cancel := context.WithCancelCause(t.Context())
	e := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r.WithContext(ctx)) }), "HTTP/1.1")
	out, err := e.sdk().ConverseStream(t.Context(), converseStream("Hello"))
	if err != nil {
		t.Fatal(err)
	}
	<-out.GetStream().Events()
	cancel(errors.New("the process ends"))
	for range out.GetStream().Events() {
	}
	if err := out.GetStream().Close(); err == nil {
		t.Error("the stream seems whole")
	}
}

// A request that is refused unread is answered before its body has arrived, and its
// connection is closed.
func TestRefusedUnread(t *testing.T) {
	t.Parallel()
	server := bedrocktest.NewServer(t)
	keys, err := bedrockhttp.NewKeys(bedrockhttp.NewKey("a"))
	if err != nil {
		t.Fatal(err)
	}
	e := serve(t, bedrockhttp.Handler(newClient(t, server), bedrockhttp.HandlerOptions{Keys: keys}), "HTTP/1.1")
	conn, err := net.Dial("tcp", strings.TrimPrefix(e.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second)) // less than BodyTimeout
	fmt.Fprintf(conn, "POST /model/%s/converse HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer sk\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n", haiku, strings.TrimPrefix(e.url, "http://"))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusForbidden || !resp.Close {
		t.Errorf("%s, close %v", resp.Status, resp.Close)
	}
}
