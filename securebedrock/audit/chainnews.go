package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// news hands checkpoints and errors to the application, one at a time and in
// order, on a goroutine that lives while there are any.
type news struct {
	onCheckpoint func(Checkpoint)
	onError      func(error)

	mu      sync.Mutex
	queue   []item
	busy    bool
	idle    chan struct{} // closed when nothing is left to hand on
	errs    []error       // for the next wait
	dropped int
}

// item is a checkpoint, or an error.
type item struct {
	cp  Checkpoint
	err error
}

const maxNews = 1024

func (n *news) checkpoint(cp Checkpoint) {
	if n.onCheckpoint != nil {
		n.put(item{cp: cp})
	}
}

// tell keeps an error for the next wait, and hands it to OnError.
func (n *news) tell(err error) {
	n.mu.Lock()
	n.keep(err)
	n.mu.Unlock()
	if n.onError != nil {
		n.put(item{err: err})
	}
}

func (n *news) keep(err error) {
	if len(n.errs) < 16 { // the first ones tell the cause
		n.errs = append(n.errs, err)
	}
}

func (n *news) put(it item) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.queue) == maxNews {
		n.queue = append(n.queue[:0], n.queue[1:]...) // a later checkpoint speaks of more
		n.dropped++
	}
	n.queue = append(n.queue, it)
	if !n.busy {
		n.busy, n.idle = true, make(chan struct{})
		go n.run()
	}
}

func (n *news) run() {
	for {
		n.mu.Lock()
		if n.dropped > 0 {
			err := fmt.Errorf("audit: OnCheckpoint did not return, and %d checkpoints or errors were not handed on", n.dropped)
			n.dropped = 0
			n.keep(err)
		}
		if len(n.queue) == 0 {
			n.busy = false
			close(n.idle)
			n.mu.Unlock()
			return
		}
		it := n.queue[0]
		n.queue = n.queue[1:]
		n.mu.Unlock()
		if it.err != nil {
			_ = n.call("OnError", func() { n.onError(it.err) })
			continue
		}
		if err := n.call("OnCheckpoint", func() { n.onCheckpoint(it.cp) }); err != nil && n.onError != nil {
			_ = n.call("OnError", func() { n.onError(err) })
		}
	}
}

// call calls one of the application's functions, and keeps the error of its panic.
// A runtime.Goexit in it ends that function's goroutine alone.
func (n *news) call(what string, f func()) error {
	r := start(what, func() error { f(); return nil })
	<-r.Done()
	if r.Err() != nil {
		n.mu.Lock()
		n.keep(r.Err())
		n.mu.Unlock()
	}
	return r.Err()
}

// wait returns when what is queued was handed on, or ctx ends, with what failed
// since the last wait.
func (n *news) wait(ctx context.Context) error {
	n.mu.Lock()
	idle := n.idle
	if !n.busy {
		idle = nil
	}
	n.mu.Unlock()
	var late error
	if idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
			late = fmt.Errorf("audit: OnCheckpoint has not returned: %w", context.Cause(ctx))
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	errs := append(n.errs, late)
	n.errs = nil
	return errors.Join(errs...)
}
