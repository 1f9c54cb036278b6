package audit_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// gate is a sink whose writes wait until they are let through, and fail where the
// record's ID says so.
func gate(release chan struct{}) audit.Sink {
	return audit.SinkFunc(func(ctx context.Context, r *audit.Record) error {
		select {
		case <-release:
		case <-ctx.Done():
			return ctx.Err()
		}
		if strings.HasPrefix(r.CallID, "LOSE") {
			return errSink
		}
		return nil
	})
}

func async(t *testing.T, next audit.Sink, opts audit.AsyncOptions) *audit.AsyncSink {
	t.Helper()
	a, err := audit.Async(next, opts)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func named(id string) *audit.Record {
	r := sample(1)
	r.CallID = id
	return r
}

// A Flush waits for the records before it, however many later or given-up writes
// there are.
func TestAsyncFlushWaitsForWhatIsBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a := async(t, gate(release), audit.AsyncOptions{Queue: 2, WriteTimeout: time.Hour})
		write(t, a, 0, 1)
		synctest.Wait()
		write(t, a, 1, 2)
		flushed := make(chan error, 1)
		go func() { flushed <- a.Flush(t.Context()) }()
		synctest.Wait()
		// The queue is full: these give up while the Flush waits.
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := a.Write(ctx, sample(9)); !errors.Is(err, audit.ErrFull) {
				t.Errorf("a write to a full queue: %v", err)
			}
			cancel()
		}
		close(release)
		synctest.Wait()
		select {
		case err := <-flushed:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("Flush still waits")
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A loss is told by each Flush that begins before one has returned it, by no
// Flush before the lost record, and by none after.
func TestAsyncFlushTellsOfItsOwnLosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a := async(t, gate(release), audit.AsyncOptions{Queue: 100, Attempts: 1, WriteTimeout: time.Hour})
		put := func(id string) {
			if err := a.Write(t.Context(), named(id)); err != nil {
				t.Fatal(err)
			}
		}
		flush := func() chan error {
			c := make(chan error, 1)
			go func() { c <- a.Flush(t.Context()) }()
			synctest.Wait()
			return c
		}
		put("FINE1")
		before := flush()
		put("LOSE1")
		put("FINE2")
		first, second := flush(), flush()
		put("LOSE2")
		third := flush()
		// A Flush that its context ends takes no loss with it.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := a.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a Flush that gave up: %v", err)
		}
		cancel()
		close(release)
		synctest.Wait()
		for name, c := range map[string]struct {
			got  chan error
			want string
		}{
			"before the loss":        {before, ""},
			"after the loss":         {first, "1 records were lost"},
			"at the same time":       {second, "1 records were lost"},
			"after another loss":     {third, "2 records were lost"},
			"when all has been told": {flush(), ""},
		} {
			if err := <-c.got; (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("a Flush %s: %v", name, err)
			}
		}
		put("LOSE3")
		if err := a.Close(); err == nil || !strings.Contains(err.Error(), "1 records were lost") {
			t.Errorf("Close: %v", err)
		}
		if err := a.Flush(t.Context()); err != nil {
			t.Errorf("a Flush after Close: %v", err)
		}
		if a.Lost() != 3 {
			t.Errorf("%d lost", a.Lost())
		}
	})
}

// Whatever hangs, Close and Flush come back in time and say what is lost.
func TestAsyncClosesInTime(t *testing.T) {
	release := make(chan struct{})
	hang := func() error { <-release; return nil }
	none := func() error { return nil }
	for _, row := range []struct {
		name   string
		next   func() audit.Sink
		onLost func(*audit.Record, error)
		lost   int64
	}{
		{"the next sink's Write hangs", func() audit.Sink {
			return audit.SinkFunc(func(context.Context, *audit.Record) error { return hang() })
		}, nil, 5},
		{"the next sink's Close hangs", func() audit.Sink { return &lifeless{flush: none, close: hang} }, nil, 0},
		{"the next sink's Close panics", func() audit.Sink {
			return &lifeless{flush: none, close: func() error { panic("the secret prompt") }}
		}, nil, 0},
		{"the next sink's Close ends its goroutine", func() audit.Sink {
			return &lifeless{flush: none, close: func() error { runtime.Goexit(); return nil }}
		}, nil, 0},
		{"OnLost hangs, too", func() audit.Sink {
			return audit.SinkFunc(func(context.Context, *audit.Record) error { return hang() })
		}, func(*audit.Record, error) { <-release }, 5},
		{"OnLost panics", func() audit.Sink {
			return audit.SinkFunc(func(context.Context, *audit.Record) error { return errSink })
		}, func(*audit.Record, error) { panic("the secret prompt") }, 5},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := async(t, row.next(), audit.AsyncOptions{WriteTimeout: 100 * time.Millisecond, Attempts: 2, CloseTimeout: 150 * time.Millisecond, OnLost: row.onLost})
			write(t, a, 0, 5)
			start := time.Now()
			err := a.Close()
			if took := time.Since(start); err == nil || took > soon || strings.Contains(err.Error(), "secret") {
				t.Errorf("Close after %v: %v", took, err)
			}
			if a.Lost() != row.lost {
				t.Errorf("%d lost, want %d", a.Lost(), row.lost)
			}
			if again := a.Close(); again != err {
				t.Errorf("a second Close: %v", again)
			}
		})
	}
	close(release)
}

// A next sink whose Flush hangs or panics does not hold Flush, and few goroutines
// hang with it.
func TestAsyncFlushOfANextThatHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, f := range map[string]func() error{
		"hangs":  func() error { <-release; return nil },
		"panics": func() error { panic("the secret prompt") },
	} {
		a := async(t, &lifeless{flush: f, close: func() error { return nil }}, audit.AsyncOptions{})
		before := runtime.NumGoroutine()
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			start := time.Now()
			if err := a.Flush(ctx); err == nil || time.Since(start) > soon || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: after %v: %v", name, time.Since(start), err)
			}
			cancel()
		}
		if n := runtime.NumGoroutine() - before; n > 3 {
			t.Errorf("%s: %d goroutines hang", name, n)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// While one write hangs no later record overtakes it.
func TestAsyncKeepsItsOrder(t *testing.T) {
	noGoroutines(t)
	var mu sync.Mutex
	var order []string
	first := make(chan struct{})
	a := async(t, audit.SinkFunc(func(_ context.Context, r *audit.Record) error {
		if r.CallID == "A" {
			<-first
		}
		mu.Lock()
		defer mu.Unlock()
		order = append(order, r.CallID)
		return nil
	}), audit.AsyncOptions{WriteTimeout: 20 * time.Millisecond, Attempts: 1000})
	for _, id := range []string{"A", "B", "C"} {
		if err := a.Write(t.Context(), named(id)); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(200 * time.Millisecond)
	close(first)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if got := strings.Join(order, ""); got != "ABC" {
		t.Errorf("the order is %s", got)
	}
}

// A client with an Async before a sink that hangs goes on, until the queue is full.
func TestAsyncBeforeAStuckSink(t *testing.T) {
	server := bedrocktest.NewServer(t)
	release := make(chan struct{})
	defer close(release)
	a := async(t, audit.SinkFunc(func(context.Context, *audit.Record) error { <-release; return nil }),
		audit.AsyncOptions{Queue: 4, WriteTimeout: time.Hour, CloseTimeout: 50 * time.Millisecond})
	c := newClient(t, server, a, audit.Options{WriteTimeout: 50 * time.Millisecond, Attempts: 1})
	refused := 0
	for range 6 {
		start := time.Now()
		if _, err := c.Converse(t.Context(), converse("hello")); errors.Is(err, securebedrock.ErrAudit) {
			refused++
		}
		if took := time.Since(start); took > soon {
			t.Errorf("a call took %v", took)
		}
	}
	if refused < 3 || refused > 4 {
		t.Errorf("%d of 6 calls were refused, with room for 5 records", refused)
	}
	if err := a.Close(); err == nil {
		t.Error("Close tells of no loss")
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
