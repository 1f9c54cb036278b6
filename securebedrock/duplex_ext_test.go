package securebedrock_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

type talk = bedrockruntime.InvokeModelWithBidirectionalStreamEventStream

func say(ctx context.Context, es *talk) error {
	return es.Send(ctx, &types.InvokeModelWithBidirectionalStreamInputMemberChunk{
		Value: types.BidirectionalInputPayloadPart{Bytes: []byte(`{"event":{"audioInput":{"content":"AAAA"}}}`)}})
}

// Every way in which a bidirectional stream can end: what the caller reads, what a
// Send returns after it, what the record says, and that nothing is left.
func TestDuplexEnds(t *testing.T) {
	const op = "InvokeModelWithBidirectionalStream"
	never := bedrocktest.StallStream(1)
	for _, row := range []struct {
		name     string
		fault    bedrocktest.Fault
		handler  http.HandlerFunc
		change   func(*opts)
		end      func(cancel context.CancelFunc, c *client, es *talk)
		check    func(error) bool
		canceled bool
		either   bool // canceled or not
	}{
		// The server answers the end of the input with the end of the stream, which
		// may come before the caller has closed it.
		{name: "the caller closes it", end: func(_ context.CancelFunc, _ *client, es *talk) { es.Close() }, check: isNil, either: true},
		{name: "the caller closes it while the server is silent", fault: never, end: func(_ context.CancelFunc, _ *client, es *talk) { es.Close() }, check: isNil, canceled: true},
		{name: "the caller cancels", fault: never, end: func(cancel context.CancelFunc, _ *client, _ *talk) { cancel() }, check: errorIs(context.Canceled), canceled: true},
		{name: "the caller cancels a server that answers", end: func(cancel context.CancelFunc, _ *client, _ *talk) { cancel() }, check: errorIs(context.Canceled), canceled: true},
		{name: "Timeouts.Call", fault: never, change: func(o *opts) { o.Timeouts.Call = 300 * time.Millisecond }, check: errorIs(securebedrock.ErrCallTimeout)},
		{name: "Timeouts.Read", fault: never, change: func(o *opts) { o.Timeouts.Read = 300 * time.Millisecond }, check: errorIs(securebedrock.ErrReadTimeout)},
		{name: "the client's Close", fault: never, end: func(_ context.CancelFunc, c *client, _ *talk) { c.Close() }, check: errorIs(securebedrock.ErrStreamTruncated)},
		{name: "the server ends it", fault: bedrocktest.Truncate(1), check: isNil},
		{name: "the server ends it with a trailer", handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-Done")
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			_, _ = r.Body.Read(make([]byte, 64))
			w.Write(chunkFrame(t))
			w.Header().Set("X-Done", "yes")
		}, check: isNil},
		{name: "the server resets it", fault: bedrocktest.DropStream(1), check: errorIs(securebedrock.ErrStreamTruncated)},
		{name: "an event that is torn", fault: bedrocktest.TruncateMidFrame(1), check: errorIs(securebedrock.ErrStreamTruncated)},
		{name: "an exception", fault: bedrocktest.Exception(1, "modelStreamErrorException", "no"), check: func(err error) bool {
			var e *types.ModelStreamErrorException
			return errors.As(err, &e)
		}},
		{name: "a service error", fault: bedrocktest.Error(403, "AccessDeniedException", "no"), check: func(err error) bool {
			var e *types.AccessDeniedException
			return errors.As(err, &e)
		}},
		{name: "a throttle, which is not sent again", fault: bedrocktest.Throttle(1), check: func(err error) bool {
			var e *types.ThrottlingException
			return errors.As(err, &e)
		}},
		{name: "a redirect", fault: bedrocktest.Redirect(307, "https://example.com/"), check: errorIs(securebedrock.ErrRedirect)},
		{name: "a lost connection before the answer", fault: bedrocktest.Drop(), check: func(err error) bool { return err != nil && !errors.Is(err, io.ErrClosedPipe) }},
		{name: "silence before the answer", fault: bedrocktest.StallHeaders(), change: func(o *opts) {
			o.Timeouts = securebedrock.Timeouts{Connect: time.Second, Read: 300 * time.Millisecond}
		}, check: errorIs(securebedrock.ErrReadTimeout)},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			t.Cleanup(func() { // after the server's own
				settled(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= before })
			})
			rec := new(recorder)
			change := []func(*opts){rec.option, excuseDuplex, func(o *opts) {
				if row.change != nil {
					row.change(o)
				}
			}}
			var c *client
			var server *bedrocktest.Server
			if row.handler != nil {
				c = handled(t, row.handler, change...)
			} else {
				server = bedrocktest.NewServer(t)
				c = newClient(t, server, change...)
				server.Fail(op, row.fault)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out, err := c.InvokeModelWithBidirectionalStream(ctx, sonic())
			if err != nil {
				t.Fatal(err)
			}
			es := out.GetStream()
			_ = say(t.Context(), es)
			over := make(chan struct{})
			go func() {
				defer close(over)
				first := true
				for range es.Events() {
					if first && row.end != nil {
						row.end(cancel, c, es)
					}
					_ = say(t.Context(), es)
					first = false
				}
			}()
			select {
			case <-over:
			case <-time.After(10 * time.Second):
				t.Fatal("the stream never ended")
			}
			if err := es.Err(); !row.check(err) {
				t.Errorf("the caller got %v", err)
			}
			settled(t, "Send fails", func() bool { err = say(t.Context(), es); return err != nil })
			if errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("Send got %v", err)
			}
			if err := es.Close(); !row.check(err) {
				t.Errorf("Close got %v", err)
			}
			r := rec.one(t)
			if !row.check(r.outcome.Err) || r.outcome.Canceled != row.canceled && !row.either || r.outcome.Attempts != 1 {
				t.Errorf("outcome %+v", r.outcome)
			}
			c.Close()
			if server != nil {
				settled(t, "no connection left", func() bool { return server.Connections() == 0 })
			}
		})
	}
}

func isNil(err error) bool { return err == nil }

func errorIs(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}

// A voice session in which the user listens, or the model does, is not silent:
// whatever goes in either direction keeps it.
func TestDuplexSignsOfLife(t *testing.T) {
	for _, row := range []struct {
		name  string
		speak func(w http.ResponseWriter, stop <-chan struct{})
		sends bool
	}{
		{"the caller alone sends", func(_ http.ResponseWriter, stop <-chan struct{}) { <-stop }, true},
		{"the server alone sends", func(w http.ResponseWriter, stop <-chan struct{}) {
			for {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Millisecond):
					w.Write(chunkFrame(t))
					w.(http.Flusher).Flush()
				}
			}
		}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			stop := make(chan struct{})
			c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
				w.WriteHeader(http.StatusOK)
				w.(http.Flusher).Flush()
				go io.Copy(io.Discard, r.Body)
				row.speak(w, stop)
			}), excuseDuplex, func(o *opts) { o.Timeouts.Read = 500 * time.Millisecond })
			out, err := c.InvokeModelWithBidirectionalStream(t.Context(), sonic())
			if err != nil {
				t.Fatal(err)
			}
			es := out.GetStream()
			ended := make(chan struct{})
			go func() {
				for range es.Events() {
				}
				close(ended)
			}()
			for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				if row.sends {
					if err := say(t.Context(), es); err != nil {
						t.Fatalf("%v, %v", err, es.Err())
					}
				}
				select {
				case <-ended:
					t.Fatalf("it ended: %v", es.Err())
				default:
				}
			}
			if row.sends { // and now nobody does
				<-ended
				if err := es.Err(); !errors.Is(err, securebedrock.ErrReadTimeout) {
					t.Errorf("in silence: %v", err)
				}
			}
			close(stop)
			es.Close()
		})
	}
}

func chunkFrame(t *testing.T) []byte { return eventFrame(t, "chunk", `{"bytes":"e30="}`) }

// stepAt is an option that puts a step at a place of the SDK's stack.
func stepAt(place string, pos middleware.RelativePosition, run func(context.Context, func(context.Context) error) error) func(*middleware.Stack) error {
	return func(s *middleware.Stack) error {
		switch place {
		case "Initialize":
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("app", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, m middleware.Metadata, err error) {
				err = run(ctx, func(ctx context.Context) (err error) { out, m, err = next.HandleInitialize(ctx, in); return })
				return
			}), pos)
		case "Serialize":
			return s.Serialize.Add(middleware.SerializeMiddlewareFunc("app", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (out middleware.SerializeOutput, m middleware.Metadata, err error) {
				err = run(ctx, func(ctx context.Context) (err error) { out, m, err = next.HandleSerialize(ctx, in); return })
				return
			}), pos)
		case "Build":
			return s.Build.Add(middleware.BuildMiddlewareFunc("app", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (out middleware.BuildOutput, m middleware.Metadata, err error) {
				err = run(ctx, func(ctx context.Context) (err error) { out, m, err = next.HandleBuild(ctx, in); return })
				return
			}), pos)
		case "Finalize":
			return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("app", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
				err = run(ctx, func(ctx context.Context) (err error) { out, m, err = next.HandleFinalize(ctx, in); return })
				return
			}), pos)
		}
		return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("app", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, m middleware.Metadata, err error) {
			err = run(ctx, func(ctx context.Context) (err error) { out, m, err = next.HandleDeserialize(ctx, in); return })
			return
		}), pos)
	}
}

var errStep = errors.New("the application's step failed")

// Whatever step of the application's fails, and however, a bidirectional call comes
// back with the error, from the call or from its stream.
func TestDuplexStepsThatFail(t *testing.T) {
	kinds := []struct {
		name string
		run  func(ctx context.Context, next func(context.Context) error) error
		want error
	}{
		{"fails before", func(context.Context, func(context.Context) error) error { return errStep }, errStep},
		{"fails after", func(ctx context.Context, next func(context.Context) error) error { _ = next(ctx); return errStep }, errStep},
		{"panics", func(context.Context, func(context.Context) error) error { panic("a secret") }, nil},
		{"ends its goroutine before", func(context.Context, func(context.Context) error) error { runtime.Goexit(); return nil }, nil},
		{"ends its goroutine after", func(ctx context.Context, next func(context.Context) error) error {
			_ = next(ctx)
			runtime.Goexit()
			return nil
		}, nil},
		{"never calls next", func(context.Context, func(context.Context) error) error { return nil }, nil},
		{"hangs", func(ctx context.Context, _ func(context.Context) error) error {
			time.Sleep(3 * time.Second)
			return nil
		}, context.DeadlineExceeded},
	}
	for _, place := range []string{"Initialize", "Serialize", "Build", "Finalize", "Deserialize"} {
		for pos, where := range map[middleware.RelativePosition]string{middleware.Before: "Before", middleware.After: "After"} {
			for _, route := range []string{"Client", "Runtime", "configuration"} {
				for _, kind := range kinds {
					if place == "Deserialize" && pos == middleware.After && route == "Runtime" {
						continue // refused as a step behind the gate: see below
					}
					t.Run(strings.Join([]string{place, where, route, kind.name}, "/"), func(t *testing.T) {
						t.Parallel()
						err := failingDuplex(t, route, stepAt(place, pos, kind.run), kind.name == "hangs")
						if err == nil || kind.want != nil && !errors.Is(err, kind.want) {
							t.Errorf("got %v", err)
						}
						if err != nil && strings.Contains(err.Error(), "secret") {
							t.Errorf("the panic's value is repeated: %v", err)
						}
					})
				}
			}
		}
	}
	t.Run("a step behind the gate", func(t *testing.T) {
		err := failingDuplex(t, "Runtime", stepAt("Deserialize", middleware.After, kinds[0].run), false)
		refusedBy(t, err, securebedrock.ErrConfig)
	})
}

// failingDuplex makes a bidirectional call with a step in its stack and returns the
// error of the call or of the stream.
func failingDuplex(t *testing.T, route string, step func(*middleware.Stack) error, short bool) error {
	t.Helper()
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	opts := server.Options()
	rec.option(&opts)
	excuseDuplex(&opts)
	cfg := server.Config()
	if route == "configuration" {
		cfg.APIOptions = append(cfg.APIOptions, step)
	}
	c, err := securebedrock.NewFromConfig(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	perCall := func(o *bedrockruntime.Options) { o.APIOptions = append(o.APIOptions, step) }
	ctx := t.Context()
	if short {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
	}
	return outcomeOfDuplex(t, func() (*bedrockruntime.InvokeModelWithBidirectionalStreamOutput, error) {
		switch route {
		case "Client":
			return c.InvokeModelWithBidirectionalStream(ctx, sonic(), perCall)
		case "Runtime":
			return c.Runtime().InvokeModelWithBidirectionalStream(ctx, sonic(), perCall)
		}
		return c.InvokeModelWithBidirectionalStream(ctx, sonic())
	})
}

// outcomeOfDuplex waits for the call and the end of its stream.
func outcomeOfDuplex(t *testing.T, invoke func() (*bedrockruntime.InvokeModelWithBidirectionalStreamOutput, error)) error {
	t.Helper()
	got := make(chan error, 1)
	go func() {
		out, err := invoke()
		if err == nil {
			for range out.GetStream().Events() {
			}
			err = out.GetStream().Err()
			out.GetStream().Close()
		}
		got <- err
	}()
	select {
	case err := <-got:
		return err
	case <-time.After(15 * time.Second):
		t.Fatal("the call never came back")
		return nil
	}
}

// The same for what is no step: credentials taken away, a context that is over, an
// input that is nil, interceptors, and Middleware.
func TestDuplexAlwaysReturns(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for _, row := range []struct {
		name   string
		over   bool // the context
		in     *bedrockruntime.InvokeModelWithBidirectionalStreamInput
		change func(*opts)
		option func(*bedrockruntime.Options)
		check  func(error) bool
		sent   bool // by the Client, which puts the option back
	}{
		{name: "anonymous credentials", option: func(o *bedrockruntime.Options) { o.Credentials = aws.AnonymousCredentials{} }, sent: true, check: func(err error) bool { return err != nil }},
		{name: "a context that is over", over: true, check: errorIs(context.Canceled)},
		{name: "no input", in: nil, check: func(err error) bool { var e *smithy.OperationError; return errors.As(err, &e) }},
		{name: "an interceptor before the execution", option: func(o *bedrockruntime.Options) {
			o.Interceptors.BeforeExecution = append(o.Interceptors.BeforeExecution, failingInterceptor{})
		}, check: errorIs(errStep)},
		{name: "an interceptor before the transmission", option: func(o *bedrockruntime.Options) {
			o.Interceptors.BeforeTransmit = append(o.Interceptors.BeforeTransmit, failingInterceptor{})
		}, check: errorIs(errStep)},
		{name: "a Middleware that refuses", change: mw(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, errStep
		}), check: errorIs(errStep)},
		{name: "a Middleware that refuses after the answer", change: mw(func(ctx context.Context, c *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			_, _ = next(ctx, c)
			return nil, errStep
		}), check: errorIs(errStep)},
		{name: "a Middleware that panics", change: mw(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			panic("a secret")
		}), check: func(err error) bool { return err != nil && !strings.Contains(err.Error(), "secret") }},
		{name: "a Middleware that answers without a stream", change: mw(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return &securebedrock.Result{}, nil
		}), check: errorIs(securebedrock.ErrConfig)},
		{name: "APIOptions cleared", option: func(o *bedrockruntime.Options) { o.APIOptions = nil }, sent: true, check: errorIs(securebedrock.ErrBypassed)},
		{name: "the chain taken out", option: withoutStep("securebedrock:chain"), sent: true, check: errorIs(securebedrock.ErrBypassed)},
	} {
		for _, route := range []string{"Client", "Runtime"} {
			if row.sent && route == "Client" {
				continue
			}
			t.Run(row.name+"/"+route, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				c := newClient(t, server, excuseDuplex, func(o *opts) {
					if row.change != nil {
						row.change(o)
					}
				})
				invoke := c.InvokeModelWithBidirectionalStream
				if route == "Runtime" {
					invoke = c.Runtime().InvokeModelWithBidirectionalStream
				}
				ctx, in := t.Context(), row.in
				if row.over {
					ctx = over
				}
				if in == nil && row.name != "no input" {
					in = sonic()
				}
				var options []func(*bedrockruntime.Options)
				if row.option != nil {
					options = append(options, row.option)
				}
				err := outcomeOfDuplex(t, func() (*bedrockruntime.InvokeModelWithBidirectionalStreamOutput, error) {
					return invoke(ctx, in, options...)
				})
				if !row.check(err) {
					t.Errorf("got %v", err)
				}
				c.Close()
				settled(t, "no goroutine of a stream left", func() bool { return streamGoroutines() == 0 })
			})
		}
	}
}

func mw(f func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error)) func(*opts) {
	return func(o *opts) {
		o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
			return func(ctx context.Context, c *securebedrock.Call) (*securebedrock.Result, error) {
				return f(ctx, c, next)
			}
		})
	}
}

func withoutStep(id string) func(*bedrockruntime.Options) {
	return func(o *bedrockruntime.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			_, err := s.Initialize.Remove(id)
			return err
		})
	}
}

type failingInterceptor struct{}

func (failingInterceptor) BeforeExecution(context.Context, *smithyhttp.InterceptorContext) error {
	return errStep
}
func (failingInterceptor) BeforeTransmit(context.Context, *smithyhttp.InterceptorContext) error {
	return errStep
}

// A step that wraps the answer's body, to log it, say, leaves no goroutine behind.
func TestDuplexBodyInAWrapper(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, excuseDuplex)
	before := runtime.NumGoroutine()
	out, err := c.InvokeModelWithBidirectionalStream(t.Context(), sonic(), func(o *bedrockruntime.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("app", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
				middleware.DeserializeOutput, middleware.Metadata, error,
			) {
				out, metadata, err := next.HandleDeserialize(ctx, in)
				if r, ok := out.RawResponse.(*smithyhttp.Response); ok {
					r.Body = struct{ io.ReadCloser }{r.Body}
				}
				return out, metadata, err
			}), middleware.After)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	es := out.GetStream()
	if err := say(t.Context(), es); err != nil {
		t.Error(err)
	}
	if <-es.Events() == nil {
		t.Error("no event")
	}
	if err := es.Close(); err != nil {
		t.Error(err)
	}
	c.Close()
	settled(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= before })
}

// Calls on the Runtime client do not take one another's stack for theirs: not at
// once, not after one whose option failed, and not where an option makes a call.
func TestDuplexCallsAreNotConfused(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, excuseDuplex)
	fails := func(*middleware.Stack) error { return errAny }
	step := stepAt("Initialize", middleware.Before, func(context.Context, func(context.Context) error) error { return errStep })
	call := func(options ...func(*middleware.Stack) error) error {
		return outcomeOfDuplex(t, func() (*bedrockruntime.InvokeModelWithBidirectionalStreamOutput, error) {
			return c.Runtime().InvokeModelWithBidirectionalStream(t.Context(), sonic(), func(o *bedrockruntime.Options) {
				o.APIOptions = append(o.APIOptions, options...)
			})
		})
	}
	within := func(last func(*middleware.Stack) error) func(*middleware.Stack) error {
		return func(*middleware.Stack) error {
			_, _ = c.Runtime().InvokeModelWithBidirectionalStream(t.Context(), sonic(), func(o *bedrockruntime.Options) {
				o.APIOptions = append(o.APIOptions, last)
			})
			return nil
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, row := range []struct {
				err  error
				want error
			}{
				{call(fails), errAny},
				{call(step), errStep},
				{call(within(fails), step), errStep},
				{call(within(step), step), errStep},
			} {
				if !errors.Is(row.err, row.want) {
					t.Errorf("got %v, want %v", row.err, row.want)
				}
			}
		})
	}
	wg.Wait()
}

func sonic() *bedrockruntime.InvokeModelWithBidirectionalStreamInput {
	return &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("amazon.nova-sonic-v1:0")}
}

func excuseDuplex(o *opts) {
	o.UnguardedOperations = map[string]string{"InvokeModelWithBidirectionalStream": "public demo"}
	o.Role = nil
}

func TestDuplexStream(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, excuseDuplex)
	out, err := c.InvokeModelWithBidirectionalStream(t.Context(), sonic())
	if err != nil {
		t.Fatal(err)
	}
	es := out.GetStream()
	if err := es.Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{
		Value: types.BidirectionalInputPayloadPart{Bytes: []byte(`{"event":{"textInput":{"content":"hello"}}}`)}}); err != nil {
		t.Fatal(err)
	}
	if ev := <-es.Events(); ev == nil {
		t.Fatalf("no event: %v", es.Err())
	}
	if err := es.Close(); err != nil {
		t.Error(err)
	}
	r := rec.one(t)
	if r.call.Unguarded != "public demo" || r.outcome.Attempts != 1 {
		t.Errorf("call %+v, outcome %+v", r.call, r.outcome)
	}
	c.Close()
	settled(t, "no connection left", func() bool { return server.Connections() == 0 })
}

// The plain SDK never returns from, or never ends, a bidirectional stream that
// fails. Here every failure arrives, on the methods and on Runtime.
func TestDuplexFailuresArrive(t *testing.T) {
	for _, row := range []struct {
		name  string
		input *bedrockruntime.InvokeModelWithBidirectionalStreamInput
		fault *bedrocktest.Fault
		opts  func(*opts)
		check func(error) bool
	}{
		{"a refusal", sonic(), nil, func(o *opts) { o.UnguardedOperations = nil },
			func(err error) bool { return errors.Is(err, securebedrock.ErrUnguardedOperation) }},
		{"an invalid input", &bedrockruntime.InvokeModelWithBidirectionalStreamInput{}, nil, func(*opts) {},
			func(err error) bool { return err != nil }},
		{"a service error", sonic(), denied(), func(*opts) {},
			func(err error) bool { var e *types.AccessDeniedException; return errors.As(err, &e) }},
		{"credentials that fail", sonic(), nil, func(o *opts) {
			o.Role = &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app", STS: failingSTS{}}
		}, func(err error) bool { return errors.Is(err, errSTSDown) }},
	} {
		for _, runtime := range []bool{false, true} {
			name := row.name + "/Client"
			if runtime {
				name = row.name + "/Runtime"
			}
			t.Run(name, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				rec := new(recorder)
				c := newClient(t, server, rec.option, excuseDuplex, row.opts)
				if row.fault != nil {
					server.Fail("InvokeModelWithBidirectionalStream", *row.fault)
				}
				got := make(chan error, 1)
				go func() {
					invoke := c.InvokeModelWithBidirectionalStream
					if runtime {
						invoke = c.Runtime().InvokeModelWithBidirectionalStream
					}
					ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
					defer cancel()
					out, err := invoke(ctx, row.input)
					if err == nil {
						for range out.GetStream().Events() {
						}
						err = out.GetStream().Err()
						out.GetStream().Close()
					}
					got <- err
				}()
				select {
				case err := <-got:
					if !row.check(err) {
						t.Errorf("got %v", err)
					}
				case <-time.After(10 * time.Second):
					t.Fatal("the call never came back")
				}
				if r := rec.one(t); !row.check(r.outcome.Err) {
					t.Errorf("the record has %v", r.outcome.Err)
				}
			})
		}
	}
}

func denied() *bedrocktest.Fault {
	f := bedrocktest.Error(403, "AccessDeniedException", "no")
	return &f
}

// A caller who closes his stream early is told of no error that comes of it.
func TestDuplexClosedEarly(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, excuseDuplex)
	const n = 100
	for range n {
		out, err := c.InvokeModelWithBidirectionalStream(t.Context(), sonic())
		if err != nil {
			t.Fatal(err)
		}
		_ = out.GetStream().Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{
			Value: types.BidirectionalInputPayloadPart{Bytes: []byte(`{"event":{"textInput":{"content":"hello"}}}`)}})
		_ = out.GetStream().Close()
	}
	settled(t, "every outcome", func() bool { rec.mu.Lock(); defer rec.mu.Unlock(); return len(rec.records) == n })
	for _, r := range rec.records {
		// Canceled is either: the server may have answered the end of the input with the end of
		// the stream before the SDK closed it.
		if r.outcome.Err != nil {
			t.Fatalf("%v, canceled %t", r.outcome.Err, r.outcome.Canceled)
		}
	}
}
