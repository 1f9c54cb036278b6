package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// silent accepts connections and says nothing: no TLS handshake ends.
func silent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	}()
	return "https://" + l.Addr().String()
}

func TestTimeoutsHaveTheirOwnErrors(t *testing.T) {
	config := aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")}
	ofSilence := func(t *testing.T, timeouts securebedrock.Timeouts) *securebedrock.Client {
		c, err := securebedrock.NewFromConfig(config, opts{Region: "us-east-1", Endpoint: securebedrock.Endpoint{URL: silent(t)},
			Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"}, Timeouts: timeouts, Retry: securebedrock.Retry{MaxAttempts: 1}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	ofServer := func(fault bedrocktest.Fault, timeouts securebedrock.Timeouts, http1 bool) func(*testing.T) *securebedrock.Client {
		return func(t *testing.T) *securebedrock.Client {
			var options []bedrocktest.Option
			if http1 {
				options = append(options, bedrocktest.WithHTTP1())
			}
			server := bedrocktest.NewServer(t, options...)
			server.Fail("Converse", fault)
			return newClient(t, server, func(o *opts) { o.Timeouts, o.Retry.MaxAttempts = timeouts, 1 })
		}
	}
	read := securebedrock.Timeouts{Read: 150 * time.Millisecond}
	call := securebedrock.Timeouts{Call: 300 * time.Millisecond}
	for _, row := range []struct {
		name     string
		client   func(*testing.T) *securebedrock.Client
		rule     error
		deadline bool
	}{
		{"a handshake that never ends", func(t *testing.T) *securebedrock.Client {
			return ofSilence(t, securebedrock.Timeouts{Connect: 150 * time.Millisecond})
		}, securebedrock.ErrConnectTimeout, false},
		{"a handshake that the whole call's bound ends", func(t *testing.T) *securebedrock.Client { return ofSilence(t, call) },
			securebedrock.ErrCallTimeout, true},
		{"headers that never come, HTTP/2", ofServer(bedrocktest.StallHeaders(), read, false), securebedrock.ErrReadTimeout, false},
		{"headers that never come, HTTP/1.1", ofServer(bedrocktest.StallHeaders(), read, true), securebedrock.ErrReadTimeout, false},
		{"a call that takes too long, HTTP/2", ofServer(bedrocktest.StallHeaders(), call, false), securebedrock.ErrCallTimeout, true},
		{"a call that takes too long, HTTP/1.1", ofServer(bedrocktest.StallHeaders(), call, true), securebedrock.ErrCallTimeout, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := row.client(t)
			start := time.Now()
			_, err := c.Converse(t.Context(), converse("a secret"))
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("it took %v", d)
			}
			var typed *securebedrock.TimeoutError
			var timeout net.Error
			switch {
			case !errors.As(err, &typed) || typed.Rule != row.rule || !errors.Is(err, row.rule):
				t.Errorf("got %v", err)
			case !errors.As(err, &timeout) || !timeout.Timeout():
				t.Errorf("net.Error does not recognise it: %v", err)
			case errors.Is(err, context.DeadlineExceeded) != row.deadline:
				t.Errorf("context.DeadlineExceeded: %v", !row.deadline)
			}
			for _, other := range []error{securebedrock.ErrConnectTimeout, securebedrock.ErrReadTimeout, securebedrock.ErrCallTimeout} {
				if other != row.rule && errors.Is(err, other) {
					t.Errorf("it is also %v: %v", other, err)
				}
			}
		})
	}
	t.Run("the caller's own deadline is the caller's", func(t *testing.T) {
		c := ofServer(bedrocktest.StallHeaders(), securebedrock.Timeouts{}, false)(t)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := c.Converse(ctx, converse("hello"))
		var typed *securebedrock.TimeoutError
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &typed) {
			t.Errorf("got %v", err)
		}
	})
}

// Every byte starts Timeouts.Read anew: an answer that trickles for several times
// as long arrives.
func TestTrickleIsNoSilence(t *testing.T) {
	const answer = `{"output":{"message":{"role":"assistant","content":[{"text":"slow"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}`
	c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		flush := http.NewResponseController(w)
		for i := 0; i < len(answer); i += 12 {
			io.WriteString(w, answer[i:min(i+12, len(answer))])
			flush.Flush()
			time.Sleep(100 * time.Millisecond)
		}
	}), func(o *opts) { o.Timeouts.Read = 700 * time.Millisecond })
	start := time.Now()
	out, err := c.Converse(t.Context(), converse("hello"))
	if err != nil || textOf(t, out) != "slow" {
		t.Fatal(err)
	}
	if d := time.Since(start); d < time.Second {
		t.Errorf("the answer took %v, which shows nothing", d)
	}
}

func TestTimeouts(t *testing.T) {
	t.Run("nothing arrives", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		server.Fail("Converse", bedrocktest.StallHeaders())
		c := newClient(t, server, func(o *opts) {
			o.Timeouts = securebedrock.Timeouts{Connect: 50 * time.Millisecond, Read: 200 * time.Millisecond}
			o.Retry.MaxAttempts = 1
		})
		_, err := c.Converse(t.Context(), converse("hello"))
		if !errors.Is(err, securebedrock.ErrReadTimeout) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("half of the body arrives", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		server.Fail("Converse", bedrocktest.StallStream(0))
		c := newClient(t, server, func(o *opts) { o.Timeouts.Read = 200 * time.Millisecond; o.Retry.MaxAttempts = 1 })
		_, err := c.Converse(t.Context(), converse("hello"))
		if !errors.Is(err, securebedrock.ErrReadTimeout) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the whole call, retries included", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		server.Fail("Converse", bedrocktest.Throttle(50))
		c := newClient(t, server, func(o *opts) { o.Timeouts.Call = 500 * time.Millisecond; o.Retry.MaxAttempts = 50 })
		start := time.Now()
		_, err := c.Converse(t.Context(), converse("hello"))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Timeouts.Call") || time.Since(start) > 10*time.Second {
			t.Errorf("after %v got %v", time.Since(start), err)
		}
	})
	t.Run("a slow answer that is within its bound", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		server.Fail("Converse", bedrocktest.StallHeadersFor(300*time.Millisecond))
		c := newClient(t, server, func(o *opts) { o.Timeouts.Read = 20 * time.Second })
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Error(err)
		}
	})
}

// A server that accepts and then says nothing is given up after Timeouts.Connect.
func TestHandshakeTimeout(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	srv := &httptest.Server{URL: "https://" + l.Addr().String()}
	start := time.Now()
	err = dialled(t, srv, nil, func(o *opts) {
		o.Timeouts = securebedrock.Timeouts{Connect: 200 * time.Millisecond, Read: 20 * time.Second}
	})
	if err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// A slow reader is no silent server.
func TestSlowReaderIsNoReadTimeout(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) { o.Timeouts.Read = 200 * time.Millisecond })
	out, err := c.ConverseStream(t.Context(), converseStream(longPrompt))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(600 * time.Millisecond)
	if _, err := drain(out.GetStream()); err != nil {
		t.Error(err)
	}
}

// A request that is still on its way out is no silent server either.
func TestSlowUploadIsNoReadTimeout(t *testing.T) {
	c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 512<<10)
		for {
			time.Sleep(150 * time.Millisecond)
			if _, err := io.ReadFull(r.Body, buf); err != nil {
				break
			}
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{}`)
	}), func(o *opts) {
		o.Timeouts.Read, o.Timeouts.Connect, o.Retry.MaxAttempts = 2*time.Second, 100*time.Millisecond, 1
	})
	if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody(strings.Repeat("x", 12<<20))}); err != nil {
		t.Error(err)
	}
}

// freezer forwards TCP connections to a server until they are frozen: then nothing
// is forwarded any more, nor closed, as when a NAT has forgotten them.
type freezer struct {
	l      net.Listener
	server string

	mu     sync.Mutex
	frozen chan struct{} // of the connections so far
	dials  int
	conns  []net.Conn
}

func newFreezer(t *testing.T, server *bedrocktest.Server) *freezer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &freezer{l: l, server: strings.TrimPrefix(server.URL(), "https://"), frozen: make(chan struct{})}
	t.Cleanup(func() {
		l.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, c := range f.conns {
			c.Close()
		}
	})
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", f.server)
			if err != nil {
				in.Close()
				continue
			}
			f.mu.Lock()
			frozen := f.frozen
			f.dials++
			f.conns = append(f.conns, in, out)
			f.mu.Unlock()
			go forward(in, out, frozen)
			go forward(out, in, frozen)
		}
	}()
	return f
}

func forward(to, from net.Conn, frozen chan struct{}) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		select {
		case <-frozen:
			io.Copy(io.Discard, from) // the system still takes what is sent
			return
		default:
		}
		to.Write(buf[:n])
		if err != nil {
			to.Close()
			return
		}
	}
}

// freeze freezes the connections that there are; later ones live.
func (f *freezer) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.frozen)
	f.frozen = make(chan struct{})
}

func (f *freezer) count() int { f.mu.Lock(); defer f.mu.Unlock(); return f.dials }

// A connection whose peer has gone silent serves no second attempt and no second
// call. Over HTTP/2 its death shows, and the call is sent again; over HTTP/1.1 it
// looks as a silent model does, so that the call is not.
func TestFrozenConnection(t *testing.T) {
	for _, row := range []struct {
		name   string
		http1  bool
		resend bool
		read   time.Duration
		works  bool
	}{
		{"HTTP/2, Read 1 s", false, false, time.Second, true},
		{"HTTP/2, Read 3 s", false, false, 3 * time.Second, true},
		{"HTTP/1.1", true, false, time.Second, false},
		{"HTTP/1.1 with ResendAfterReadTimeout", true, true, time.Second, true},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stream %v", row.name, stream), func(t *testing.T) {
				t.Parallel()
				var options []bedrocktest.Option
				if row.http1 {
					options = append(options, bedrocktest.WithHTTP1())
				}
				server := bedrocktest.NewServer(t, options...)
				f := newFreezer(t, server)
				c := newClient(t, server, func(o *opts) {
					o.Endpoint.URL, o.Timeouts.Read = "https://"+f.l.Addr().String(), row.read
					o.Retry.ResendAfterReadTimeout = row.resend
				})
				call := func() error {
					if !stream {
						_, err := c.Converse(t.Context(), converse("hello"))
						return err
					}
					out, err := c.ConverseStream(t.Context(), converseStream("hello"))
					if err != nil {
						return err
					}
					defer out.GetStream().Close()
					_, err = drain(out.GetStream())
					return err
				}
				if err := call(); err != nil {
					t.Fatal(err)
				}
				before := f.count()
				f.freeze()
				start := time.Now()
				err := call()
				if d := time.Since(start); d > 2*row.read+2*time.Second {
					t.Errorf("it took %v", d)
				}
				switch {
				case row.works && err != nil:
					t.Errorf("no second attempt on a new connection: %v", err)
				case !row.works && !errors.Is(err, securebedrock.ErrReadTimeout):
					t.Errorf("got %v, want a read timeout", err)
				}
				if err := call(); err != nil {
					t.Errorf("the next call: %v", err)
				}
				if n := f.count(); n <= before {
					t.Errorf("no new connection was made: %d", n)
				}
			})
		}
	}
}

// A silent model costs the other exchanges of its HTTP/2 connection nothing.
func TestSilentModelLeavesItsConnection(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallHeadersFor(1200*time.Millisecond))
	server.Fail("Converse", bedrocktest.StallHeaders())
	f := newFreezer(t, server)
	c := newClient(t, server, func(o *opts) {
		o.Endpoint.URL, o.Timeouts.Read = "https://"+f.l.Addr().String(), 2*time.Second
	})
	if err := c.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := c.Converse(t.Context(), converse("hello")); !errors.Is(err, securebedrock.ErrReadTimeout) {
			t.Errorf("got %v", err)
		}
	})
	time.Sleep(time.Second)
	wg.Go(func() {
		out, err := c.ConverseStream(t.Context(), converseStream("hello"))
		if err != nil {
			t.Errorf("the stream beside it: %v", err)
			return
		}
		defer out.GetStream().Close()
		if _, err := drain(out.GetStream()); err != nil {
			t.Errorf("the stream beside it: %v", err)
		}
	})
	wg.Wait()
	if n := f.count(); n != 1 {
		t.Errorf("%d connections were made, want one", n)
	}
}

// The bounds of a unary call: each is named by its error and is a net.Error.
func TestUnaryTimeouts(t *testing.T) {
	for _, row := range []struct {
		name string
		set  func(*opts)
		want error
		says string
	}{
		{"Read", func(o *opts) { o.Timeouts.Read, o.Timeouts.Connect = 200*time.Millisecond, 100*time.Millisecond }, securebedrock.ErrReadTimeout, "Timeouts.Read"},
		{"Call", func(o *opts) { o.Timeouts.Call = 300 * time.Millisecond }, context.DeadlineExceeded, "Timeouts.Call"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			server.Fail("Converse", bedrocktest.StallHeaders())
			rec := new(recorder)
			c := newClient(t, server, row.set, rec.option, func(o *opts) { o.Role = nil; o.Retry.MaxAttempts = 1 })
			_, err := c.Converse(t.Context(), converse("hello"))
			var n net.Error
			if !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.says) || !errors.As(err, &n) || !n.Timeout() {
				t.Errorf("got %v", err)
			}
			if r := rec.one(t); r.outcome.Canceled || !errors.Is(r.outcome.Err, row.want) {
				t.Errorf("outcome %+v", r.outcome)
			}
		})
	}
}
