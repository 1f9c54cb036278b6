package audit_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	bedrockdoc "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// soon is a bound that a loaded machine keeps and a hang does not.
const soon = 10 * time.Second

// stuckWriter does not return from Write until it is released.
type stuckWriter struct{ release chan struct{} }

func (w stuckWriter) Write(p []byte) (int, error) { <-w.release; return len(p), nil }
func (w stuckWriter) Sync() error                 { return nil }

// stuckSinks are sinks that ignore their context and hang until release is closed.
func stuckSinks(t *testing.T, release chan struct{}) map[string]audit.Sink {
	w := stuckWriter{release}
	stuck := audit.SinkFunc(func(context.Context, *audit.Record) error { <-release; return nil })
	return map[string]audit.Sink{
		"a sink of the application's": stuck,
		"JSONLines":                   audit.JSONLines(w),
		"Slog":                        audit.Slog(slog.New(slog.NewJSONHandler(w, nil))),
		"Zap":                         audit.Zap(zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), w, zapcore.InfoLevel))),
		"Multi":                       audit.Multi(new(memory), stuck),
		"Chain":                       chain(t, stuck),
	}
}

// No call waits longer for a sink that hangs than WriteTimeout and its own context
// allow, and few goroutines hang with it.
func TestStuckSinkRefusesInTime(t *testing.T) {
	for _, bound := range []string{"WriteTimeout", "the call's context"} {
		release := make(chan struct{})
		for name, sink := range stuckSinks(t, release) {
			t.Run(bound+" with "+name, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				opts := audit.Options{WriteTimeout: 50 * time.Millisecond}
				if bound != "WriteTimeout" {
					opts.WriteTimeout = time.Hour
				}
				c := newClient(t, server, sink, opts)
				before := runtime.NumGoroutine()
				for range 12 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					if bound != "WriteTimeout" {
						ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
					}
					start := time.Now()
					_, err := c.Converse(ctx, converse("hello"))
					cancel()
					if took := time.Since(start); !errors.Is(err, securebedrock.ErrAudit) || took > soon {
						t.Fatalf("after %v: %v", took, err)
					}
				}
				if n := runtime.NumGoroutine() - before; n > 10 {
					t.Errorf("%d goroutines hang after 12 calls", n)
				}
				if n := len(server.Calls()); n != 0 {
					t.Errorf("%d requests arrived", n)
				}
			})
		}
		close(release)
	}
}

// Of many calls at once no more hang than the lane has slots, and when the sink
// comes back the client does.
func TestStuckSinkUnderLoad(t *testing.T) {
	noGoroutines(t)
	server := bedrocktest.NewServer(t)
	release := make(chan struct{})
	var inside, most atomic.Int64
	kept := new(memory)
	c := newClient(t, server, audit.SinkFunc(func(ctx context.Context, r *audit.Record) error {
		n := inside.Add(1)
		defer inside.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-release
		return kept.Write(ctx, r)
	}), audit.Options{WriteTimeout: 300 * time.Millisecond})
	var wg sync.WaitGroup
	for range 600 {
		wg.Go(func() {
			if _, err := c.Converse(t.Context(), converse("hello")); !errors.Is(err, securebedrock.ErrAudit) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if n := most.Load(); n > 256 {
		t.Errorf("%d writes hung at once, want at most 256", n)
	}
	close(release)
	for deadline := time.Now().Add(soon); inside.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d writes are still inside", inside.Load())
		}
	}
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Errorf("after the sink came back: %v", err)
	}
	c.Close()
}

// An outcome whose write hangs does not hold the answer longer than the tries
// allow, and is not written a second time meanwhile.
func TestStuckOutcome(t *testing.T) {
	for _, row := range []struct {
		name          string
		stuckFor      time.Duration
		written, lost int64
	}{
		{"it is lost where the write never returns", time.Hour, 0, 1},
		{"it is there once where the write returns late", 300 * time.Millisecond, 1, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			release := make(chan struct{})
			defer close(release)
			var begun atomic.Int64
			kept := new(memory)
			stats := new(audit.Stats)
			c := newClient(t, server, audit.SinkFunc(func(ctx context.Context, r *audit.Record) error {
				if r.Kind == audit.KindOutcome {
					begun.Add(1)
					select {
					case <-release:
					case <-time.After(row.stuckFor):
					}
				}
				return kept.Write(ctx, r)
			}), audit.Options{WriteTimeout: 200 * time.Millisecond, Attempts: 10, Stats: stats})
			if row.lost > 0 {
				c = newClient(t, server, audit.SinkFunc(func(_ context.Context, r *audit.Record) error {
					if r.Kind == audit.KindOutcome {
						begun.Add(1)
						<-release
					}
					return nil
				}), audit.Options{WriteTimeout: 50 * time.Millisecond, Attempts: 3, Stats: stats})
			}
			start := time.Now()
			if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > soon {
				t.Errorf("the answer came after %v", took)
			}
			if begun.Load() != 1 || stats.Outcomes.Load() != row.written || stats.Lost.Load() != row.lost {
				t.Errorf("%d writes begun, %d outcomes written, %d lost", begun.Load(), stats.Outcomes.Load(), stats.Lost.Load())
			}
		})
	}
}

// The pauses between the tries of an outcome are bounded, too.
func TestTriesTakeNoLongerThanTheirBound(t *testing.T) {
	server := bedrocktest.NewServer(t)
	sink := &memory{fail: func(r *audit.Record) error {
		if r.Kind == audit.KindOutcome {
			return errSink
		}
		return nil
	}}
	c := newClient(t, server, sink, audit.Options{WriteTimeout: 10 * time.Millisecond, Attempts: 25})
	start := time.Now()
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second { // doubled pauses would take 20 ms times 2^24
		t.Errorf("it took %v", took)
	}
}

type panicking struct{}

func (panicking) Redact(string) string { panic("the secret prompt") }

// redactIf panics over texts that hold a word.
type redactIf string

func (w redactIf) Redact(text string) string {
	if strings.Contains(text, string(w)) {
		panic("the secret prompt")
	}
	return text
}

// strangeError panics where errors.Is looks into it.
type strangeError struct{}

func (strangeError) Error() string { return "strange" }
func (strangeError) Is(error) bool { panic("the secret prompt") }

type panicDocument struct{ bedrockdoc.Interface }

func (panicDocument) MarshalSmithyDocument() ([]byte, error) { panic("the secret prompt") }

// A panic in a function of the application's leaves no call without its two
// records, and the record says what is missing.
func TestPanicsLeaveBothRecords(t *testing.T) {
	redacted := func(r audit.Redactor) audit.Options {
		return audit.Options{Content: audit.ContentPolicy{Mode: audit.ContentRedacted, Redactor: r}}
	}
	withheld := func(c *audit.Content) bool {
		return c != nil && len(c.Blocks) > 0 && c.Blocks[0].Withheld == "redactor_panicked" && c.Blocks[0].Text == ""
	}
	unary := func(c *securebedrock.Client) error {
		_, err := c.Converse(context.Background(), converse("question"))
		return err
	}
	stream := func(c *securebedrock.Client) error {
		out, err := c.ConverseStream(context.Background(), converseStream("question"))
		if err != nil {
			return err
		}
		for range out.GetStream().Events() {
		}
		return errors.Join(out.GetStream().Err(), out.GetStream().Close())
	}
	for _, row := range []struct {
		name  string
		opts  audit.Options
		call  func(c *securebedrock.Client) error
		ok    bool
		check func(in, out *audit.Record) bool
	}{
		{"a Redactor over the prompt", redacted(redactIf("question")), unary, true, func(in, out *audit.Record) bool {
			return withheld(in.Input) && in.Input.Kinds["text"] == 1 && out.Output.Blocks[0].Withheld == ""
		}},
		{"a Redactor over an answer", redacted(redactIf("answer")), unary, true, func(in, out *audit.Record) bool {
			return in.Input.Blocks[0].Text == "question" && withheld(out.Output) && out.Usage != nil
		}},
		{"a Redactor over a stream's answer", redacted(redactIf("answer")), stream, true, func(in, out *audit.Record) bool {
			return in.Input.Blocks[0].Text == "question" && withheld(out.Output) && out.Usage != nil
		}},
		{"a Redactor over all", redacted(panicking{}), func(c *securebedrock.Client) error {
			_, err := c.InvokeModel(context.Background(), &bedrockruntime.InvokeModelInput{ModelId: converse("").ModelId, Body: invokeBody("question")})
			return err
		}, true, func(in, out *audit.Record) bool { return withheld(in.Input) && withheld(out.Output) }},
		{"a document of the prompt", redacted(audit.Patterns()), func(c *securebedrock.Client) (err error) {
			defer func() { // the SDK marshals it, too, on the caller's goroutine
				if v := recover(); v != nil {
					err = errors.New("a panic")
				}
			}()
			in := converse("question")
			in.AdditionalModelRequestFields = panicDocument{document(1)}
			_, err = c.Converse(context.Background(), in)
			return err
		}, false, func(in, out *audit.Record) bool {
			return in.Input.Incomplete && in.Input.Blocks[0].Text == "question"
		}},
		{"a nil block of the prompt", redacted(audit.Patterns()), func(c *securebedrock.Client) (err error) {
			defer func() { // in the SDK, on the caller's goroutine
				if v := recover(); v != nil {
					err = errors.New("a panic")
				}
			}()
			in := converse("question")
			in.Messages[0].Content = append(in.Messages[0].Content, (*types.ContentBlockMemberText)(nil))
			_, err = c.Converse(context.Background(), in)
			return err
		}, false, func(in, _ *audit.Record) bool {
			return in.Input.Incomplete && in.Input.Blocks[0].Text == "question"
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				return bedrocktest.Text("answer"), nil
			})
			sink := new(memory)
			c := newClient(t, server, sink, row.opts)
			func() {
				defer func() {
					if v := recover(); v != nil && row.ok {
						t.Errorf("the panic reached the caller: %v", v)
					}
				}()
				if err := row.call(c); (err == nil) != row.ok {
					t.Errorf("got %v", err)
				}
			}()
			if in, out := sink.pair(t); !row.check(in, out) {
				a, _ := in.Line()
				b, _ := out.Line()
				t.Errorf("the records are\n%s\n%s", a, b)
			}
		})
	}
}

func TestPanicInAnErrorsMethod(t *testing.T) {
	sink := new(memory)
	h := record(t, sink, audit.Options{})(func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { return nil, strangeError{} })
	if _, err := h(t.Context(), &securebedrock.Call{ID: "A", Operation: "Converse"}); err != (strangeError{}) {
		t.Errorf("got %v", err)
	}
	if _, out := sink.pair(t); out.Error == nil || out.Error.Class != "other" {
		t.Errorf("the outcome is %+v", out)
	}
}

// OnLost that panics or hangs holds up no call, and is counted.
func TestOnLostThatPanicsOrHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, onLost := range map[string]func(*audit.Record, error){
		"panics":                func(*audit.Record, error) { panic("the secret prompt") },
		"hangs":                 func(*audit.Record, error) { <-release },
		"ends its goroutine":    func(*audit.Record, error) { runtime.Goexit() },
		"writes to a nil place": func(r *audit.Record, _ error) { *(*int)(nil) = len(r.CallID) },
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			stats := new(audit.Stats)
			sink := &memory{fail: func(*audit.Record) error { return errSink }}
			c := newClient(t, server, sink, audit.Options{WriteTimeout: 100 * time.Millisecond, OnLost: onLost, Stats: stats})
			start := time.Now()
			for range 5 {
				if _, err := c.Converse(t.Context(), converse("hello")); !errors.Is(err, securebedrock.ErrAudit) || !errors.Is(err, errSink) {
					t.Errorf("got %v", err)
				}
			}
			if took := time.Since(start); took > soon || stats.Untold.Load() != 10 || stats.Lost.Load() != 10 {
				t.Errorf("after %v: %d lost, %d untold, want 10 of each", took, stats.Lost.Load(), stats.Untold.Load())
			}
		})
	}
}

// One sink that panics or hangs keeps none of the others from the record.
func TestMultiWithASinkThatFails(t *testing.T) {
	noGoroutines(t)
	release := make(chan struct{})
	for name, bad := range map[string]audit.Sink{
		"panics":             audit.SinkFunc(func(context.Context, *audit.Record) error { panic("the secret prompt") }),
		"ends its goroutine": audit.SinkFunc(func(context.Context, *audit.Record) error { runtime.Goexit(); return nil }),
		"hangs":              audit.SinkFunc(func(context.Context, *audit.Record) error { <-release; return nil }),
		"fails":              audit.SinkFunc(func(context.Context, *audit.Record) error { return errSink }),
	} {
		t.Run(name, func(t *testing.T) {
			first, last := new(memory), new(memory)
			sink := audit.Multi(first, bad, last)
			for i := range 5 {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				result := make(chan error, 1)
				go func() { result <- sink.Write(ctx, sample(i)) }()
				last.wait(t, i+1)
				if err := <-result; err == nil || strings.Contains(err.Error(), "secret") {
					t.Errorf("got %v", err)
				}
				cancel()
				if len(first.all()) != i+1 || len(last.all()) != i+1 {
					t.Errorf("after %d writes the others have %d and %d records", i+1, len(first.all()), len(last.all()))
				}
			}
		})
	}
	close(release)
}

// lifeless is a sink whose Flush and Close are its own.
type lifeless struct {
	memory
	flush, close func() error
}

func (l *lifeless) Flush(context.Context) error { return l.flush() }
func (l *lifeless) Close() error                { return l.close() }

func TestMultiFlushAndCloseReachAll(t *testing.T) {
	var flushed, closed atomic.Int64
	fine := func() *lifeless {
		return &lifeless{flush: func() error { flushed.Add(1); return nil }, close: func() error { closed.Add(1); return nil }}
	}
	release := make(chan struct{})
	for name, f := range map[string]func() error{
		"panics": func() error { panic("the secret prompt") },
		"hangs":  func() error { <-release; return errSink },
	} {
		flushed.Store(0)
		closed.Store(0)
		sink := audit.Multi(fine(), &lifeless{flush: f, close: f}, fine())
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := audit.Flush(ctx, sink); err == nil || strings.Contains(err.Error(), "secret") || flushed.Load() != 2 {
			t.Errorf("%s: Flush: %v, and %d others were flushed", name, err, flushed.Load())
		}
		cancel()
		if name == "hangs" {
			time.AfterFunc(100*time.Millisecond, func() { close(release) })
		}
		if err := audit.Close(sink); err == nil || strings.Contains(err.Error(), "secret") || closed.Load() != 2 {
			t.Errorf("%s: Close: %v, and %d others were closed", name, err, closed.Load())
		}
	}
}

// A writer that panics leaves the next record on a line of its own.
func TestJSONLinesAfterAPanic(t *testing.T) {
	var lines strings.Builder
	broken := true
	sink := audit.JSONLines(writerFunc(func(p []byte) (int, error) {
		if broken {
			lines.Write(p[:len(p)/2])
			panic("the secret prompt")
		}
		return lines.Write(p)
	}))
	if err := audit.Multi(sink).Write(t.Context(), sample(1)); err == nil {
		t.Error("no error")
	}
	broken = false
	write(t, sink, 2, 3)
	all := strings.Split(strings.TrimSpace(lines.String()), "\n")
	want, _ := sample(2).Line()
	if len(all) != 2 || len(all[1]) < len(want)/2 || !strings.HasPrefix(all[1], `{"schema"`) {
		t.Errorf("the lines are %q", all)
	}
}
