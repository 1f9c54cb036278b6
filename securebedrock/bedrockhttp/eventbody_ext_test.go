package bedrockhttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Every fault of a stream is an exception at the caller, at every door. The events before
// the fault have arrived, and the record has the same error.
func TestFaultsOfStreams(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		fault   bedrocktest.Fault
		code    string
		text    string
		invokes bool // an InvokeModel's stream shows it, too
	}{
		{"it ends early", bedrocktest.Truncate(3), "ModelStreamErrorException", "ended without messageStop", false},
		{"it ends inside an event", bedrocktest.TruncateMidFrame(3), "ModelStreamErrorException", "ended inside an event", true},
		{"its connection is lost", bedrocktest.DropStream(3), "ModelStreamErrorException", "stream ended early", true},
		{"it falls silent", bedrocktest.StallStream(3), "ModelStreamErrorException", "no byte for Timeouts.Read", true},
		{"a throttle in the middle", bedrocktest.Exception(3, "throttlingException", "slow down"), "ThrottlingException", "slow down", true},
		{"an error of the model in the middle", bedrocktest.Exception(3, "modelStreamErrorException", "broken"), "ModelStreamErrorException", "broken", true},
		{"an exception that the API does not have", bedrocktest.Exception(3, "newException", "what"), "newException", "what", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, func(o *securebedrock.Options) {
				if strings.Contains(row.text, "Timeouts.Read") {
					o.Timeouts.Read = 500 * time.Millisecond
				}
			})
			for _, e := range entries(t, c) {
				server.Fail("ConverseStream", row.fault)
				out, err := e.sdk().ConverseStream(t.Context(), converseStream("Hello"))
				if err != nil {
					t.Fatal(err)
				}
				events := 0
				for range out.GetStream().Events() {
					events++
				}
				isException(t, e.name+": ConverseStream", out.GetStream().Err(), row.code, row.text)
				if events != 3 {
					t.Errorf("%s: %d events came, want 3", e.name, events)
				}
				out.GetStream().Close()
				if !row.invokes {
					continue
				}
				server.Fail("InvokeModelWithResponseStream", row.fault)
				invoked, err := e.sdk().InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{
					ModelId: aws.String(haiku), Body: invokeBody("Hello"), ContentType: aws.String("application/json")})
				if err != nil {
					t.Fatal(err)
				}
				for range invoked.GetStream().Events() {
				}
				isException(t, e.name+": InvokeModelWithResponseStream", invoked.GetStream().Err(), row.code, row.text)
				invoked.GetStream().Close()
			}
		})
	}
}

// An exception in a stream keeps the members that it has beside its message.
func TestExceptionsKeepTheirMembers(t *testing.T) {
	want := &types.ModelStreamErrorException{Message: aws.String("m"), OriginalMessage: aws.String("overloaded"), OriginalStatusCode: aws.Int32(529)}
	c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		exception, err := wire.ExceptionFrameOf("modelStreamErrorException", []byte(`{"message":"m","originalMessage":"overloaded","originalStatusCode":529}`))
		if err != nil {
			t.Error(err)
		}
		begin(w)
		_, _ = w.Write(append(delta(t, "x"), exception...))
	})
	for _, e := range entries(t, c) {
		out, err := e.sdk().ConverseStream(t.Context(), converseStream("Hello"))
		if err != nil {
			t.Fatal(err)
		}
		for range out.GetStream().Events() {
		}
		var have *types.ModelStreamErrorException
		if err := out.GetStream().Err(); !errors.As(err, &have) || !reflect.DeepEqual(have, want) {
			t.Errorf("%s: %v", e.name, err)
		}
		out.GetStream().Close()
	}
}

func isException(t *testing.T, where string, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
		t.Errorf("%s: %v, want %s with %q", where, err, code, text)
	}
}

// No event is held back: each is sent only when the caller has the one before it.
func TestEventsGoOnAtOnce(t *testing.T) {
	next := make(chan struct{})
	c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		begin(w)
		for range 3 {
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
			_, _ = w.Write(delta(t, "x"))
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(stop(t))
	})
	for _, e := range entries(t, c) {
		out, err := e.sdk().ConverseStream(t.Context(), converseStream("Hello"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			next <- struct{}{}
			select {
			case <-out.GetStream().Events():
			case <-time.After(20 * time.Second):
				t.Fatalf("%s: event %d is held back", e.name, i)
			}
		}
		for range out.GetStream().Events() {
		}
		if err := out.GetStream().Close(); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
	}
}

// An event that the SDK does not know goes on as it came.
func TestUnknownEvents(t *testing.T) {
	c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		begin(w)
		_, _ = w.Write(frame(t, "newEvent", `{"new":1}`))
		_, _ = w.Write(stop(t))
	})
	for _, e := range entries(t, c) {
		out, err := e.sdk().ConverseStream(t.Context(), converseStream("Hello"))
		if err != nil {
			t.Fatal(err)
		}
		first := <-out.GetStream().Events()
		if unknown, ok := first.(*types.UnknownUnionMember); !ok || unknown.Tag != "newEvent" || !strings.Contains(string(unknown.Value), `{"new":1}`) {
			t.Errorf("%s: %#v", e.name, first)
		}
		for range out.GetStream().Events() {
		}
		if err := out.GetStream().Close(); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
	}
}

// A caller that is slow to read slows the model's stream, and is no silent server.
func TestBackpressure(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	const total = 4000
	long := strings.Repeat("x", 1<<10)
	c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		begin(w)
		event := delta(t, long)
		for range total {
			if _, err := w.Write(event); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			sent.Add(1)
		}
		_, _ = w.Write(stop(t))
	})
	e := entries(t, c)[0]
	out, err := e.sdk().ConverseStream(t.Context(), converseStream("Hello"))
	if err != nil {
		t.Fatal(err)
	}
	<-out.GetStream().Events()
	var before int64 = -1
	soon(t, "the upstream stops", func() bool {
		last := before
		before = sent.Load()
		time.Sleep(100 * time.Millisecond)
		return last == before
	})
	if before == total {
		t.Error("nobody has read, and the upstream has sent everything")
	}
	n := 1
	for range out.GetStream().Events() {
		n++
	}
	if err := out.GetStream().Close(); err != nil || n != total+1 {
		t.Errorf("%d events, %v", n, err)
	}
}

// The caller's going away ends the call upstream: while the model has not begun, in the
// middle of a stream, and while an event waits to be taken.
func TestCallerGoesAway(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer func(w http.ResponseWriter, gone <-chan struct{})
	}{
		{"before the answer begins", func(_ http.ResponseWriter, gone <-chan struct{}) { <-gone }},
		{"before the first event", func(w http.ResponseWriter, gone <-chan struct{}) { begin(w); <-gone }},
		{"in the middle", func(w http.ResponseWriter, gone <-chan struct{}) {
			begin(w)
			_, _ = w.Write(delta(t, "x"))
			w.(http.Flusher).Flush()
			<-gone
		}},
		{"while events wait", func(w http.ResponseWriter, _ <-chan struct{}) {
			begin(w)
			for {
				if _, err := w.Write(delta(t, strings.Repeat("x", 1<<10))); err != nil {
					return
				}
				w.(http.Flusher).Flush()
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			t.Cleanup(func() { // after those of the servers
				soon(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
			})
			var serving, done atomic.Int64
			records := make(chan securebedrock.Outcome, 1)
			c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
				serving.Add(1)
				defer done.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				row.answer(w, r.Context().Done())
			}, func(o *securebedrock.Options) {
				o.Middleware = []securebedrock.Middleware{recorded(records)}
			})
			for i, e := range entries(t, c) {
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					out, err := e.sdk().ConverseStream(ctx, converseStream("Hello"))
					if err != nil {
						return
					}
					defer out.GetStream().Close()
					<-out.GetStream().Events()
					<-ctx.Done()
				}()
				soon(t, e.name+": the upstream is asked", func() bool { return serving.Load() == int64(i+1) })
				time.Sleep(50 * time.Millisecond)
				cancel()
				soon(t, e.name+": the upstream sees the caller go", func() bool { return done.Load() == int64(i+1) })
				select {
				case out := <-records:
					if !out.Canceled {
						t.Errorf("%s: %+v", e.name, out)
					}
				case <-time.After(20 * time.Second):
					t.Fatalf("%s: the call has no record", e.name)
				}
			}
		})
	}
}

// recorded is a Middleware that passes on what became of each call.
func recorded(records chan<- securebedrock.Outcome) securebedrock.Middleware {
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			result, err := next(ctx, call)
			if err != nil {
				records <- securebedrock.Outcome{Err: err, Canceled: errors.Is(err, context.Canceled)}
				return nil, err
			}
			result.OnDone(func(o securebedrock.Outcome) { records <- o })
			return result, nil
		}
	}
}

// A Middleware that answers with another client's stream is carried like the rest. A
// stream of it that breaks off is not whole.
func TestStreamsOfMiddleware(t *testing.T) {
	for _, whole := range []bool{true, false} {
		other := upstreamPlain(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			begin(w)
			_, _ = w.Write(delta(t, "from elsewhere"))
			if whole {
				_, _ = w.Write(stop(t))
			}
		})
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, func(o *securebedrock.Options) {
			o.Middleware = []securebedrock.Middleware{func(securebedrock.Handler) securebedrock.Handler {
				return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
					out, err := other.ConverseStream(ctx, call.Input.(*bedrockruntime.ConverseStreamInput))
					return &securebedrock.Result{Output: out}, err
				}
			}}
		})
		for _, e := range entries(t, c) {
			out, err := e.sdk().ConverseStream(t.Context(), converseStream("Hello"))
			if err != nil {
				t.Fatal(err)
			}
			first, ok := (<-out.GetStream().Events()).(*types.ConverseStreamOutputMemberContentBlockDelta)
			if !ok || first.Value.Delta.(*types.ContentBlockDeltaMemberText).Value != "from elsewhere" {
				t.Errorf("%s: %#v", e.name, first)
			}
			for range out.GetStream().Events() {
			}
			if err := out.GetStream().Close(); (err == nil) != whole {
				t.Errorf("%s: whole %v: %v", e.name, whole, err)
			}
		}
	}
}

// An answer that has what the SDK does not know is an error, which the SDK does not ask
// for again: the model has run.
func TestAnswersThatCannotBePassedOn(t *testing.T) {
	c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.URL.Path, "-stream") {
			begin(w)
			_, _ = w.Write(frame(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"hologram":"a secret"}}`))
			_, _ = w.Write(stop(t))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"output":{"message":{"role":"assistant","content":[{"hologram":"a secret"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}`)
	})
	for _, e := range entries(t, c) {
		_, err := e.sdk().Converse(t.Context(), converse("Hello"))
		isException(t, e.name, err, "ModelErrorException", "cannot be passed on")
		if strings.Contains(err.Error(), "a secret") || !strings.Contains(err.Error(), "StatusCode: 424") {
			t.Errorf("%s: %v", e.name, err)
		}
		out, err := e.sdk().ConverseStream(t.Context(), converseStream("Hello"))
		if err != nil {
			t.Fatal(err)
		}
		for range out.GetStream().Events() {
		}
		isException(t, e.name, out.GetStream().Err(), "ModelStreamErrorException", "cannot be passed on")
		out.GetStream().Close()
	}
}
