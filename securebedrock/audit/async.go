package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/losses"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// AsyncOptions are the options of Async.
type AsyncOptions struct {
	// Queue is the number of records that may wait. Zero: 1024.
	Queue int

	// Refuse makes Write fail at once with ErrFull if the queue is full. Without
	// Refuse, Write waits for room until its context ends.
	Refuse bool

	// WriteTimeout bounds one write to the next sink, also when the sink ignores
	// its context. WriteTimeout also bounds one call of OnLost. Zero: 5 s.
	WriteTimeout time.Duration

	// Attempts is the number of times that a record is written before it is lost,
	// with pauses from 20 ms to 1 s. A write that has not returned is waited for
	// and not repeated. All attempts take at most Attempts times WriteTimeout.
	// Zero: 10.
	Attempts int

	// CloseTimeout bounds Close, whatever the next sink does. Records that are
	// still queued then are lost. Zero: 30 s.
	CloseTimeout time.Duration

	// OnLost receives each record that could not be written, with the last error.
	// The queue waits for OnLost. A panic of OnLost is caught and reported by Flush
	// or Close. If a call does not return within WriteTimeout, no other call of
	// OnLost begins before it has returned.
	OnLost func(r *Record, err error)
}

// ErrFull is the error of a write to a full Async that refuses.
var ErrFull = errors.New("audit: the queue is full")

// AsyncSink writes records to another sink in the background. See Async.
type AsyncSink struct {
	next  *way
	tell  *lane // of OnLost
	opts  AsyncOptions
	queue chan queued
	lost  losses.Ledger

	closing  sync.Once
	gate     sync.RWMutex // held for reading by a Write, so that Close can end them
	done     chan struct{}
	stop     context.CancelFunc // of the writes
	finished chan struct{}
	closeErr error
}

// queued is a record, or the mark of a Flush: it is given the number of records
// that were lost before it.
type queued struct {
	record *Record
	mark   chan<- int64
}

// closeGrace is what Close gives the next sink's Close at least.
const closeGrace = 250 * time.Millisecond

// Async puts a bounded queue and one goroutine before next, so that calls do not wait for
// a slow sink. Write returns when the record is in the queue. A process that dies loses
// the queue, so a call may be sent whose records are never written, also without FailOpen.
// Call Flush before a Lambda handler returns, and Close at the end. Every loss is
// reported: a record whose attempts all failed goes to OnLost and makes Flush and Close
// fail.
func Async(next Sink, opts AsyncOptions) (*AsyncSink, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: audit: Async: no sink is given", securebedrock.ErrConfig)
	}
	if opts.Queue < 0 || opts.Attempts < 0 || opts.WriteTimeout < 0 || opts.CloseTimeout < 0 {
		return nil, fmt.Errorf("%w: audit: Async: a negative Queue, Attempts, WriteTimeout or CloseTimeout", securebedrock.ErrConfig)
	}
	if err := faultOf(next); err != nil {
		return nil, fmt.Errorf("%w: audit: Async: the sink: %w", securebedrock.ErrConfig, err)
	}
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	set(&opts.Queue, 1024)
	set(&opts.Attempts, 10)
	if opts.WriteTimeout == 0 {
		opts.WriteTimeout = defaultWriteTimeout
	}
	if opts.CloseTimeout == 0 {
		opts.CloseTimeout = 30 * time.Second
	}
	a := &AsyncSink{next: newWay(next, 1), tell: newLane("OnLost", 1), opts: opts,
		queue: make(chan queued, opts.Queue), done: make(chan struct{}), finished: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	go a.run(ctx)
	return a, nil
}

func (a *AsyncSink) fault() error { return faultOf(a.next.sink) }

func (a *AsyncSink) passesTo() []Sink { return []Sink{a.next.sink} }

func (a *AsyncSink) itself() Sink { return a }

func (a *AsyncSink) closeTime() time.Duration {
	return a.opts.CloseTimeout + a.opts.WriteTimeout + time.Second
}

// Write implements Sink.
func (a *AsyncSink) Write(ctx context.Context, r *Record) error {
	return a.put(ctx, queued{record: r}, a.opts.Refuse)
}

func (a *AsyncSink) put(ctx context.Context, q queued, refuse bool) error {
	a.gate.RLock()
	defer a.gate.RUnlock()
	select {
	case <-a.done:
		return ErrClosed
	default:
	}
	select {
	case a.queue <- q:
		return nil
	default:
	}
	if refuse {
		return ErrFull
	}
	select {
	case a.queue <- q:
		return nil
	case <-a.done:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrFull, context.Cause(ctx))
	}
}

// Lost returns the number of records that were given up.
func (a *AsyncSink) Lost() int64 {
	lost, _ := a.lost.Count()
	return lost
}

// run writes what is queued. After the end of ctx, records are lost instead.
func (a *AsyncSink) run(ctx context.Context) {
	defer close(a.finished)
	how := tries{attempts: a.opts.Attempts, each: a.opts.WriteTimeout}
	for q := range a.queue {
		if q.mark != nil {
			q.mark <- a.Lost() // it has room
			continue
		}
		err := ctx.Err()
		if err == nil {
			err = a.next.deliver(ctx, q.record, how)
		}
		if err != nil {
			a.lost.Add()
			a.lose(q.record, err)
		}
	}
}

func (a *AsyncSink) lose(r *Record, err error) {
	if a.opts.OnLost == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.opts.WriteTimeout)
	defer cancel()
	if err := a.tell.call(ctx, false, func() error { a.opts.OnLost(r, err); return nil }); err != nil {
		a.lost.Untold(err)
	}
}

// Flush waits until all records that were queued before it are written or lost, or
// until ctx ends. Flush then flushes the next sink.
//
// Flush fails if one of these records was lost, unless an earlier Flush had already
// reported the loss before this Flush began. Flushes that run at the same time may
// all report a loss. Close reports a loss that no Flush has reported. A Flush that
// ends with ctx reports no loss.
func (a *AsyncSink) Flush(ctx context.Context) error {
	_, before := a.lost.Count()
	mark := make(chan int64, 1)
	err := a.put(ctx, queued{mark: mark}, false)
	var lost int64
	switch {
	case err == nil:
		select {
		case lost = <-mark:
		case <-ctx.Done():
			return queuedError(ctx)
		}
	case errors.Is(err, ErrClosed): // the queue is being emptied
		select {
		case <-a.finished:
			lost = a.Lost()
		case <-ctx.Done():
			return queuedError(ctx)
		}
	default:
		return queuedError(ctx)
	}
	return errors.Join(a.lost.Tell("audit", lost, before), a.next.flush(ctx))
}

func queuedError(ctx context.Context) error {
	return fmt.Errorf("audit: records are still queued: %w", context.Cause(ctx))
}

// Close takes no more records, writes the queued records, and closes the next sink.
// Close takes at most CloseTimeout, and a moment longer when something ignores its
// context: up to WriteTimeout when OnLost does not return, and a quarter of a
// second when the next sink's Close does not return. That call may then still run.
// A later Close returns the result of the first Close.
func (a *AsyncSink) Close() error {
	a.closing.Do(func() { a.closeErr = a.close() })
	return a.closeErr
}

func (a *AsyncSink) close() error {
	end := time.Now().Add(a.opts.CloseTimeout)
	close(a.done)
	a.gate.Lock() // no Write is between its check and the queue
	close(a.queue)
	a.gate.Unlock()
	timer := time.AfterFunc(a.opts.CloseTimeout, a.stop)
	defer a.stop()
	defer timer.Stop()
	var hung error
	last, cancel := context.WithDeadline(context.Background(), end.Add(a.opts.WriteTimeout+4*grace))
	defer cancel()
	select {
	case <-a.finished:
	case <-last.Done():
		hung = errors.New("audit: OnLost does not return; more records are lost")
	}
	_, before := a.lost.Count()
	ctx, cancel := context.WithTimeout(context.Background(), max(time.Until(end), closeGrace))
	defer cancel()
	err := start("the next sink's Close", func() error { return Close(a.next.sink) }).Wait(ctx)
	return errors.Join(a.lost.Tell("audit", a.Lost(), before), hung, err)
}
