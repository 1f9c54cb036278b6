package audit_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func TestKeysAreRotated(t *testing.T) {
	var b bytes.Buffer
	c := chain(t, audit.JSONLines(&b))
	write(t, c, 0, 5)
	if err := c.Rotate(audit.Key{ID: "x"}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("a key without a secret: %v", err)
	}
	if err := c.Rotate(key2); err != nil {
		t.Fatal(err)
	}
	write(t, c, 5, 10)
	c.Close()
	if r := verify(t, b.Bytes(), keys(key1, key2)); !r.OK() || r.Records != 11 {
		t.Errorf("%+v", r)
	}
	if r := verify(t, b.Bytes(), keys(key1)); r.OK() {
		t.Error("it verifies without the second key")
	}
}

func TestManyWritersKeepTheOrder(t *testing.T) {
	var b bytes.Buffer
	c := chain(t, audit.JSONLines(&b), func(o *audit.ChainOptions) { o.Every = 7 })
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() { write(t, c, 100*g, 100*g+100) })
	}
	wg.Wait()
	c.Close()
	if r := verify(t, b.Bytes(), keys(key1)); !r.OK() || r.Records-r.Checkpoints != 1600 {
		t.Errorf("%+v", r)
	}
	if err := c.Write(t.Context(), sample(1)); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("a write after Close: %v", err)
	}
}

func TestCheckpointComesAfterTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var list []audit.Checkpoint
		seen := func() []audit.Checkpoint { mu.Lock(); defer mu.Unlock(); return slices.Clone(list) }
		sink := new(memory)
		c := chain(t, sink, func(o *audit.ChainOptions) {
			o.OnCheckpoint = func(cp audit.Checkpoint) { mu.Lock(); defer mu.Unlock(); list = append(list, cp) }
		})
		write(t, c, 0, 3)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if len(seen()) != 0 {
			t.Errorf("%d checkpoints before a minute", len(seen()))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(seen()) != 1 || seen()[0].Seq != 3 || seen()[0].Closing || !seen()[0].Verify(keys().Signers["s1"]) {
			t.Errorf("checkpoints %+v", seen())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(seen()) != 1 {
			t.Errorf("%d checkpoints of an idle chain", len(seen()))
		}
		sink.mu.Lock()
		sink.fail = func(*audit.Record) error { return errSink }
		sink.mu.Unlock()
		if err := c.Write(t.Context(), sample(9)); !errors.Is(err, errSink) {
			t.Error(err)
		}
		sink.mu.Lock()
		sink.fail = nil
		sink.mu.Unlock()
		write(t, c, 10, 11)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(seen()) != 2 || seen()[1].Seq != 6 {
			t.Errorf("checkpoints %+v", seen())
		}
		c.Close()
	})
}

// Close and Flush return although those of the sink do not, or panic.
func TestSinkWhoseCloseIsStuck(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, does := range map[string]func() error{"stuck": func() error { <-release; return nil }, "panics": func() error { panic("close") }} {
		c := chain(t, closer{new(lines), does}, func(o *audit.ChainOptions) { o.CloseTimeout = 200 * time.Millisecond })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		within(t, 5*time.Second, "Flush", func() {
			if c.Flush(ctx) == nil {
				t.Errorf("%s: Flush says nothing", name)
			}
		})
		cancel()
		within(t, 5*time.Second, "Close", func() {
			if c.Close() == nil {
				t.Errorf("%s: Close says nothing", name)
			}
		})
	}
}

// A Close that failed can be called again, and the log is whole then.
func TestCloseAgain(t *testing.T) {
	for _, stored := range []bool{false, true} {
		for _, writeFails := range []bool{false, true} {
			sink := new(lines)
			c := chain(t, sink)
			write(t, c, 0, 2)
			sink.set(func(n int, store func()) error {
				if stored {
					store()
				}
				return errSink
			})
			if writeFails && c.Write(t.Context(), sample(2)) == nil {
				t.Error("it was written")
			}
			for range 3 {
				if err := c.Close(); !errors.Is(err, errSink) {
					t.Errorf("Close: %v", err)
				}
				if err := c.Write(t.Context(), sample(3)); !errors.Is(err, audit.ErrClosed) {
					t.Errorf("a write after Close: %v", err)
				}
			}
			sink.set(nil)
			for range 2 {
				if err := c.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
			if r := verify(t, sink.log(), keys(key1)); !r.OK() {
				t.Errorf("stored %t, a write failed %t: %v", stored, writeFails, r.Findings)
			}
		}
	}
}

// A panic in the timer's goroutine, of the sink or of OnCheckpoint, is told and ends
// no process.
func TestPanicsOfTheTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(lines)
		var mu sync.Mutex
		var told []error
		errs := func() int { mu.Lock(); defer mu.Unlock(); return len(told) }
		c := chain(t, sink, func(o *audit.ChainOptions) {
			o.OnCheckpoint = func(audit.Checkpoint) { panic("application") }
			o.OnError = func(err error) {
				mu.Lock()
				told = append(told, err)
				mu.Unlock()
				panic("and here, too")
			}
		})
		write(t, c, 0, 2)
		sink.set(func(int, func()) error { panic("sink") })
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if errs() != 1 || !strings.Contains(told[0].Error(), "the sink's Write") {
			t.Errorf("of the sink: %v", told)
		}
		sink.set(nil)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if errs() != 3 || !strings.Contains(told[1].Error(), "OnCheckpoint") { // the checkpoint of the first try, and the second
			t.Errorf("of OnCheckpoint: %v", told)
		}
		if err := c.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "OnCheckpoint") {
			t.Errorf("Flush: %v", err)
		}
		if err := c.Flush(t.Context()); err != nil {
			t.Errorf("Flush tells it again: %v", err)
		}
		if err := c.Close(); err == nil {
			t.Error("Close does not tell of OnCheckpoint's panic")
		}
		if r := verify(t, sink.log(), keys(key1)); !r.OK() {
			t.Error(r.Findings)
		}
	})
}

type closer struct {
	audit.Sink
	close func() error
}

func (c closer) Close() error { return c.close() }

func (c closer) Flush(context.Context) error { return c.close() }
