package awssink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/losses"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// batcher collects lines into requests within a service's limits and sends one
// request at a time.
type batcher struct {
	opts     Options
	maxCount int
	maxBytes int // of a request
	maxLine  int
	overhead int // bytes that the service counts beside each line
	// send stores lines and returns one error for each line, nil for a stored line.
	send func(ctx context.Context, lines [][]byte) []error

	queue    chan *item
	gate     sync.RWMutex // a write holds the read lock, so that close can wait for all writes
	done     chan struct{}
	finished chan struct{}
	once     sync.Once
	closeErr error
	stop     context.CancelFunc // of the sends
	sending  *running           // a send that has not returned; used only by run
	sent     []error            // its results
	owner    *item              // the first of its lines
	telling  *running           // a call of OnLost that has not returned; used only by run
	lost     losses.Ledger      // of buffered records
}

// item is a line to be sent, or the mark of a flush.
type item struct {
	line   []byte
	record *audit.Record
	result chan error // nil: buffered
	mark   chan int64 // receives the count of losses before it
}

func (b *batcher) start() *Sink {
	b.queue = make(chan *item, b.opts.Buffer)
	b.done, b.finished = make(chan struct{}), make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	go b.run(ctx)
	return &Sink{b}
}

func (b *batcher) write(ctx context.Context, r *audit.Record) error {
	line, err := r.Line()
	if err != nil {
		return err
	}
	if len(line) > b.maxLine {
		return fmt.Errorf("%w: %w: %d bytes, and %d are allowed", audit.ErrNotWritten, ErrTooLarge, len(line), b.maxLine)
	}
	it := &item{line: line, record: r}
	if b.opts.Buffer == 0 {
		it.result = make(chan error, 1)
	}
	return b.put(ctx, it)
}

func (b *batcher) put(ctx context.Context, it *item) error {
	if err := b.enqueue(ctx, it); err != nil || it.result == nil {
		return err
	}
	select {
	case err := <-it.result:
		return err
	case <-ctx.Done():
		return fmt.Errorf("awssink: it is not known whether the record is stored: %w", context.Cause(ctx))
	}
}

func (b *batcher) enqueue(ctx context.Context, it *item) error {
	b.gate.RLock()
	defer b.gate.RUnlock()
	select {
	case <-b.done:
		return audit.ErrClosed
	default:
	}
	select {
	case b.queue <- it:
		return nil
	case <-b.done:
		return audit.ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("awssink: the record was not taken: %w: %w", audit.ErrNotWritten, context.Cause(ctx))
	}
}

func (b *batcher) flush(ctx context.Context) error {
	_, before := b.lost.Count()
	it := &item{mark: make(chan int64, 1)}
	queued := func() error {
		return fmt.Errorf("awssink: records are still buffered: %w", context.Cause(ctx))
	}
	err := b.enqueue(ctx, it)
	switch {
	case err == nil:
		select {
		case lost := <-it.mark:
			return b.lost.Tell("awssink", lost, before)
		case <-ctx.Done():
			return queued()
		}
	case errors.Is(err, audit.ErrClosed): // Close is sending the buffered records
		select {
		case <-b.finished:
			lost, _ := b.lost.Count()
			return errors.Join(b.lost.Tell("awssink", lost, before), audit.ErrClosed)
		case <-ctx.Done():
			return queued()
		}
	}
	return queued()
}

func (b *batcher) close() error {
	b.once.Do(func() {
		close(b.done)
		b.gate.Lock() // after this, no write can send to the queue
		close(b.queue)
		b.gate.Unlock()
		timer := time.AfterFunc(b.opts.CloseTimeout, b.stop)
		last := time.NewTimer(b.opts.CloseTimeout + b.opts.Timeout + 4*grace)
		var hung error
		select {
		case <-b.finished:
		case <-last.C:
			hung = errors.New("awssink: OnLost does not return; more records are lost")
		}
		timer.Stop()
		last.Stop()
		b.stop()
		lost, told := b.lost.Count()
		b.closeErr = errors.Join(b.lost.Tell("awssink", lost, told), hung)
	})
	return b.closeErr
}

// run sends what is queued. Nothing is sent after the end of ctx.
func (b *batcher) run(ctx context.Context) {
	defer close(b.finished)
	var held *item // an item that did not fit into the last request
	for {
		batch, next, open := b.gather(held)
		held = next
		b.deliver(ctx, batch)
		if !open && held == nil {
			return
		}
	}
}

// gather collects the items of one request. A mark ends the request, so that a flush
// waits only for items before its mark.
func (b *batcher) gather(held *item) (batch []*item, next *item, open bool) {
	size := 0
	add := func(it *item) bool {
		n := len(it.line) + b.overhead
		if len(batch) > 0 && (len(batch) == b.maxCount || size+n > b.maxBytes) {
			return false
		}
		batch = append(batch, it)
		size += n
		return true
	}
	if held == nil {
		it, ok := <-b.queue
		if !ok {
			return nil, nil, false
		}
		held = it
	}
	add(held)
	linger := time.NewTimer(b.opts.Linger)
	defer linger.Stop()
	for batch[len(batch)-1].mark == nil {
		var it *item
		var ok bool
		select { // take queued items without waiting
		case it, ok = <-b.queue:
		default:
			select {
			case it, ok = <-b.queue:
			case <-linger.C:
				return batch, nil, true
			case <-b.done: // after Close, do not wait for more items
				it, ok = <-b.queue
			}
		}
		if !ok {
			return batch, nil, false
		}
		if !add(it) {
			return batch, it, true
		}
	}
	return batch, nil, true
}

// deliver sends a batch, and sends its failed items again, in order.
func (b *batcher) deliver(ctx context.Context, batch []*item) {
	pending := make([]*item, 0, len(batch))
	for _, it := range batch {
		if it.mark == nil {
			pending = append(pending, it)
		}
	}
	pause := 100 * time.Millisecond
	for attempt := 1; len(pending) > 0; attempt++ {
		errs := b.try(ctx, pending)
		var failed []*item
		for i, it := range pending {
			switch {
			case errs[i] == nil:
				b.end(it, nil)
			case attempt >= b.opts.Attempts || ctx.Err() != nil:
				b.end(it, errs[i])
			default:
				failed = append(failed, it)
			}
		}
		pending = failed
		if len(pending) > 0 {
			pauseFor(ctx, pause)
			pause = min(2*pause, 5*time.Second)
		}
	}
	for _, it := range batch {
		if it.mark != nil {
			lost, _ := b.lost.Count()
			it.mark <- lost // never blocks: the channel has room
		}
	}
}

// pauseFor returns after d, or at the end of ctx.
func pauseFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// try sends lines once. No send begins before the last one has returned, so that no
// line is sent twice or out of order.
func (b *batcher) try(ctx context.Context, items []*item) []error {
	ctx, cancel := context.WithTimeout(ctx, b.opts.Timeout)
	defer cancel()
	if b.sending != nil && !b.mine(items) {
		if err := b.sending.Wait(ctx); !b.sending.Over() {
			return all(len(items), err)
		}
		b.sending = nil
	}
	if b.sending == nil {
		if err := ctx.Err(); err != nil {
			return all(len(items), fmt.Errorf("awssink: not sent: %w", err))
		}
		lines := make([][]byte, len(items))
		for i, it := range items {
			lines[i] = it.line
		}
		sent := make([]error, len(items))
		b.sent, b.owner = sent, items[0]
		b.sending = start("the SDK's client", func() error {
			copy(sent, b.send(ctx, lines))
			return nil
		})
	}
	err := b.sending.Wait(ctx)
	if !b.sending.Over() {
		return all(len(items), err)
	}
	b.sending = nil
	if err != nil {
		return all(len(items), err)
	}
	return b.sent
}

// mine reports whether the send that has not returned is for these items.
func (b *batcher) mine(items []*item) bool { return b.owner == items[0] && len(b.sent) == len(items) }

func (b *batcher) end(it *item, err error) {
	if it.result != nil {
		it.result <- err
		return
	}
	if err == nil {
		return
	}
	b.lost.Add()
	if b.opts.OnLost == nil {
		return
	}
	untold := fmt.Errorf("%w: OnLost", errStuck)
	if b.telling == nil || b.telling.Over() {
		ctx, cancel := context.WithTimeout(context.Background(), b.opts.Timeout)
		defer cancel()
		b.telling = start("OnLost", func() error { b.opts.OnLost(it.record, err); return nil })
		untold = b.telling.Wait(ctx)
	}
	if untold != nil {
		b.lost.Untold(untold)
	}
}

// all returns the same error for each line.
func all(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}
