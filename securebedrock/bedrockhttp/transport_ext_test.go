package bedrockhttp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// watchedBody is a request's body that counts what is done with it.
type watchedBody struct {
	io.Reader
	closed atomic.Int64
}

func (b *watchedBody) Close() error { b.closed.Add(1); return nil }

func converseURL(host string) string { return host + "/model/" + haiku + "/converse" }

// request is a Converse for a Transport.
func request(t testing.TB, ctx context.Context, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return req
}

// A RoundTripper closes each request's body, changes nothing of the request, and gives
// the request with the answer.
func TestRoundTripperContract(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rt := bedrockhttp.Transport(newClient(t, server))
	broken := errors.New("broken")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		name   string
		ctx    func() context.Context
		method string
		url    string
		body   io.Reader
		status int
		err    error
	}{
		{"an answer", t.Context, "POST", converseURL("https://h"), strings.NewReader(converseBody), 200, nil},
		{"a refusal", t.Context, "POST", "https://h/model/global.anthropic.claude-3-haiku-20240307-v1:0/converse", strings.NewReader(converseBody), 403, nil},
		{"a body that does not decode", t.Context, "POST", converseURL("https://h"), strings.NewReader(`{"messages":[],"unknown":1}`), 400, nil},
		{"an unknown path", t.Context, "POST", "https://h/model", strings.NewReader(converseBody), 404, nil},
		{"a body that breaks off", t.Context, "POST", converseURL("https://h"), io.MultiReader(strings.NewReader("{"), errorReader{broken}), 0, broken},
		{"a body over the bound", t.Context, "POST", converseURL("https://h"), io.LimitReader(zeros{}, 40<<20), 413, nil},
		{"a context that is over", func() context.Context { return canceled }, "POST", converseURL("https://h"), strings.NewReader(converseBody), 0, context.Canceled},
		{"an OpenAI API", t.Context, "POST", "https://h/openai/v1/chat/completions", strings.NewReader("{}"), 403, nil},
		{"a list, with an empty body", t.Context, "GET", "https://h/async-invoke", strings.NewReader(""), 200, nil},
	} {
		body := &watchedBody{Reader: row.body}
		req := request(t, row.ctx(), row.method, row.url, body)
		if row.method == "GET" {
			req.Header.Del("Content-Type")
		}
		req.Header.Set("Authorization", "Bearer token")
		req.Header.Set("Expect", "100-continue")
		header, url := maps.Clone(req.Header), req.URL.String()
		resp, err := rt.RoundTrip(req)
		if !errors.Is(err, row.err) || (err == nil) != (row.err == nil) {
			t.Errorf("%s: %v", row.name, err)
		}
		if body.closed.Load() == 0 {
			t.Errorf("%s: the body is not closed", row.name)
		}
		if !maps.EqualFunc(header, req.Header, func(a, b []string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) || req.URL.String() != url || req.Body != io.ReadCloser(body) {
			t.Errorf("%s: the request is changed: %v %v", row.name, req.URL, req.Header)
		}
		if err != nil {
			continue
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != row.status || resp.Request != req || resp.ContentLength != int64(len(b)) || resp.Header.Get("Content-Length") == "" || !strings.HasPrefix(resp.Status, fmt.Sprint(row.status, " ")) {
			t.Errorf("%s: %s %d %v %s, %v", row.name, resp.Status, resp.ContentLength, resp.Header, b, err)
		}
		resp.Body.Close()
	}
}

// Requests that are made by hand may lack what http.NewRequest sets.
func TestRequestsMadeByHand(t *testing.T) {
	rt := bedrockhttp.Transport(newClient(t, bedrocktest.NewServer(t)))
	list := &url.URL{Scheme: "https", Host: "h", Path: "/async-invoke"}
	body := &watchedBody{Reader: strings.NewReader("{}")}
	for _, req := range []*http.Request{{}, {Method: "POST", Body: body, Header: http.Header{}}} {
		if resp, err := rt.RoundTrip(req); err == nil || !strings.Contains(err.Error(), "URL") {
			t.Errorf("a request without a URL: %v, %v", resp, err)
		}
	}
	if body.closed.Load() == 0 {
		t.Error("the body is not closed")
	}
	for name, do := range map[string]func(*http.Request) (*http.Response, error){"RoundTrip": rt.RoundTrip, "http.Client": (&http.Client{Transport: rt}).Do} {
		if resp, err := do(&http.Request{URL: list}); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s without a method and a header: %v, %v", name, resp, err)
		}
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A GET has no body. Content-Length is unknown where the body's length is.
func TestBodiesOfAnyLength(t *testing.T) {
	server := bedrocktest.NewServer(t)
	hc := &http.Client{Transport: bedrockhttp.Transport(newClient(t, server))}
	for _, row := range []struct {
		name, method, url string
		body              io.Reader
		status            int
	}{
		{"no body", "GET", "https://h/async-invoke", nil, 200},
		{"http.NoBody", "GET", "https://h/async-invoke", http.NoBody, 200},
		{"a body of known length", "POST", converseURL("https://h"), strings.NewReader(converseBody), 200},
		{"a body of unknown length", "POST", converseURL("https://h"), io.MultiReader(strings.NewReader(converseBody)), 200},
		{"no body where one is needed", "POST", converseURL("https://h"), nil, 400},
	} {
		req := request(t, t.Context(), row.method, row.url, row.body)
		if row.method == "GET" {
			req.Header.Del("Content-Type")
		}
		resp, err := hc.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		if resp.Body.Close(); resp.StatusCode != row.status {
			t.Errorf("%s: %s %s", row.name, resp.Status, b)
		}
	}
}

// The host, the scheme, the signature and the token of a request have no effect: nothing
// is sent there, and nothing of them is sent on.
func TestNothingOfTheRequestMovesTheCall(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var dialled atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { dialled.Add(1) }))
	t.Cleanup(elsewhere.Close)
	t.Setenv("HTTPS_PROXY", elsewhere.URL)
	t.Setenv("HTTP_PROXY", elsewhere.URL)
	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "sk-of-the-environment")
	t.Setenv("AWS_ENDPOINT_URL", elsewhere.URL)
	rt := bedrockhttp.Transport(newClient(t, server))
	for _, host := range []string{elsewhere.URL, "http://169.254.169.254", "ftp://x", "https://bedrock-runtime.us-west-2.amazonaws.com", "http://user:pass@h"} {
		req := request(t, t.Context(), "POST", converseURL(host), strings.NewReader(converseBody))
		for name, value := range map[string]string{
			"Authorization": "Bearer sk-of-the-caller", "X-Amz-Security-Token": "sk-session", "X-Amz-Date": "20200101T000000Z", "Cookie": "sk-cookie",
			"Host": "evil.example", "X-Forwarded-For": "sk-forwarded", "X-Api-Key": "sk-key", "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
		} {
			req.Header.Set(name, value)
		}
		req.Host = "evil.example"
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != 200 {
			t.Errorf("%s: %s", host, resp.Status)
		}
	}
	if dialled.Load() > 0 {
		t.Errorf("the other host got %d requests", dialled.Load())
	}
	for _, call := range server.Calls() {
		if all := fmt.Sprint(call.Header, call.Path, string(call.Body)); strings.Contains(all, "sk-") || strings.Contains(all, "evil") || strings.Contains(all, "UNSIGNED") || call.AuthScheme != "AWS4-HMAC-SHA256" {
			t.Errorf("%s: %s", call.Operation, all)
		}
	}
}

// The end of the request's context is the error of RoundTrip, also while the body, which
// never ends, is read, and while the model is silent.
func TestContextOfTheRequest(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rt := bedrockhttp.Transport(newClient(t, server))
	for _, row := range []struct {
		name string
		body func() (io.Reader, func())
	}{
		{"while the body is read", func() (io.Reader, func()) { r, w := io.Pipe(); return r, func() { w.Close() } }},
		{"while the model is silent", func() (io.Reader, func()) {
			server.Fail("Converse", bedrocktest.StallHeaders())
			return strings.NewReader(converseBody), func() {}
		}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		body, free := row.body()
		resp, err := rt.RoundTrip(request(t, ctx, "POST", converseURL("https://h"), body))
		if resp != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, %v", row.name, resp, err)
		}
		cancel()
		free()
	}
}

// A body that ends with the context or with Close says so, and never seems whole.
func TestEndsOfAStreamedBody(t *testing.T) {
	c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		begin(w)
		_, _ = w.Write(delta(t, "x"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	rt := bedrockhttp.Transport(c)
	for _, row := range []struct {
		name string
		end  func(cancel func(), resp *http.Response)
		want error
	}{
		{"the context ends", func(cancel func(), _ *http.Response) { cancel() }, context.Canceled},
		{"the body is closed", func(_ func(), resp *http.Response) { resp.Body.Close() }, http.ErrBodyReadAfterClose},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := rt.RoundTrip(request(t, ctx, "POST", "https://h/model/"+haiku+"/converse-stream", strings.NewReader(converseBody)))
		if err != nil {
			t.Fatal(err)
		}
		first := delta(t, "x")
		if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(50 * time.Millisecond)
			row.end(cancel, resp)
		}()
		rest, err := io.ReadAll(resp.Body)
		if !errors.Is(err, row.want) || len(rest) > len(first)+64 {
			t.Errorf("%s: %q, %v", row.name, rest, err)
		}
		if _, err := resp.Body.Read(make([]byte, 1)); !errors.Is(err, row.want) {
			t.Errorf("%s: and then %v", row.name, err)
		}
		resp.Body.Close()
		cancel()
	}
}

// Small reads get the bytes of large ones, and a Read gets at most one event.
func TestReadsOfAnySize(t *testing.T) {
	events := [][]byte{delta(t, "one"), delta(t, "two"), stop(t)}
	c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		begin(w)
		_, _ = w.Write(bytes.Join(events, nil))
	})
	var whole []byte
	for _, size := range []int{64 << 10, 1, 7} {
		resp, err := bedrockhttp.Transport(c).RoundTrip(request(t, t.Context(), "POST", "https://h/model/"+haiku+"/converse-stream", strings.NewReader(converseBody)))
		if err != nil {
			t.Fatal(err)
		}
		var all []byte
		reads := 0
		for {
			p := make([]byte, size)
			n, err := resp.Body.Read(p)
			all = append(all, p[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			reads++
		}
		resp.Body.Close()
		if whole == nil {
			if whole = all; reads != len(events) {
				t.Errorf("%d reads of %d events", reads, len(events))
			}
		}
		if !bytes.Equal(all, whole) {
			t.Errorf("reads of %d: %q, want %q", size, all, whole)
		}
	}
}

// A Transport without a client is an error, and closes the body.
func TestTransportWithoutAClient(t *testing.T) {
	body := &watchedBody{Reader: strings.NewReader("{}")}
	if resp, err := bedrockhttp.Transport(nil).RoundTrip(request(t, t.Context(), "POST", converseURL("https://h"), body)); err == nil || resp != nil || body.closed.Load() == 0 {
		t.Errorf("%v, %v", resp, err)
	}
}

// A client that is closed is unavailable.
func TestClosedClient(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	all := entries(t, c)
	c.Close()
	for _, e := range all {
		_, err := e.sdk().Converse(t.Context(), converse("Hello"))
		if err == nil || !strings.Contains(err.Error(), "StatusCode: 503") || !strings.Contains(err.Error(), securebedrock.ErrClosed.Error()) {
			t.Errorf("%s: %v", e.name, err)
		}
	}
}
