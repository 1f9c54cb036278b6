package bedrockhttp_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// attackDoor is a Handler on a loopback port, served as the sidecar serves it, before a
// guarded client of a Bedrock of the test's own.
type attackDoor struct {
	upstream   *bedrocktest.Server
	client     *securebedrock.Client
	keys       *bedrockhttp.Keys
	key, other bedrockhttp.Key
	addr       string
	log        lockedBuffer
	conns      atomic.Int64 // open connections of callers
	handlers   atomic.Int64 // running handlers
}

// lockedBuffer is a buffer that many goroutines write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// The limits of the test's door are short, so that the rows that meet them are.
const (
	doorMaxBody       = 1 << 20
	doorBodyTimeout   = 700 * time.Millisecond
	doorHeaderTimeout = 1500 * time.Millisecond
	doorMaxHeader     = 32 << 10
)

// newAttackDoor opens a door with two keys. change may alter the options of either side.
func newAttackDoor(t testing.TB, change ...func(*securebedrock.Options, *bedrockhttp.HandlerOptions)) *attackDoor {
	t.Helper()
	d := &attackDoor{upstream: bedrocktest.NewServer(t), key: bedrockhttp.NewKey("alice"), other: bedrockhttp.NewKey("bob")}
	var err error
	if d.keys, err = bedrockhttp.NewKeys(d.key, d.other); err != nil {
		t.Fatal(err)
	}
	opts := d.upstream.Options()
	door := bedrockhttp.HandlerOptions{
		Keys: d.keys, MaxBody: doorMaxBody, BodyTimeout: doorBodyTimeout,
		Log: slog.New(slog.NewJSONHandler(&d.log, &slog.HandlerOptions{Level: slog.LevelDebug - 8})),
	}
	for _, f := range change {
		f(&opts, &door)
	}
	if d.client, err = securebedrock.NewFromConfig(d.upstream.Config(), opts); err != nil {
		t.Fatal(err)
	}
	if err := door.Validate(); err != nil {
		t.Fatal(err)
	}
	handler := bedrockhttp.Handler(d.client, door)
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d.handlers.Add(1)
			defer d.handlers.Add(-1)
			handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: doorHeaderTimeout,
		IdleTimeout:       5 * time.Second,
		MaxHeaderBytes:    doorMaxHeader,
		Protocols:         new(http.Protocols),
		ErrorLog:          log.New(&d.log, "", 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				d.conns.Add(1)
			case http.StateClosed, http.StateHijacked:
				d.conns.Add(-1)
			}
		},
	}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = listener.Addr().String()
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(listener) }()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		<-done
		if err := d.client.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// request is the request of the Go SDK for an operation, addressed to the door and not
// signed yet.
func (d *attackDoor) request(t testing.TB, operation, prompt string) *rawRequest {
	t.Helper()
	return sdkRequest(t, d.addr, d.key, operation, prompt)
}

// signed is the same, signed with the door's key.
func (d *attackDoor) signed(t testing.TB, operation, prompt string) *rawRequest {
	t.Helper()
	r := d.request(t, operation, prompt)
	r.sign(d.key, "us-east-1", "bedrock", time.Now())
	return r
}

// dial opens a connection that ends with the test.
func (d *attackDoor) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() }) // a second Close is harmless
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// attackAnswer is what came back on a connection.
type attackAnswer struct {
	status    int // 0: the connection ended without an answer
	header    http.Header
	body      []byte
	continued bool // 100 Continue came first
	err       error
}

// verdict is the status and the code: "403 AccessDeniedException", "400", "closed".
func (a attackAnswer) verdict() string {
	if a.status == 0 {
		return "closed"
	}
	code, _, _ := strings.Cut(a.header.Get("X-Amzn-Errortype"), ":")
	return strings.TrimSpace(fmt.Sprintf("%d %s", a.status, code))
}

func (a attackAnswer) message() string {
	var m struct{ Message string }
	_ = json.Unmarshal(a.body, &m) // an answer of net/http itself is no JSON
	return m.Message
}

// send writes the bytes on a connection of their own and reads one answer.
func (d *attackDoor) send(t testing.TB, method string, raw []byte) attackAnswer {
	t.Helper()
	conn := d.dial(t)
	defer conn.Close()
	go func() { _, _ = conn.Write(raw) }() // the door may answer and close before it has read all
	return readAnswer(bufio.NewReader(conn), method)
}

// readAnswer reads one answer, and the interim answers before it.
func readAnswer(r *bufio.Reader, method string) (a attackAnswer) {
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			a.err = err
			return a
		}
		if resp.StatusCode == http.StatusContinue {
			a.continued = true
			continue
		}
		a.status, a.header = resp.StatusCode, resp.Header
		a.body, a.err = io.ReadAll(resp.Body)
		resp.Body.Close()
		return a
	}
}

// secrets are the texts that must appear in no answer and no log.
func (d *attackDoor) secrets() map[string]string {
	up := d.upstream.Credentials()
	return map[string]string{
		"the key's secret": d.key.SecretAccessKey, "the key's token": d.key.Bearer,
		"the other key's secret": d.other.SecretAccessKey, "the other key's token": d.other.Bearer,
		"the account's secret": up.SecretAccessKey,
	}
}

// shows reports what a text shows of the prompt or of a secret.
func (d *attackDoor) shows(text, canary string) error {
	var errs []error
	if canary != "" && strings.Contains(text, canary) {
		errs = append(errs, errors.New("the prompt"))
	}
	for what, secret := range d.secrets() {
		if secret != "" && strings.Contains(text, secret) {
			errs = append(errs, errors.New(what))
		}
	}
	return errors.Join(errs...)
}

// modelCalls counts the requests that the upstream received, sessions apart.
func (d *attackDoor) modelCalls() (n int) {
	for _, c := range d.upstream.Calls() {
		if c.Operation != "AssumeRole" {
			n++
		}
	}
	return n
}

// upstreamSaw reports where the upstream received a text, or a key of the door.
func (d *attackDoor) upstreamSaw(canary string) error {
	for _, c := range d.upstream.Calls() {
		var head strings.Builder
		_ = c.Header.Write(&head) // a strings.Builder does not fail
		all := c.Method + " " + c.Path + "\n" + head.String() + "\n" + string(c.Body)
		for what, text := range map[string]string{"the prompt": canary, "the door's key": d.key.AccessKeyID, "the door's token": d.key.Bearer, "the other key": d.other.AccessKeyID} {
			if text != "" && strings.Contains(all, text) {
				return fmt.Errorf("%s arrived in %s %s", what, c.Method, c.Path)
			}
		}
	}
	return nil
}

// eventually waits until f holds.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for range 400 {
		if f() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Errorf("never: %s; goroutines:\n%s", what, buf[:runtime.Stack(buf, true)])
}
