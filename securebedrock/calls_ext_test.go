package securebedrock_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Shutdown gives every Outcome before it returns: of calls on their way, of open
// streams, of bidirectional ones, and of calls that a Middleware still holds.
func TestShutdownLosesNoOutcome(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		call  func(ctx context.Context, c *client) error
	}{
		{"unary", bedrocktest.StallHeadersFor(500 * time.Millisecond), func(ctx context.Context, c *client) error {
			_, err := c.Converse(ctx, converse("hello"))
			return err
		}},
		{"a stream", bedrocktest.Fault{}, func(ctx context.Context, c *client) error {
			out, err := c.ConverseStream(ctx, converseStream(longPrompt))
			if err != nil {
				return err
			}
			time.Sleep(300 * time.Millisecond)
			_, err = drain(out.GetStream())
			return err
		}},
		{"bidirectional", bedrocktest.Fault{}, func(ctx context.Context, c *client) error {
			out, err := c.InvokeModelWithBidirectionalStream(ctx, sonic())
			if err != nil {
				return err
			}
			es := out.GetStream()
			if err := say(ctx, es); err != nil {
				return err
			}
			time.Sleep(300 * time.Millisecond)
			<-es.Events()
			return es.Close()
		}},
		{"a call within a Middleware", bedrocktest.Fault{}, func(ctx context.Context, c *client) error {
			_, err := c.Converse(context.WithValue(ctx, nestedKey{}, c), converse("hello"))
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			var entered atomic.Int32
			slow := func(o *opts) { // an OnDone that takes its time
				o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
					return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
						entered.Add(1)
						if c, ok := ctx.Value(nestedKey{}).(*client); ok && call.Operation == "Converse" {
							time.Sleep(300 * time.Millisecond)
							if _, err := c.ApplyGuardrail(ctx, applyGuardrail(bedrocktest.DefaultGuardrailID, "1")); err != nil {
								return nil, err
							}
						}
						res, err := next(ctx, call)
						res.OnDone(func(securebedrock.Outcome) { time.Sleep(50 * time.Millisecond) })
						return res, err
					}
				})
			}
			c := newClient(t, server, excuseDuplex, slow, rec.option)
			const n = 20
			var wg sync.WaitGroup
			for range n {
				server.Fail("Converse", row.fault)
				wg.Go(func() {
					if err := row.call(t.Context(), c); err != nil {
						t.Error(err)
					}
				})
			}
			settled(t, "all are under way", func() bool { return entered.Load() >= n })
			if err := c.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			rec.mu.Lock()
			got := len(rec.records)
			rec.mu.Unlock()
			if want := map[bool]int{true: 2 * n, false: n}[strings.Contains(row.name, "within")]; got != want {
				t.Errorf("%d outcomes at the end of Shutdown, want %d", got, want)
			}
			_, err := c.Converse(t.Context(), converse("hello"))
			refusedBy(t, err, securebedrock.ErrClosed)
			wg.Wait()
			settled(t, "no connection left", func() bool { return server.Connections() == 0 })
		})
	}
}

type nestedKey struct{}

// New calls are refused while Shutdown waits, and their refusals are recorded.
func TestShutdownRefusesNewCalls(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	out, err := c.ConverseStream(t.Context(), converseStream(longPrompt))
	if err != nil {
		t.Fatal(err)
	}
	down := make(chan error, 1)
	go func() { down <- c.Shutdown(t.Context()) }()
	settled(t, "new calls are refused", func() bool {
		_, err := c.Converse(t.Context(), converse("hello"))
		return errors.Is(err, securebedrock.ErrClosed)
	})
	if _, err := c.Runtime().Converse(t.Context(), converse("hello")); !errors.Is(err, securebedrock.ErrClosed) {
		t.Errorf("Runtime: %v", err)
	}
	if text, err := drain(out.GetStream()); err != nil || text == "" {
		t.Errorf("the open stream: %q, %v", text, err)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
	for range 2 { // again, in any order
		if err := errors.Join(c.Close(), c.Shutdown(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

// Where the context ends first, what is in flight ends with an error, and its
// Outcome is given all the same.
func TestShutdownThatCannotWait(t *testing.T) {
	for _, row := range []struct {
		name string
		call func(c *client) error
	}{
		{"unary", func(c *client) error { _, err := c.Converse(t.Context(), converse("hello")); return err }},
		{"a stream", func(c *client) error {
			out, err := c.ConverseStream(t.Context(), converseStream("hello"))
			if err == nil {
				_, err = drain(out.GetStream())
			}
			return err
		}},
		{"bidirectional", func(c *client) error {
			out, err := c.InvokeModelWithBidirectionalStream(t.Context(), sonic())
			if err != nil {
				return err
			}
			for range out.GetStream().Events() {
			}
			return out.GetStream().Err()
		}},
	} {
		for _, h := range []struct {
			name    string
			options []bedrocktest.Option
		}{{"HTTP2", nil}, {"HTTP1", []bedrocktest.Option{bedrocktest.WithHTTP1()}}} {
			if row.name == "bidirectional" && h.name == "HTTP1" {
				continue
			}
			t.Run(row.name+"/"+h.name, func(t *testing.T) {
				server := bedrocktest.NewServer(t, h.options...)
				for _, op := range []string{"Converse", "ConverseStream", "InvokeModelWithBidirectionalStream"} {
					server.Fail(op, bedrocktest.StallStream(0))
				}
				rec := new(recorder)
				c := newClient(t, server, excuseDuplex, rec.option)
				done := make(chan error, 1)
				go func() { done <- row.call(c) }()
				settled(t, "the call arrived", func() bool { return len(server.Calls()) == 1 })
				time.Sleep(100 * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				if err := c.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				rec.mu.Lock()
				if len(rec.records) != 1 || rec.records[0].outcome.Err == nil || rec.records[0].outcome.Attempts != 1 {
					t.Errorf("at the end of Shutdown: %+v", rec.records)
				}
				rec.mu.Unlock()
				if err := <-done; err == nil {
					t.Error("the call got no error")
				}
				settled(t, "no connection left", func() bool { return server.Connections() == 0 })
			})
		}
	}
}

// Whatever Shutdown ends early says so by ErrClosed, in a PolicyError that names the
// operation: what waits for an answer, what reads one, and what waits for credentials.
func TestShutdownSaysWhatItEnded(t *testing.T) {
	duplex := func(c *client) error {
		out, err := c.InvokeModelWithBidirectionalStream(t.Context(), sonic())
		if err != nil {
			return err
		}
		for range out.GetStream().Events() {
		}
		return out.GetStream().Err()
	}
	stream := func(c *client) error {
		out, err := c.ConverseStream(t.Context(), converseStream(longPrompt))
		if err != nil {
			return err
		}
		_, err = drain(out.GetStream())
		return err
	}
	const duplexName = "InvokeModelWithBidirectionalStream"
	for _, row := range []struct {
		name, operation string
		fault           bedrocktest.Fault
		change          func(o *opts)
		call            func(c *client) error
	}{
		{"unary, before the answer", "Converse", bedrocktest.StallHeaders(), nil, func(c *client) error {
			_, err := c.Converse(t.Context(), converse("hello"))
			return err
		}},
		{"a stream, before the answer", "ConverseStream", bedrocktest.StallHeaders(), nil, stream},
		{"an open stream", "ConverseStream", bedrocktest.StallStream(1), nil, stream},
		{"bidirectional, before the answer", duplexName, bedrocktest.StallHeaders(), nil, duplex},
		{"bidirectional, open", duplexName, bedrocktest.StallStream(0), nil, duplex},
		{"STS", "AssumeRole", bedrocktest.StallHeaders(), nil, func(c *client) error {
			_, err := c.Converse(t.Context(), converse("hello"))
			return err
		}},
		{"STS of the owner's", "Converse", bedrocktest.Fault{}, func(o *opts) {
			role := *o.Role
			role.STS, o.Role = deafSTS{}, &role
		}, func(c *client) error {
			_, err := c.Converse(t.Context(), converse("hello"))
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			if row.change == nil {
				server.Fail(row.operation, row.fault)
			}
			rec := new(recorder)
			c := newClient(t, server, rec.option, func(o *opts) {
				if row.operation == duplexName {
					excuseDuplex(o)
				}
				if row.change != nil {
					row.change(o)
				}
			})
			done := make(chan error, 1)
			go func() { done <- row.call(c) }()
			time.Sleep(300 * time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := c.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			select {
			case err := <-done:
				refusedBy(t, err, securebedrock.ErrClosed)
				if r := rec.one(t); !errors.Is(r.outcome.Err, securebedrock.ErrClosed) || r.outcome.Canceled {
					t.Errorf("the record says %v, cancelled by the caller: %t", r.outcome.Err, r.outcome.Canceled)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the call never came back")
			}
		})
	}
}

// deafSTS heeds its context and answers nothing.
type deafSTS struct{}

func (deafSTS) AssumeRole(ctx context.Context, _ *sts.AssumeRoleInput, _ ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A nil context is refused and does not panic.
func TestShutdownWithoutAContext(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	//lint:ignore SA1012 that is the point
	refusedBy(t, c.Shutdown(nil), securebedrock.ErrConfig) //nolint:staticcheck // that is the point
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Errorf("it closed the client: %v", err)
	}
}

// Within a call, Shutdown would wait for itself.
func TestShutdownWithinACall(t *testing.T) {
	for _, row := range []struct {
		name  string
		place func(c **client, got *error) securebedrock.Middleware
	}{
		{"in an OnDone", func(c **client, got *error) securebedrock.Middleware {
			return func(next securebedrock.Handler) securebedrock.Handler {
				return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
					res, err := next(ctx, call)
					res.OnDone(func(securebedrock.Outcome) { *got = (*c).Shutdown(context.Background()) })
					return res, err
				}
			}
		}},
		{"in a Middleware", func(c **client, got *error) securebedrock.Middleware {
			return func(next securebedrock.Handler) securebedrock.Handler {
				return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
					*got = (*c).Shutdown(context.Background())
					return next(ctx, call)
				}
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			var c *client
			var got error
			c = newClient(t, server, func(o *opts) { o.Middleware = append(o.Middleware, row.place(&c, &got)) })
			out, err := c.ConverseStream(t.Context(), converseStream("hello"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := drain(out.GetStream()); err != nil {
				t.Error(err)
			}
			if err := c.Shutdown(t.Context()); err != nil { // from outside; it waits for the OnDone
				t.Error(err)
			}
			if !errors.Is(got, securebedrock.ErrConfig) {
				t.Errorf("from within: %v", got)
			}
		})
	}
}

// logged keeps what the library writes to the logger of the aws.Config.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Logf(_ logging.Classification, format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	logging.NewStandardLogger(&l.text).Logf(logging.Warn, format, v...)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A panic in one OnDone keeps the Outcome from no other, is told, and ends neither
// the call nor the process.
func TestPanicsInCallbacks(t *testing.T) {
	for _, row := range []struct {
		name string
		call func(ctx context.Context, c *client) error
	}{
		{"unary", func(ctx context.Context, c *client) error { _, err := c.Converse(ctx, converse("hello")); return err }},
		{"a stream", func(ctx context.Context, c *client) error {
			out, err := c.ConverseStream(ctx, converseStream("hello"))
			if err == nil {
				_, err = drain(out.GetStream())
			}
			return err
		}},
		{"bidirectional", func(ctx context.Context, c *client) error {
			out, err := c.InvokeModelWithBidirectionalStream(ctx, sonic())
			if err == nil {
				err = errors.Join(say(ctx, out.GetStream()), out.GetStream().Close())
			}
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			log := new(logged)
			cfg := server.Config()
			cfg.Logger = log
			o := server.Options()
			excuseDuplex(&o)
			rec := new(recorder)
			rec.option(&o) // outermost
			o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
				return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
					call.OnEvent = func(any) { panic("the secret event") }
					res, err := next(ctx, call)
					res.OnDone(nil)
					res.OnDone(func(securebedrock.Outcome) { panic("the secret outcome") })
					return res, err
				}
			})
			c, err := securebedrock.NewFromConfig(cfg, o)
			if err != nil {
				t.Fatal(err)
			}
			if err := row.call(t.Context(), c); err != nil {
				t.Error(err)
			}
			if r := rec.one(t); r.outcome.Attempts != 1 {
				t.Errorf("%+v", r.outcome)
			}
			if err := c.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if text := log.String(); !strings.Contains(text, "OnDone") || strings.Contains(text, "secret") || row.name == "a stream" && strings.Count(text, "Call.OnEvent") != 1 {
				t.Errorf("told: %s", text)
			}
		})
	}
}

// A Middleware's panic goes to the caller, and the call is over all the same.
func TestPanicInAMiddleware(t *testing.T) {
	for _, after := range []bool{false, true} {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, mw(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			if after {
				_, _ = next(ctx, call)
			}
			panic("no")
		}), func(o *opts) { o.Role = nil })
		for _, call := range []func(){
			func() { _, _ = c.Converse(t.Context(), converse("hello")) },
			func() { _, _ = c.ConverseStream(t.Context(), converseStream("hello")) },
			func() {
				_, _ = c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
			},
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was swallowed")
					}
				}()
				call()
			}()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := c.Shutdown(ctx); err != nil {
			t.Errorf("a call is still in flight: %v", err)
		}
		settled(t, "no connection left", func() bool { return server.Connections() == 0 })
	}
}

// A Middleware may give up, with a deadline of its own, and leave the call to a
// goroutine: its Outcome comes before the end of Shutdown all the same, and a
// Shutdown there is one within a call.
func TestShutdownWaitsForWhatAMiddlewareLeftBehind(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("Converse", bedrocktest.StallHeadersFor(500*time.Millisecond))
	rec := new(recorder)
	within := make(chan error, 1)
	var c *client
	c = newClient(t, server, mw(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		begun := make(chan struct{})
		go func() { _, _ = next(context.WithValue(ctx, begunKey{}, begun), call) }()
		<-begun
		return nil, errAny
	}), rec.option, mw(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		close(ctx.Value(begunKey{}).(chan struct{}))
		res, err := next(ctx, call)
		within <- c.Shutdown(t.Context())
		return res, err
	}))
	if _, err := c.Converse(t.Context(), converse("hello")); !errors.Is(err, errAny) {
		t.Fatal(err)
	}
	if err := c.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.calls) != 1 || len(rec.records) != 1 {
		t.Errorf("%d calls have %d records", len(rec.calls), len(rec.records))
	}
	if err := <-within; !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("from within: %v", err)
	}
}

type begunKey struct{}

// runtime.Goexit, which testing.T.FailNow calls, in a callback: the stream is whole
// or failed, each Outcome is given, and the client can be shut down.
func TestGoexitInCallbacks(t *testing.T) {
	for _, place := range []string{"OnEvent", "OnDone"} {
		t.Run(place, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option, mw(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
				if place == "OnEvent" {
					call.OnEvent = func(any) { runtime.Goexit() }
				}
				res, err := next(ctx, call)
				if place == "OnDone" {
					res.OnDone(func(securebedrock.Outcome) { runtime.Goexit() })
				}
				return res, err
			}), func(o *opts) { o.Role = nil })
			out, err := c.ConverseStream(t.Context(), converseStream("hello"))
			if err != nil {
				t.Fatal(err)
			}
			stopped := false
			for ev := range out.GetStream().Events() {
				_, stop := ev.(*types.ConverseStreamOutputMemberMessageStop)
				stopped = stopped || stop
			}
			if err := out.GetStream().Err(); err == nil && !stopped {
				t.Error("a stream that was cut passes for whole")
			}
			out.GetStream().Close()
			rec.one(t)
			if err := c.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			settled(t, "no connection left", func() bool { return server.Connections() == 0 })
		})
	}
}

// A step of a bidirectional call runs on another goroutine than its caller's.
func TestShutdownWithinADuplexStep(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, excuseDuplex)
	got := make(chan error, 1)
	_ = outcomeOfDuplex(t, func() (*bedrockruntime.InvokeModelWithBidirectionalStreamOutput, error) {
		return c.InvokeModelWithBidirectionalStream(t.Context(), sonic(), func(o *bedrockruntime.Options) {
			o.APIOptions = append(o.APIOptions, stepAt("Deserialize", middleware.After, func(context.Context, func(context.Context) error) error {
				got <- c.Shutdown(t.Context())
				return errStep
			}))
		})
	})
	if err := <-got; !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("from within: %v", err)
	}
}

// Close beside 16 calls: each ends well or with an error, none with a short
// answer, and nothing is left.
func TestConcurrentClose(t *testing.T) {
	for range 20 {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, func(o *opts) { o.Role = nil })
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				if i%2 == 0 {
					if _, err := c.Converse(context.Background(), converse("x")); err != nil && !errors.Is(err, securebedrock.ErrClosed) {
						t.Errorf("a call in flight failed: %v", err)
					}
					return
				}
				out, err := c.ConverseStream(context.Background(), converseStream(longPrompt))
				if err != nil {
					if !errors.Is(err, securebedrock.ErrClosed) && !errors.Is(err, securebedrock.ErrStreamTruncated) && !errors.Is(err, context.Canceled) {
						t.Errorf("a stream failed: %v", err)
					}
					return
				}
				stopped := false
				for ev := range out.GetStream().Events() {
					if _, ok := ev.(*types.ConverseStreamOutputMemberMessageStop); ok {
						stopped = true
					}
				}
				if out.GetStream().Err() == nil && !stopped {
					t.Error("a short answer without an error")
				}
			})
		}
		time.Sleep(3 * time.Millisecond)
		c.Close()
		wg.Wait()
		settled(t, "no connection left", func() bool { return server.Connections() == 0 })
		settled(t, "no stream left", func() bool { return streamGoroutines() == 0 })
		server.Close()
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
