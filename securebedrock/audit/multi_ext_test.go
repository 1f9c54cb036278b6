package audit_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

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

func TestMultiWritesToAll(t *testing.T) {
	a, b := &memory{fail: func(*audit.Record) error { return errSink }}, new(memory)
	if err := audit.Multi(a, b).Write(t.Context(), sample(1)); !errors.Is(err, errSink) || len(b.records) != 1 {
		t.Errorf("%v, and the second sink has %d records", err, len(b.records))
	}
}
