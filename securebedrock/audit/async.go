package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// AsyncOptions of an Async.
type AsyncOptions struct {
	// Queue is the number of records that may wait. Zero: 1024.
	Queue int

	// Refuse makes Write fail at once with ErrFull where the queue is full. Else
	// Write waits for room, until its context ends.
	Refuse bool

	// WriteTimeout bounds one write to the next sink. Zero: 5 s.
	WriteTimeout time.Duration

	// Attempts counts the writes of a record before it is lost, with pauses from
	// 20 ms to 1 s between them. Zero: 10.
	Attempts int

	// CloseTimeout bounds Close; what is still queued then is lost. Zero: 30 s.
	CloseTimeout time.Duration

	// OnLost is given each record that could not be written, with the last error.
	OnLost func(r *Record, err error)
}

// ErrFull is the error of a write to a full Async that refuses.
var ErrFull = errors.New("audit: the queue is full")

// AsyncSink writes records to another sink in the background. See Async.
type AsyncSink struct {
	next  Sink
	opts  AsyncOptions
	queue chan *Record
	lost  atomic.Int64

	closing  sync.Once
	gate     sync.RWMutex // held for reading by a Write, so that Close can end them
	done     chan struct{}
	stop     context.CancelFunc
	ctx      context.Context
	finished chan struct{}
	closeErr error

	mu      sync.Mutex // of what follows
	taken   uint64     // records that were taken into the queue
	settled uint64     // those of them that were written or lost
	failed  uint64     // those lost
	idle    *sync.Cond
}

// Async puts a bounded queue and one goroutine before next, so that a slow sink
// does not hold up calls. Write returns when a record is in the queue: a process
// that dies loses what is in it, which with FailClosed means that a call may be
// sent whose records are never written. So Flush before a Lambda handler returns,
// and Close at the end. Nothing is dropped in silence: a record that could not be
// written in all of its attempts goes to OnLost and makes Flush and Close fail.
func Async(next Sink, opts AsyncOptions) (*AsyncSink, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: audit: Async: no sink is given", securebedrock.ErrConfig)
	}
	if opts.Queue < 0 || opts.Attempts < 0 || opts.WriteTimeout < 0 || opts.CloseTimeout < 0 {
		return nil, fmt.Errorf("%w: audit: Async: a negative Queue, Attempts, WriteTimeout or CloseTimeout", securebedrock.ErrConfig)
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
	a := &AsyncSink{next: next, opts: opts, queue: make(chan *Record, opts.Queue), done: make(chan struct{}), finished: make(chan struct{})}
	a.idle = sync.NewCond(&a.mu)
	a.ctx, a.stop = context.WithCancel(context.Background())
	go a.run()
	return a, nil
}

// Write implements Sink.
func (a *AsyncSink) Write(ctx context.Context, r *Record) error {
	a.gate.RLock()
	defer a.gate.RUnlock()
	select {
	case <-a.done:
		return ErrClosed
	default:
	}
	a.count(&a.taken, 1) // before the queue has it, so that a Flush waits for it
	select {
	case a.queue <- r:
		return nil
	default:
	}
	err := ErrFull
	if !a.opts.Refuse {
		select {
		case a.queue <- r:
			return nil
		case <-a.done:
			err = ErrClosed
		case <-ctx.Done():
			err = fmt.Errorf("%w: %w", ErrFull, context.Cause(ctx))
		}
	}
	a.count(&a.taken, ^uint64(0))
	return err
}

func (a *AsyncSink) count(n *uint64, by uint64) {
	a.mu.Lock()
	*n += by
	a.mu.Unlock()
	a.idle.Broadcast()
}

// Lost counts the records that were given up.
func (a *AsyncSink) Lost() int64 { return a.lost.Load() }

func (a *AsyncSink) run() {
	defer close(a.finished)
	for r := range a.queue {
		err := a.deliver(r)
		if err != nil {
			a.lost.Add(1)
			if a.opts.OnLost != nil {
				a.opts.OnLost(r, err)
			}
			a.count(&a.failed, 1)
		}
		a.count(&a.settled, 1)
	}
}

func (a *AsyncSink) deliver(r *Record) error {
	pause := firstPause
	for i := 1; ; i++ {
		err := a.ctx.Err()
		if err == nil {
			ctx, cancel := context.WithTimeout(a.ctx, a.opts.WriteTimeout)
			err = guarded(ctx, a.next, r)
			cancel()
		}
		if err == nil {
			return nil
		}
		if i >= a.opts.Attempts || a.ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-a.ctx.Done():
		}
		pause = min(2*pause, time.Second)
	}
}

// guarded is a write to a sink that may panic.
func guarded(ctx context.Context, s Sink, r *Record) (err error) {
	defer func() {
		if recover() != nil {
			err = errSinkPanic
		}
	}()
	return s.Write(ctx, r)
}

// Flush returns when all records that were queued before it are written, or ctx
// ends, and flushes the next sink. It fails where records were lost since the last
// Flush.
func (a *AsyncSink) Flush(ctx context.Context) error {
	unwatch := context.AfterFunc(ctx, func() {
		a.mu.Lock() // or the broadcast could come between a check and its wait
		defer a.mu.Unlock()
		a.idle.Broadcast()
	})
	defer unwatch()
	a.mu.Lock()
	target := a.taken
	for a.settled < target && ctx.Err() == nil {
		a.idle.Wait()
	}
	waiting := a.settled < target
	lost := a.failed
	a.failed = 0
	a.mu.Unlock()
	if waiting {
		return fmt.Errorf("audit: records are still queued: %w", context.Cause(ctx))
	}
	return errors.Join(lostError(lost), Flush(ctx, a.next))
}

func lostError(n uint64) error {
	if n == 0 {
		return nil
	}
	return fmt.Errorf("audit: %d records were lost", n)
}

// Close takes no more records, writes those that are queued, within CloseTimeout,
// and closes the next sink. Later calls return what the first did.
func (a *AsyncSink) Close() error {
	a.closing.Do(func() {
		close(a.done)
		a.gate.Lock() // no Write is between its check and the queue
		close(a.queue)
		a.gate.Unlock()
		timer := time.AfterFunc(a.opts.CloseTimeout, a.stop)
		<-a.finished
		timer.Stop()
		a.stop()
		a.mu.Lock()
		lost := a.failed
		a.mu.Unlock()
		a.closeErr = errors.Join(lostError(lost), Close(a.next))
	})
	return a.closeErr
}
