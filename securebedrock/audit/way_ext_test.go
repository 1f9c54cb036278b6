package audit_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// lifeless is a sink whose Flush and Close are its own.
type lifeless struct {
	memory
	flush, close func() error
}

func (l *lifeless) Flush(context.Context) error { return l.flush() }
func (l *lifeless) Close() error                { return l.close() }
