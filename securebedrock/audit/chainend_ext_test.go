package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// Whatever a sink does in a Write, the chain goes on, every record that it took is
// there, and Verify finds nothing.
func TestSinkThatFailsOnce(t *testing.T) {
	for _, row := range []struct {
		name   string
		does   func(store func()) error
		stored bool // the failed write has left the record
	}{
		{"fails", func(func()) error { return errSink }, false},
		{"fails, and has stored", func(store func()) error { store(); return errSink }, true},
		{"panics", func(func()) error { panic("prompt") }, false},
		{"panics, and has stored", func(store func()) error { store(); panic("prompt") }, true},
		{"ends its goroutine", func(func()) error { runtime.Goexit(); return nil }, false},
		{"says that nothing is stored", func(func()) error { return fmt.Errorf("disk: %w", audit.ErrNotWritten) }, false},
		{"is full", func(func()) error { return audit.ErrFull }, false},
	} {
		for at := 1; at <= 6; at++ { // the fifth is a checkpoint, the sixth the closing one
			t.Run(fmt.Sprintf("%s at write %d", row.name, at), func(t *testing.T) {
				sink := &lines{}
				sink.does = func(n int, store func()) error {
					if n == at {
						return row.does(store)
					}
					store()
					return nil
				}
				var mu sync.Mutex
				var kept []audit.Checkpoint
				c := chain(t, sink, func(o *audit.ChainOptions) {
					o.Every = 4
					o.OnCheckpoint = func(cp audit.Checkpoint) { mu.Lock(); defer mu.Unlock(); kept = append(kept, cp) }
				})
				var failed, taken []string
				for i := range 4 {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					r := sample(i)
					if err := c.Write(ctx, r); err != nil {
						if strings.Contains(err.Error(), "prompt") {
							t.Errorf("the error carries the panic's value: %v", err)
						}
						failed = append(failed, r.CallID)
					} else {
						taken = append(taken, r.CallID)
					}
					cancel()
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
				log := sink.log()
				r := verify(t, log, keys(key1))
				if !r.OK() || r.Streams != 1 || len(failed) > 1 {
					t.Fatalf("%v, failed %v", r.Findings, failed)
				}
				for _, id := range taken {
					if !bytes.Contains(log, []byte(`"`+id+`"`)) {
						t.Errorf("%s is not there", id)
					}
				}
				if row.stored && len(failed) == 1 {
					if n := bytes.Count(log, []byte(`"`+failed[0]+`"`)); n != 2 {
						t.Errorf("the record is there %d times", n)
					}
				}
				// One can take no line away that is there once.
				v := audit.Verifier{Keys: keys(key1), Expect: kept}
				if r, _ := v.Verify(bytes.NewReader(log)); !r.OK() {
					t.Errorf("with the checkpoints that were kept: %v", r.Findings)
				}
				split := bytes.SplitAfter(log, []byte("\n"))
				split = split[:len(split)-1]
				for i := range split {
					once := !slices.ContainsFunc(split[:i], func(l []byte) bool { return bytes.Equal(l, split[i]) }) &&
						!slices.ContainsFunc(split[i+1:], func(l []byte) bool { return bytes.Equal(l, split[i]) })
					without, _ := v.Verify(bytes.NewReader(bytes.Join(slices.Delete(slices.Clone(split), i, i+1), nil)))
					if once && without.OK() {
						t.Errorf("line %d was taken away, and it verifies", i+1)
					}
				}
			})
		}
	}
}

// A second write of the same record is that of the one that failed.
func TestRecordIsWrittenAgain(t *testing.T) {
	sink := &lines{does: func(n int, store func()) error {
		if n <= 3 {
			return errSink
		}
		store()
		return nil
	}}
	c := chain(t, sink)
	r := sample(1)
	for try := 1; ; try++ {
		err := c.Write(t.Context(), r)
		if (err == nil) != (try == 4) {
			t.Fatalf("try %d: %v", try, err)
		}
		if err == nil {
			break
		}
	}
	c.Close()
	if n := bytes.Count(sink.log(), []byte("CALL1")); n != 1 {
		t.Errorf("it is there %d times", n)
	}
}

// While a sink is down the records are not taken, and nothing that is on its disk
// can be taken away later.
func TestOutage(t *testing.T) {
	sink := new(lines)
	c := chain(t, sink)
	write(t, c, 0, 3)
	sink.set(func(n int, store func()) error { store(); return errSink }) // the second of two sinks is down
	for i := 3; i < 40; i++ {
		if c.Write(t.Context(), sample(i)) == nil {
			t.Fatal("a record was taken")
		}
	}
	sink.set(nil)
	write(t, c, 40, 43)
	if err := c.Close(); err == nil {
		t.Log("the outage was told before")
	}
	log := sink.log()
	if r := verify(t, log, keys(key1)); !r.OK() || r.More > 0 {
		t.Fatal(r.Findings)
	}
	for i := range 43 {
		id := fmt.Sprintf(`"CALL%d"`, i)
		if there := bytes.Contains(log, []byte(id)); there != (i <= 3 || i >= 40) {
			t.Errorf("record %d is there: %t", i, there)
		}
		var without [][]byte
		for line := range bytes.Lines(log) {
			if !bytes.Contains(line, []byte(id)) || bytes.Contains(line, []byte(`"kind":"skipped"`)) {
				without = append(without, line)
			}
		}
		if (i <= 3 || i >= 40) && verify(t, bytes.Join(without, nil), keys(key1)).OK() {
			t.Errorf("record %d was taken away, and it verifies", i)
		}
	}
}

// A sink that can never take one record does not hold up those after it.
func TestRecordThatASinkNeverTakes(t *testing.T) {
	var b bytes.Buffer
	out := audit.JSONLines(&b)
	var mu sync.Mutex
	var told []error
	c := chain(t, audit.SinkFunc(func(ctx context.Context, r *audit.Record) error {
		if line, _ := r.Line(); len(line) > 2000 {
			return errSink
		}
		return out.Write(ctx, r)
	}), func(o *audit.ChainOptions) {
		o.OnError = func(err error) { mu.Lock(); defer mu.Unlock(); told = append(told, err) }
	})
	write(t, c, 0, 2)
	long := sample(2)
	long.Output = &audit.Content{Blocks: []audit.Block{{Kind: "text", Text: strings.Repeat("x", 3000)}}}
	if err := c.Write(t.Context(), long); !errors.Is(err, errSink) {
		t.Fatal(err)
	}
	failed := 0
	for i := 3; i < 20; i++ {
		if c.Write(t.Context(), sample(i)) != nil {
			failed++
		}
	}
	if failed != 6 { // the long one is tried eight times
		t.Errorf("%d records after it were refused", failed)
	}
	if err := c.Close(); !errors.Is(err, errSink) {
		t.Errorf("Close does not tell: %v", err)
	}
	if mu.Lock(); len(told) != 1 || !errors.Is(told[0], errSink) {
		t.Errorf("OnError: %v", told)
	}
	mu.Unlock()
	r := verify(t, b.Bytes(), keys(key1))
	if !r.OK() || !slices.ContainsFunc(r.Notes, func(f audit.Finding) bool { return f.Kind == audit.Unwritten && f.Seq == 3 }) {
		t.Errorf("%v; notes %v", r.Findings, r.Notes)
	}
}

// A sink that does not return holds up nobody beyond his context, and the chain goes
// on when it returns.
func TestStuckSink(t *testing.T) {
	noGoroutines(t)
	for _, stored := range []bool{true, false} {
		release := make(chan struct{})
		sink := new(lines)
		c := chain(t, sink, func(o *audit.ChainOptions) { o.CloseTimeout = 300 * time.Millisecond })
		write(t, c, 0, 2)
		sink.set(func(n int, store func()) error {
			if n != 3 {
				store()
				return nil
			}
			<-release
			if stored {
				store()
				return nil
			}
			return errSink
		})
		call := func(r *audit.Record) error {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			return c.Write(ctx, r)
		}
		within(t, 5*time.Second, "a stuck Write", func() {
			if err := call(sample(2)); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, audit.ErrNotWritten) {
				t.Errorf("the stuck one: %v", err)
			}
		})
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				within(t, 5*time.Second, "a Write behind a stuck one", func() {
					if err := call(sample(10 + i)); !errors.Is(err, audit.ErrNotWritten) {
						t.Errorf("one behind it: %v", err)
					}
				})
			})
		}
		wg.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		within(t, 5*time.Second, "Flush", func() {
			if c.Flush(ctx) == nil {
				t.Error("Flush of a stuck sink")
			}
		})
		within(t, 5*time.Second, "Checkpoint", func() {
			if c.Checkpoint(ctx) == nil {
				t.Error("Checkpoint of a stuck sink")
			}
		})
		cancel()
		within(t, 5*time.Second, "Rotate", func() {
			if err := c.Rotate(key2); err != nil {
				t.Error(err)
			}
		})
		within(t, 5*time.Second, "Close", func() {
			if c.Close() == nil {
				t.Error("Close of a stuck sink")
			}
		})
		close(release)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		log := sink.log()
		if r := verify(t, log, keys(key1, key2)); !r.OK() || bytes.Count(log, []byte(`"CALL2"`)) != 1 {
			t.Errorf("stored %t: %v in\n%s", stored, r.Findings, log)
		}
	}
}
