package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// filled is a record in which every field is set.
func filled(t testing.TB) *audit.Record {
	t.Helper()
	r := new(audit.Record)
	n := 0
	fill(reflect.ValueOf(r).Elem(), &n)
	r.Schema = audit.Schema
	return r
}

func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString("word" + string(rune('a'+*n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte{1, 2, 3})
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]int{"image": 1, "text": *n}))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 24, 9, 0, 0, *n, time.UTC)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	default:
		panic("fill " + v.Kind().String())
	}
}

// The form of the log: a change of it shows here, and needs another schema number
// where a reader could trip over it.
func TestSchema(t *testing.T) {
	line, err := filled(t).Line()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "record.golden.json", append(b.Bytes(), '\n'))

	least, _ := (&audit.Record{Schema: audit.Schema, Kind: audit.KindIntent, Time: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}).Line()
	golden(t, "empty.golden.json", append(least, '\n'))
}

// JSON, zap and slog say the same of every field, and of none that is empty.
func TestEncodingsAgree(t *testing.T) {
	tree := func(b []byte) any {
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		return v
	}
	for name, r := range map[string]*audit.Record{"filled": filled(t), "empty": {Schema: audit.Schema, Kind: audit.KindIntent, Time: time.Now().UTC()}} {
		line, _ := r.Line()
		want := tree(line)

		var z bytes.Buffer
		logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(&z), zapcore.InfoLevel))
		if err := audit.Zap(logger).Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got := tree(z.Bytes()); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: zap has\n%v\nwant\n%v", name, got, want)
		}
		var s bytes.Buffer
		h := slog.NewJSONHandler(&s, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.LevelKey || a.Key == slog.MessageKey || a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime) {
				return slog.Attr{}
			}
			return a
		}})
		if err := audit.Slog(slog.New(h)).Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got := tree(s.Bytes()); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: slog has\n%v\nwant\n%v", name, got, want)
		}
	}
}

type failingSyncer struct{}

func (failingSyncer) Write([]byte) (int, error) { return 0, errSink }
func (failingSyncer) Sync() error               { return nil }

func TestLoggersThatDropOrFailAreErrors(t *testing.T) {
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{})
	core := func(w zapcore.WriteSyncer, level zapcore.Level) zapcore.Core {
		return zapcore.NewCore(encoder, w, level)
	}
	discard := zapcore.AddSync(io.Discard)
	for _, row := range []struct {
		name string
		sink audit.Sink
		ok   bool
		want error
	}{
		{"zap", audit.Zap(zap.New(core(discard, zapcore.InfoLevel))), true, nil},
		{"zap with fields, a name and a hook", audit.Zap(zap.New(core(discard, zapcore.InfoLevel), zap.Hooks(func(zapcore.Entry) error { return nil })).Named("a").With(zap.Int("b", 1))), true, nil},
		{"zap at level error", audit.Zap(zap.New(core(discard, zapcore.ErrorLevel))), false, audit.ErrDropped},
		{"zap with a sampler, which the records go by", audit.Zap(zap.New(zapcore.NewSamplerWithOptions(core(discard, zapcore.InfoLevel), time.Hour, 1, 0))), true, nil},
		{"zap whose core fails", audit.Zap(zap.New(core(failingSyncer{}, zapcore.InfoLevel))), false, nil},
		{"zap with a tee of which one fails", audit.Zap(zap.New(zapcore.NewTee(core(discard, zapcore.InfoLevel), core(failingSyncer{}, zapcore.InfoLevel)))), false, nil},
		{"no zap logger", audit.Zap(nil), false, nil},
		{"slog", audit.Slog(slog.New(slog.NewTextHandler(io.Discard, nil))), true, nil},
		{"slog at level error", audit.Slog(slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))), false, audit.ErrDropped},
		{"slog whose writer fails", audit.Slog(slog.New(slog.NewTextHandler(failingSyncer{}, nil))), false, errSink},
		{"no slog logger", audit.Slog(nil), false, nil},
		{"no sinks", audit.Multi(), false, nil},
		{"a nil sink among others", audit.Multi(new(memory), nil), false, nil},
	} {
		_ = row.sink.Write(t.Context(), sample(1))
		err := row.sink.Write(t.Context(), sample(2))
		if (err == nil) != row.ok || row.want != nil && !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestMultiWritesToAll(t *testing.T) {
	a, b := &memory{fail: func(*audit.Record) error { return errSink }}, new(memory)
	if err := audit.Multi(a, b).Write(t.Context(), sample(1)); !errors.Is(err, errSink) || len(b.records) != 1 {
		t.Errorf("%v, and the second sink has %d records", err, len(b.records))
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.log")
	f, err := audit.File(path, audit.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, 0, 2)
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if _, err := audit.File(path, audit.FileOptions{}); err == nil {
		t.Error("a second File opened it too")
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	write(t, f, 2, 3)
	if err := f.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Write(t.Context(), sample(3)); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("a write after Close: %v", err)
	}
	for name, want := range map[string]int{path: 1, path + ".1": 2} {
		if b, _ := os.ReadFile(name); bytes.Count(b, []byte("\n")) != want {
			t.Errorf("%s has %d lines, want %d", name, bytes.Count(b, []byte("\n")), want)
		}
	}
	open := filepath.Join(dir, "open.log")
	if err := os.WriteFile(open, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.File(open, audit.FileOptions{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others can read: %v", err)
	}
	for name, f := range map[string]func() error{
		"a directory":      func() error { _, err := audit.File(dir, audit.FileOptions{}); return err },
		"a device":         func() error { _, err := audit.File(os.DevNull, audit.FileOptions{}); return err },
		"no such folder":   func() error { _, err := audit.File(filepath.Join(dir, "no", "x"), audit.FileOptions{}); return err },
		"a strange policy": func() error { _, err := audit.File(path, audit.FileOptions{Sync: 9}); return err },
	} {
		if f() == nil {
			t.Errorf("%s was opened", name)
		}
	}
}

// Nothing is lost with 64 writers and a slow sink, and no more waits than the
// queue holds.
func TestAsyncUnderLoad(t *testing.T) {
	noGoroutines(t)
	var inside, got atomic.Int64
	slow := audit.SinkFunc(func(context.Context, *audit.Record) error {
		inside.Add(1)
		time.Sleep(100 * time.Microsecond)
		got.Add(1)
		return nil
	})
	const writers, each, queue = 64, 200, 100
	a, err := audit.Async(slow, audit.AsyncOptions{Queue: queue})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var accepted, most atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range each {
				if err := a.Write(t.Context(), sample(i)); err != nil {
					t.Error(err)
				}
				if waiting := accepted.Add(1) - inside.Load(); waiting > most.Load() {
					most.Store(waiting)
				}
			}
		})
	}
	wg.Wait()
	runtime.ReadMemStats(&after)
	if err := a.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if got.Load() != writers*each {
		t.Errorf("%d records arrived after Flush, want %d", got.Load(), writers*each)
	}
	if most.Load() > queue+writers+1 {
		t.Errorf("%d records waited, with a queue of %d", most.Load(), queue)
	}
	if err := a.Close(); err != nil || a.Lost() != 0 {
		t.Errorf("%v, %d lost", err, a.Lost())
	}
	t.Logf("at most %d waited; the heap grew by %d KB", most.Load(), (int64(after.HeapAlloc)-int64(before.HeapAlloc))/1024)
}

func TestAsync(t *testing.T) {
	hold := func() (audit.Sink, chan struct{}) {
		release := make(chan struct{})
		return audit.SinkFunc(func(ctx context.Context, _ *audit.Record) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}), release
	}
	t.Run("a full queue refuses at once, or when the context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for _, refuse := range []bool{true, false} {
				next, release := hold()
				a, _ := audit.Async(next, audit.AsyncOptions{Queue: 1, Refuse: refuse, WriteTimeout: time.Hour})
				write(t, a, 0, 1)
				synctest.Wait() // the goroutine has taken it
				write(t, a, 1, 2)
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				err := a.Write(ctx, sample(2))
				cancel()
				if waited := time.Since(start); !errors.Is(err, audit.ErrFull) || refuse != (waited == 0) || waited > time.Second {
					t.Errorf("refuse %t: %v after %v", refuse, err, waited)
				}
				ctx, cancel = context.WithTimeout(t.Context(), time.Second)
				if err := a.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Flush of a sink that holds: %v", err)
				}
				cancel()
				close(release)
				if err := a.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
				if err := a.Write(t.Context(), sample(3)); !errors.Is(err, audit.ErrClosed) {
					t.Errorf("a write after Close: %v", err)
				}
			}
		})
	})
	t.Run("a record is written again, and told when it is lost", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			failures := 2
			sink := &memory{}
			sink.fail = func(*audit.Record) error {
				if failures--; failures >= 0 {
					return errSink
				}
				return nil
			}
			var lost []*audit.Record
			a, _ := audit.Async(sink, audit.AsyncOptions{Attempts: 3, OnLost: func(r *audit.Record, _ error) { lost = append(lost, r) }})
			write(t, a, 0, 1)
			if err := a.Flush(t.Context()); err != nil || len(sink.records) != 1 || len(lost) != 0 {
				t.Errorf("%v, %d written, %d lost", err, len(sink.records), len(lost))
			}
			failures = 100
			write(t, a, 1, 2)
			if err := a.Flush(t.Context()); err == nil || len(lost) != 1 || a.Lost() != 1 {
				t.Errorf("%v, %d lost", err, len(lost))
			}
			if err := a.Close(); err != nil {
				t.Errorf("Close tells again what Flush has told: %v", err)
			}
		})
	})
	t.Run("Close gives up in time and tells what it lost", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			next, _ := hold()
			lost := 0
			a, _ := audit.Async(next, audit.AsyncOptions{WriteTimeout: time.Hour, CloseTimeout: time.Minute, OnLost: func(*audit.Record, error) { lost++ }})
			write(t, a, 0, 5)
			start := time.Now()
			if err := a.Close(); err == nil || lost != 5 || time.Since(start) != time.Minute {
				t.Errorf("%v after %v, %d lost", err, time.Since(start), lost)
			}
		})
	})
	t.Run("a sink that panics loses its record and not the process", func(t *testing.T) {
		a, _ := audit.Async(audit.SinkFunc(func(context.Context, *audit.Record) error { panic("sink") }), audit.AsyncOptions{Attempts: 1})
		write(t, a, 0, 1)
		if err := a.Close(); err == nil || a.Lost() != 1 {
			t.Errorf("%v, %d lost", err, a.Lost())
		}
	})
	if _, err := audit.Async(nil, audit.AsyncOptions{}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("no sink: %v", err)
	}
	if _, err := audit.Async(new(memory), audit.AsyncOptions{Queue: -1}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("a negative queue: %v", err)
	}
}

// Flush and Close reach through the whole of a sink's stack.
func TestFlushAndCloseReachTheLastSink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, err := audit.File(path, audit.FileOptions{Sync: audit.SyncInterval})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := audit.Async(chain(t, f), audit.AsyncOptions{})
	sink := audit.Multi(a, new(memory))
	write(t, sink, 0, 3)
	if err := audit.Flush(t.Context(), sink); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path)
	if r, _ := (&audit.Verifier{Keys: keys(key1), Open: true}).Verify(bytes.NewReader(b)); !r.OK() || r.Records != 4 || r.Checkpoints != 1 {
		t.Errorf("after Flush: %+v", r)
	}
	if err := audit.Close(sink); err != nil {
		t.Fatal(err)
	}
	b, _ = os.ReadFile(path)
	if r := verify(t, b, keys(key1)); !r.OK() {
		t.Errorf("after Close: %v", r.Findings)
	}
	if err := f.Write(t.Context(), sample(1)); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("the file is open: %v", err)
	}
}
