package awssink

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

var (
	errPanicked = errors.New("awssink: a panic was caught")
	errStuck    = errors.New("awssink: no return within the bound")
)

// grace is what a function that heeds its context has to return after the
// context's end.
const grace = 50 * time.Millisecond

// running is a call of the application's function, or of its SDK client's, on a
// goroutine of its own: a panic there would end the process.
type running struct {
	what string
	done chan struct{} // closed when the function has returned
	err  error         // valid from then on
}

func start(what string, f func() error) *running {
	r := &running{what: what, done: make(chan struct{})}
	go func() {
		returned := false
		defer close(r.done)
		defer func() {
			if returned {
				return
			}
			switch v := recover().(type) { // its value may hold a record
			case nil:
				r.err = fmt.Errorf("%w: %s ended its goroutine", errPanicked, what)
			case runtime.Error:
				r.err = fmt.Errorf("%w: %s: %w", errPanicked, what, v)
			default:
				r.err = fmt.Errorf("%w: %s, with a %T", errPanicked, what, v)
			}
		}()
		r.err = f()
		returned = true
	}()
	return r
}

// wait returns f's error, or errStuck where f does not return until ctx ends. It
// may be called again then.
func (r *running) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-r.done:
		return r.err
	case <-patience.C:
		return fmt.Errorf("%w: %s: %w", errStuck, r.what, context.Cause(ctx))
	}
}

func (r *running) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
