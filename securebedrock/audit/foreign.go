package audit

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

var (
	errPanicked = errors.New("audit: a panic was caught")
	errStuck    = errors.New("audit: no return within the bound")
)

// grace is what a function that heeds its context has to return after the
// context's end.
const grace = 50 * time.Millisecond

// caught calls f, a function of the application's, and makes an error of a panic
// or of runtime.Goexit. Of the panic's value only the type is told, since the
// value may hold a prompt.
func caught(what string, f func() error) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		switch v := recover().(type) {
		case nil:
			err = fmt.Errorf("%w: %s ended its goroutine", errPanicked, what)
		case runtime.Error:
			err = fmt.Errorf("%w: %s: %w", errPanicked, what, v)
		default:
			err = fmt.Errorf("%w: %s, with a %T", errPanicked, what, v)
		}
	}()
	err = f()
	returned = true
	return err
}

// running is a call of an application's function that may outlast the wait for it.
type running struct {
	what string
	done chan struct{} // closed when the function has returned
	err  error         // valid from then on
}

// start calls f on a goroutine of its own.
func start(what string, f func() error) *running {
	r := &running{what: what, done: make(chan struct{})}
	go r.run(f)
	return r
}

func (r *running) run(f func() error) {
	returned := false
	defer func() { // after runtime.Goexit, too
		if !returned {
			r.err = fmt.Errorf("%w: %s ended its goroutine", errPanicked, r.what)
		}
		close(r.done)
	}()
	r.err = caught(r.what, f)
	returned = true
}

// wait returns f's error, or errStuck where f does not return until ctx ends. The
// function goes on then; over tells when it has returned.
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

// over says whether the function has returned, and so whether err is known.
func (r *running) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
