package audit_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// counted is an output that counts its lines.
type counted struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *counted) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *counted) Sync() error { return nil }

func (l *counted) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.String(), "\n")
}

func core(w zapcore.WriteSyncer, level zapcore.LevelEnabler) zapcore.Core {
	return zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), w, level)
}

// sampled drops what zap's production configuration drops, and sooner.
func sampled(c zapcore.Core) zapcore.Core {
	return zapcore.NewSamplerWithOptions(c, time.Hour, 5, 0)
}

// opaque is a core of another package that hides the one within.
type opaque struct{ zapcore.Core }

func (o opaque) With(f []zapcore.Field) zapcore.Core { return opaque{o.Core.With(f)} }

// A sampler drops no record, wherever it stands in a logger; where it cannot be
// gone by, and where a level keeps records out, the sink is refused when the
// Middleware is made.
func TestZapKeepsEveryRecordOrIsRefused(t *testing.T) {
	info := zapcore.InfoLevel
	for _, row := range []struct {
		name string
		make func(w zapcore.WriteSyncer) *zap.Logger
		per  int // lines of one record; 0: refused
	}{
		{"no sampler", func(w zapcore.WriteSyncer) *zap.Logger { return zap.New(core(w, info)) }, 1},
		{"a sampler", func(w zapcore.WriteSyncer) *zap.Logger { return zap.New(sampled(core(w, info))) }, 1},
		{"a sampler with fields and a name", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(sampled(core(w, info))).With(zap.Int("a", 1)).Named("b")
		}, 1},
		{"a sampler with lazy fields", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(sampled(core(w, info))).WithLazy(zap.Int("a", 1))
		}, 1},
		{"a sampler beneath hooks", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(sampled(core(w, info)), zap.Hooks(func(zapcore.Entry) error { return nil }))
		}, 1},
		{"a sampler over hooks", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(sampled(zapcore.RegisterHooks(core(w, info), func(zapcore.Entry) error { return nil })))
		}, 1},
		{"a sampler over a sampler", func(w zapcore.WriteSyncer) *zap.Logger { return zap.New(sampled(sampled(core(w, info)))) }, 1},
		{"a sampler over a tee", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(sampled(zapcore.NewTee(core(w, info), core(w, info))))
		}, 2},
		{"a tee with one sampled branch", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(zapcore.NewTee(core(zapcore.AddSync(io.Discard), info), sampled(core(w, info))))
		}, 1},
		{"a tee with a branch for errors", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(zapcore.NewTee(core(w, info), sampled(core(w, zapcore.ErrorLevel))))
		}, 1},
		{"a tee that divides the levels", func(w zapcore.WriteSyncer) *zap.Logger {
			only := func(l zapcore.Level) zapcore.LevelEnabler {
				return zap.LevelEnablerFunc(func(is zapcore.Level) bool { return is == l })
			}
			return zap.New(zapcore.NewTee(core(w, only(info)), core(w, only(zapcore.WarnLevel))))
		}, 1},
		{"a raised level", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(core(w, zapcore.DebugLevel), zap.IncreaseLevel(info))
		}, 1},
		{"a level that keeps them out", func(w zapcore.WriteSyncer) *zap.Logger { return zap.New(core(w, zapcore.ErrorLevel)) }, 0},
		{"a level that keeps half of them out", func(w zapcore.WriteSyncer) *zap.Logger { return zap.New(core(w, zapcore.WarnLevel)) }, 0},
		{"a level raised too far", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(core(w, info), zap.IncreaseLevel(zapcore.ErrorLevel))
		}, 0},
		{"a sampler beneath a raised level", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(sampled(core(w, zapcore.DebugLevel)), zap.IncreaseLevel(info))
		}, 0},
		{"a sampler in a core of another package", func(w zapcore.WriteSyncer) *zap.Logger { return zap.New(opaque{sampled(core(w, info))}) }, 0},
		{"the same in a tee", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(zapcore.NewTee(core(zapcore.AddSync(io.Discard), info), opaque{sampled(core(w, info))}))
		}, 0},
		{"the same beneath hooks", func(w zapcore.WriteSyncer) *zap.Logger {
			return zap.New(opaque{sampled(core(w, info))}, zap.Hooks(func(zapcore.Entry) error { return nil }))
		}, 0},
		{"no core", func(zapcore.WriteSyncer) *zap.Logger { return zap.NewNop() }, 0},
		{"a zero logger", func(zapcore.WriteSyncer) *zap.Logger { return new(zap.Logger) }, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			out := new(counted)
			sink := audit.Zap(row.make(out))
			_, err := audit.Middleware(audit.Multi(new(memory), sink), audit.Options{})
			_, aerr := audit.Async(sink, audit.AsyncOptions{})
			if row.per == 0 {
				for _, err := range []error{err, aerr} {
					if !errors.Is(err, securebedrock.ErrConfig) || !errors.Is(err, audit.ErrDropped) && row.name != "a zero logger" {
						t.Errorf("got %v", err)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			const n = 300
			for i := range n {
				r := sample(i)
				if i%2 == 1 {
					r.Error = &audit.Error{Class: "other"} // at level Warn
				}
				if err := sink.Write(t.Context(), r); err != nil {
					t.Fatalf("record %d: %v", i, err)
				}
			}
			if got := out.count(); got != n*row.per {
				t.Errorf("%d lines, want %d", got, n*row.per)
			}
		})
	}
}

// The issue's own case: more calls in a second than zap's production sampler takes.
func TestZapProductionTakesEveryCall(t *testing.T) {
	path := t.TempDir() + "/log"
	cfg := zap.NewProductionConfig()
	cfg.OutputPaths = []string{path}
	logger, err := cfg.Build()
	if err != nil {
		t.Fatal(err)
	}
	server := bedrocktest.NewServer(t)
	sink := audit.Zap(logger)
	c := newClient(t, server, sink, audit.Options{})
	const n = 250
	for range n {
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
	}
	if err := audit.Flush(t.Context(), sink); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(b, []byte("\n")); got != 2*n {
		t.Errorf("%d lines, want %d", got, 2*n)
	}
}

// What the application logs is sampled as before: the audit's look at the logger
// takes nothing of the sampler's allowance.
func TestZapLeavesTheApplicationsSamplerAlone(t *testing.T) {
	out := new(counted)
	logger := zap.New(sampled(core(out, zapcore.InfoLevel)))
	sink := audit.Zap(logger)
	write(t, sink, 0, 50)
	for range 20 {
		logger.Info("hello")
	}
	if got := out.count(); got != 50+5 {
		t.Errorf("%d lines, want 55", got)
	}
}

// A standard stream that cannot be synced is no failed Flush.
func TestZapFlushOfAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for _, c := range []zapcore.Core{core(w, zapcore.InfoLevel), zapcore.NewTee(core(w, zapcore.InfoLevel), core(w, zapcore.InfoLevel))} {
		if err := audit.Flush(t.Context(), audit.Zap(zap.New(c))); err != nil {
			t.Errorf("got %v", err)
		}
	}
	if err := audit.Flush(t.Context(), audit.Zap(zap.New(core(badSync{w}, zapcore.InfoLevel)))); !errors.Is(err, errSink) {
		t.Errorf("a sync that fails: %v", err)
	}
}

type badSync struct{ io.Writer }

func (badSync) Sync() error { return errSink }

func TestSlogThatDropsIsRefused(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelWarn, slog.LevelError} {
		sink := audit.Slog(slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: level})))
		if _, err := audit.Middleware(sink, audit.Options{}); !errors.Is(err, securebedrock.ErrConfig) || !errors.Is(err, audit.ErrDropped) {
			t.Errorf("level %v: %v", level, err)
		}
		// A Chain over it does not hide it.
		if _, err := audit.Middleware(chain(t, sink), audit.Options{}); !errors.Is(err, audit.ErrDropped) {
			t.Errorf("level %v in a Chain: %v", level, err)
		}
	}
	if _, err := audit.Middleware(audit.Slog(slog.New(slog.NewJSONHandler(io.Discard, nil))), audit.Options{}); err != nil {
		t.Error(err)
	}
}
