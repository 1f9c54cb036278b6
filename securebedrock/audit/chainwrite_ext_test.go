package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// lines is a sink of lines that does what is told to it, by the number of the call.
type lines struct {
	mu   sync.Mutex
	b    bytes.Buffer
	n    int
	does func(n int, store func()) error
}

func (l *lines) Write(ctx context.Context, r *audit.Record) error {
	l.mu.Lock()
	l.n++
	n, does := l.n, l.does
	l.mu.Unlock()
	store := func() {
		line, _ := r.Line()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.b.Write(append(slices.Clone(line), '\n'))
	}
	if does == nil {
		store()
		return nil
	}
	return does(n, store)
}

func (l *lines) set(does func(n int, store func()) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.does = does
}

func (l *lines) log() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.b.Bytes())
}

func within(t *testing.T, most time.Duration, what string, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > most {
		t.Errorf("%s took %s", what, took)
	}
}

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

type closer struct {
	audit.Sink
	close func() error
}

func (c closer) Close() error                { return c.close() }
func (c closer) Flush(context.Context) error { return c.close() }

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

// An OnCheckpoint that does not return holds up no record, and is given the
// checkpoints in order once it does.
func TestStuckOnCheckpoint(t *testing.T) {
	noGoroutines(t)
	release := make(chan struct{})
	var mu sync.Mutex
	var seqs []uint64
	c := chain(t, new(lines), func(o *audit.ChainOptions) {
		o.Every, o.CloseTimeout = 2, 200*time.Millisecond
		o.OnCheckpoint = func(cp audit.Checkpoint) {
			<-release
			mu.Lock()
			defer mu.Unlock()
			seqs = append(seqs, cp.Seq)
		}
	})
	within(t, 5*time.Second, "writing", func() { write(t, c, 0, 20) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	within(t, 5*time.Second, "Flush", func() {
		if err := c.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush: %v", err)
		}
	})
	within(t, 5*time.Second, "Close", func() {
		if err := c.Close(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
	})
	close(release)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seqs) != 11 || !slices.IsSorted(seqs) {
		t.Errorf("checkpoints %v", seqs)
	}
}

// A record that is longer than Verify reads is shortened; its end is not lost in silence.
func TestLongRecordsAreShortened(t *testing.T) {
	var b bytes.Buffer
	c := chain(t, audit.JSONLines(&b))
	for _, n := range []int{1 << 20, 2 << 20, 9 << 20} {
		r := sample(n)
		r.Input = &audit.Content{Mode: audit.ContentFull, Blocks: []audit.Block{{Kind: "text", Text: "short"}, {Kind: "text", Text: strings.Repeat("<", n)}}}
		if err := c.Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if len(r.Input.Blocks[1].Text) != n || r.Input.Blocks[1].Truncated {
			t.Error("the caller's record was changed")
		}
	}
	if _, err := audit.ReadTail(bytes.NewReader(b.Bytes()), keys(key1)); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, b.Bytes(), keys(key1)); !r.OK() || r.Records != 4 {
		t.Error(r.Findings)
	}
	var cut []bool
	for line := range bytes.Lines(b.Bytes()) {
		var r audit.Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if r.Input != nil {
			if r.Input.Blocks[0].Truncated || r.Input.Blocks[0].Text != "short" {
				t.Errorf("the short text: %+v", r.Input.Blocks[0])
			}
			cut = append(cut, r.Input.Blocks[1].Truncated)
		}
	}
	if !slices.Equal(cut, []bool{false, true, true}) {
		t.Errorf("truncated: %v", cut)
	}
	// What cannot be shortened is refused, and takes no number.
	r := sample(1)
	r.Tools = []string{strings.Repeat("x", 9<<20)}
	c = chain(t, new(lines))
	if err := c.Write(t.Context(), r); !errors.Is(err, audit.ErrTooLong) || !errors.Is(err, audit.ErrNotWritten) {
		t.Error(err)
	}
	if err := c.Write(t.Context(), sample(2)); err != nil {
		t.Error(err)
	}
}

func TestSinksThatAChainCannotStandBefore(t *testing.T) {
	a, b := new(lines), new(lines)
	async := func(next audit.Sink) audit.Sink {
		s, err := audit.Async(next, audit.AsyncOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	for _, row := range []struct {
		name   string
		next   audit.Sink
		remedy string // empty: it is taken
	}{
		{"one sink", a, ""},
		{"Multi of one", audit.Multi(a), ""},
		{"Multi of two", audit.Multi(a, b), "Multi(Chain(a), Chain(b))"},
		{"Multi of two behind Async", async(audit.Multi(a, b)), "Multi(Chain(a), Chain(b))"},
		{"Multi in Multi", audit.Multi(audit.Multi(a, b)), "Multi(Chain(a), Chain(b))"},
		{"a Chain", chain(t, a), "take one of them out"},
		{"a Chain behind Async", async(chain(t, a)), "take one of them out"},
		{"two chains", audit.Multi(chain(t, a), chain(t, b)), "take one of them out"},
	} {
		_, err := audit.Chain(row.next, audit.ChainOptions{Key: key1, Signer: signer})
		if row.remedy == "" && err != nil || row.remedy != "" && (!errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), row.remedy)) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// A chain is not begun behind records that are there already.
func TestResumeIsNotForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, c := resumed(t, path)
	early, err := f.Tail(keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	write(t, c, 0, 3)
	middle, err := f.Tail(keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	write(t, c, 3, 5)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	f, err = audit.File(path, audit.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	end, err := f.Tail(keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	async, err := audit.Async(f, audit.AsyncOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	for _, row := range []struct {
		name string
		next audit.Sink
		tail *audit.Tail
	}{
		{"none", f, nil},
		{"none, behind Async", async, nil},
		{"of an empty log", f, new(audit.Tail)},
		{"read before the first record", f, early},
		{"read before the last ones", f, middle},
	} {
		_, err := audit.Chain(row.next, audit.ChainOptions{Key: key1, Signer: signer, Resume: row.tail})
		if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "Resume") {
			t.Errorf("Resume is %s: %v", row.name, err)
		}
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("something was written")
	}
	if _, err := audit.Chain(f, audit.ChainOptions{Key: key1, Signer: signer, Resume: end}); err != nil {
		t.Error(err)
	}
}

// remote is a sink that stores at least once.
type remote struct{ lines }

func (*remote) MayRepeat() bool { return true }

// Where the sink says that it may store a record again a copy is a note, and nowhere else.
func TestSinkThatStoresAtLeastOnce(t *testing.T) {
	var again, once, fork [][]byte
	for i, sink := range []audit.Sink{new(remote), new(lines)} {
		c := chain(t, sink, func(o *audit.ChainOptions) { o.Every = 10 })
		write(t, c, 0, 30)
		c.Close()
		if i == 0 {
			again = bytes.SplitAfter(sink.(*remote).log(), []byte("\n"))[:34]
		} else {
			once = bytes.SplitAfter(sink.(*lines).log(), []byte("\n"))[:34]
		}
	}
	tail, err := audit.ReadTail(bytes.NewReader(bytes.Join(again[:10], nil)), keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	other := new(remote)
	write(t, chain(t, other, func(o *audit.ChainOptions) { o.Resume = tail }), 50, 60)
	fork = bytes.SplitAfter(other.log(), []byte("\n"))[:10]
	insert := func(l [][]byte, at int, with ...[]byte) []byte {
		return bytes.Join(slices.Insert(slices.Clone(l), at, with...), nil)
	}
	for _, row := range []struct {
		name string
		log  []byte
		ok   bool
	}{
		{"a record twice", insert(again, 6, again[5]), true},
		{"a whole request twice", insert(again, 20, again[8:20]...), true},
		{"a record twice, at the end", insert(again, 34, again[33]), true},
		{"a record of a fork", insert(again, 20, fork[3]), false},
		{"a changed copy", insert(again, 6, bytes.Replace(again[5], []byte("Converse"), []byte("Reverses"), 1)), false},
		{"a file's record twice", insert(once, 6, once[5]), false},
		{"a file's records twice", insert(once, 20, once[8:20]...), false},
		{"a file's last record twice", insert(once, 34, once[33]), false},
	} {
		r := verify(t, row.log, keys(key1))
		noted := slices.ContainsFunc(r.Notes, func(f audit.Finding) bool { return f.Kind == audit.Repeated })
		if r.OK() != row.ok || noted != row.ok {
			t.Errorf("%s: %v; notes %v", row.name, r.Findings, r.Notes)
		}
	}
}
