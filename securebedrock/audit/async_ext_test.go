package audit_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
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
