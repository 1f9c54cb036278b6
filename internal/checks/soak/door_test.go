package soak

import (
	"bytes"
	"context"
	"errors"
	"log"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
)

// fragile is a listener whose connections are lost sooner or later, with a reset, in the
// middle of a request or of an answer. toxiproxy leaves goroutines behind when its toxics
// come and go under load, so that a leak could not be told from its own.
type fragile struct {
	net.Listener
	cuts *atomic.Int64
}

func (f fragile) Accept() (net.Conn, error) {
	conn, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &fragileConn{Conn: conn, cuts: f.cuts}
	c.left.Store(int64(rand.ExpFloat64() * 200_000))
	return c, nil
}

type fragileConn struct {
	net.Conn
	left atomic.Int64 // bytes in either direction
	once sync.Once
	cuts *atomic.Int64
}

func (c *fragileConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wear(n)
	return n, err
}

func (c *fragileConn) Write(p []byte) (int, error) {
	if left := c.left.Load(); int64(len(p)) > left && left > 0 {
		n, err := c.Conn.Write(p[:left])
		c.wear(len(p))
		return n, errors.Join(err, net.ErrClosed)
	}
	n, err := c.Conn.Write(p)
	c.wear(n)
	return n, err
}

// wear cuts the connection where it has carried its share.
func (c *fragileConn) wear(n int) {
	if c.left.Add(-int64(n)) > 0 {
		return
	}
	c.once.Do(func() {
		c.cuts.Add(1)
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset
		}
		_ = c.Conn.Close()
	})
}

// door is a Handler before a bad upstream, behind a bad network.
type door struct {
	url                   string
	key                   bedrockhttp.Key
	arrived, inside, cuts atomic.Int64
	close                 func()
	logMu                 sync.Mutex
	log                   bytes.Buffer
}

func (d *door) Write(p []byte) (int, error) {
	d.logMu.Lock()
	defer d.logMu.Unlock()
	return d.log.Write(p)
}

// openDoor serves a Handler over HTTP/1.1 and h2c, as the sidecar does.
func openDoor(t *testing.T, c *securebedrock.Client) *door {
	t.Helper()
	d := &door{key: bedrockhttp.NewKey("soak")}
	keys, err := bedrockhttp.NewKeys(d.key)
	if err != nil {
		t.Fatal(err)
	}
	handler := bedrockhttp.Handler(c, bedrockhttp.HandlerOptions{
		Keys: keys, BodyTimeout: time.Second, Log: slog.New(slog.NewTextHandler(d, nil)),
	})
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d.arrived.Add(1)
			d.inside.Add(1)
			defer d.inside.Add(-1)
			handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 2 * time.Second, IdleTimeout: 5 * time.Second, ErrorLog: log.New(d, "", 0), Protocols: new(http.Protocols),
	}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(fragile{listener, &d.cuts}) }()
	d.url = "http://" + listener.Addr().String()
	var once sync.Once
	d.close = func() {
		once.Do(func() {
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
			<-served
		})
	}
	t.Cleanup(d.close)
	return d
}

// sdk makes plain clients of the SDK that call the door, and closes what they have
// opened. A call has a client of its own, because two streams of one plain client share
// the SDK's decoder, which is a data race of the SDK (smithy-go v1.28.8,
// eventstream.Codec).
func (d *door) sdk(secret string, h2 bool) (func() *bedrockruntime.Client, func()) {
	transport := awshttp.NewBuildableClient().GetTransport()
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(!h2)
	transport.Protocols.SetUnencryptedHTTP2(h2)
	cfg := aws.Config{
		Region: "eu-west-1", BaseEndpoint: &d.url, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider(d.key.AccessKeyID, secret, ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} }, // a call is one request
	}
	return func() *bedrockruntime.Client { return bedrockruntime.NewFromConfig(cfg) }, transport.CloseIdleConnections
}

// A fifth of the requests fail upstream, the network before the door cuts and resets, a
// tenth of the calls are cancelled, and some callers have a wrong key. Each call that the
// door makes has one record, and the door releases what it held.
func TestDoorSoak(t *testing.T) {
	b := start(t, "faults")
	before := used(t)
	r := new(records)
	c := b.client(t, r, securebedrock.Timeouts{Connect: 2 * time.Second, Read: time.Second, Call: callBound})
	d := openDoor(t, c)
	var (
		wg                        sync.WaitGroup
		done, cancelled, answered atomic.Int64
		mu                        sync.Mutex
		classes                   = map[string]int{}
	)
	end := time.Now().Add(*soakFor)
	h1, close1 := d.sdk(d.key.SecretAccessKey, false)
	h2, close2 := d.sdk(d.key.SecretAccessKey, true)
	stranger, close3 := d.sdk("a secret of nobody, long enough to be one", false)
	for i := range *callers {
		wg.Go(func() {
			for time.Now().Before(end) {
				sdk, strange := h1, rand.IntN(50) == 0
				if i%2 == 1 {
					sdk = h2
				}
				if strange {
					sdk = stranger
				}
				ctx, cancel := context.WithTimeout(t.Context(), callBound+time.Minute) // longer than any call
				if rand.IntN(10) == 0 {
					cancelled.Add(1)
					timer := time.AfterFunc(time.Duration(rand.IntN(int(100*time.Millisecond))), cancel)
					defer timer.Stop()
				}
				err := oneCall(ctx, sdk())
				cancel()
				done.Add(1)
				class := doorClass(err)
				mu.Lock()
				classes[class]++
				mu.Unlock()
				switch refused := class == "InvalidSignatureException"; {
				case err == nil && strange:
					t.Error("a caller with a wrong key is answered")
				case refused && !strange, class == "AccessDeniedException", strings.HasPrefix(class, "unexpected"):
					t.Errorf("%s: %v", class, err)
				case err == nil:
					answered.Add(1)
				}
			}
		})
	}
	wg.Wait()
	calls, wrong := r.complete()
	arrived := int(d.arrived.Load())
	if wrong != 0 || calls > arrived || arrived > int(done.Load()) || calls < int(answered.Load()) {
		t.Errorf("%d requests were made, %d arrived, %d calls are recorded, of which %d have not exactly one Outcome, and %d were answered",
			done.Load(), arrived, calls, wrong, answered.Load())
	}
	for range 200 {
		if d.inside.Load() == 0 {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	if n := d.inside.Load(); n != 0 {
		t.Errorf("%d requests are still served", n)
	}
	close1()
	close2()
	close3()
	d.close()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	d.logMu.Lock()
	for _, text := range []string{"river", d.key.SecretAccessKey, d.key.Bearer, "panic serving"} {
		if strings.Contains(d.log.String(), text) {
			t.Errorf("the log has %q", text)
		}
	}
	d.log.Reset()
	d.logMu.Unlock()
	t.Logf("%d requests in %v by %d callers, %d arrived, %d calls recorded, %d answered; %d cancelled or to be, %d cuts; %v",
		done.Load(), *soakFor, *callers, arrived, calls, answered.Load(), cancelled.Load(), d.cuts.Load(), classes)
	r.mu.Lock()
	r.calls = nil
	r.mu.Unlock()
	t.Logf("before %+v, after %+v", before, backTo(t, before))
}

// doorClass sorts what a caller of the door sees. An answer of the upstream has a request
// ID. The door's own refusals have none.
func doorClass(err error) string {
	var api smithy.APIError
	var answer *awshttp.ResponseError
	upstream := errors.As(err, &answer) && answer.RequestID != ""
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "unexpected deadline"
	case errors.As(err, &api) && upstream:
		return "upstream " + api.ErrorCode()
	case errors.As(err, &api):
		return api.ErrorCode()
	case err != nil && (strings.Contains(err.Error(), "EOF") || strings.Contains(err.Error(), "force closed")):
		return "answer cut"
	}
	return classOf(err)
}
