package awssink

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// batcher gathers lines into requests within a service's limits and sends one
// request at a time.
type batcher struct {
	opts     Options
	maxCount int
	maxBytes int // of a request
	maxLine  int
	overhead int // bytes that the service counts beside each line
	// send stores lines and tells of each whether it is stored.
	send func(ctx context.Context, lines [][]byte) []error

	queue    chan *item
	gate     sync.RWMutex // held for reading by a write, so that close can end them
	done     chan struct{}
	finished chan struct{}
	once     sync.Once
	closeErr error

	mu   sync.Mutex
	lost int // buffered records, since the last flush
}

// item is a line on its way, or the mark of a flush.
type item struct {
	line   []byte
	record *audit.Record
	result chan error // nil: buffered
	mark   bool
}

func (b *batcher) start() *Sink {
	b.queue = make(chan *item, b.opts.Buffer)
	b.done, b.finished = make(chan struct{}), make(chan struct{})
	go b.run()
	return &Sink{b}
}

func (b *batcher) write(ctx context.Context, r *audit.Record) error {
	line, err := r.Line()
	if err != nil {
		return err
	}
	if len(line) > b.maxLine {
		return fmt.Errorf("%w: %d bytes, and %d are allowed", ErrTooLarge, len(line), b.maxLine)
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
		return fmt.Errorf("awssink: the record was not taken: %w", context.Cause(ctx))
	}
}

func (b *batcher) flush(ctx context.Context) error {
	if err := b.put(ctx, &item{mark: true, result: make(chan error, 1)}); err != nil {
		return err
	}
	return b.told()
}

// told reports the losses once.
func (b *batcher) told() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.lost
	b.lost = 0
	if n > 0 {
		return fmt.Errorf("awssink: %d records were lost", n)
	}
	return nil
}

func (b *batcher) close() error {
	b.once.Do(func() {
		close(b.done)
		b.gate.Lock() // no write is between its check and the queue
		close(b.queue)
		b.gate.Unlock()
		<-b.finished
		b.closeErr = b.told()
	})
	return b.closeErr
}

func (b *batcher) run() {
	defer close(b.finished)
	var held *item // it did not fit into the last request
	for {
		batch, next, open := b.gather(held)
		held = next
		b.deliver(batch)
		if !open && held == nil {
			return
		}
	}
}

// gather takes what one request holds. It ends with a mark, so that a flush waits
// for nothing more.
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
	for !batch[len(batch)-1].mark {
		var it *item
		ok := true
		select { // what is there already comes along without a wait
		case it, ok = <-b.queue:
		default:
			select {
			case it, ok = <-b.queue:
			case <-linger.C:
				return batch, nil, true
			case <-b.done: // nothing more is coming that is worth a wait
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

// deliver sends a batch, and what fails of it again, in order.
func (b *batcher) deliver(batch []*item) {
	pending := make([]*item, 0, len(batch))
	for _, it := range batch {
		if !it.mark {
			pending = append(pending, it)
		}
	}
	pause := 100 * time.Millisecond
	for attempt := 1; len(pending) > 0; attempt++ {
		lines := make([][]byte, len(pending))
		for i, it := range pending {
			lines[i] = it.line
		}
		ctx, cancel := context.WithTimeout(context.Background(), b.opts.Timeout)
		errs := b.send(ctx, lines)
		cancel()
		var failed []*item
		for i, it := range pending {
			switch {
			case errs[i] == nil:
				b.end(it, nil)
			case attempt >= b.opts.Attempts:
				b.end(it, errs[i])
			default:
				failed = append(failed, it)
			}
		}
		pending = failed
		if len(pending) > 0 {
			time.Sleep(pause)
			pause = min(2*pause, 5*time.Second)
		}
	}
	for _, it := range batch {
		if it.mark {
			it.result <- nil
		}
	}
}

func (b *batcher) end(it *item, err error) {
	if it.result != nil {
		it.result <- err
		return
	}
	if err != nil {
		b.mu.Lock()
		b.lost++
		b.mu.Unlock()
		if b.opts.OnLost != nil {
			b.opts.OnLost(it.record, err)
		}
	}
}

// all is one error for every line.
func all(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}
