// Package foreign calls functions of the application's, which may panic, end their
// goroutine, or not return.
package foreign

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"time"
)

// Grace is what a function that heeds its context has to return after the context's
// end.
const Grace = 50 * time.Millisecond

// failure is the error of a panic's value, or of runtime.Goexit where there is none.
// It wraps panicked. Of the value only the type is told, since the value may hold a
// prompt; errors of the Go runtime hold none.
func failure(panicked error, what string, v any) error {
	switch v := v.(type) {
	case nil:
		return fmt.Errorf("%w: %s ended its goroutine", panicked, what)
	case runtime.Error:
		return fmt.Errorf("%w: %s: %w", panicked, what, v)
	}
	return fmt.Errorf("%w: %s, with a %T", panicked, what, v)
}

// Caught calls f and makes an error of a panic. A runtime.Goexit ends the caller's
// goroutine all the same.
func Caught(panicked error, what string, f func() error) (err error) {
	returned := false
	defer func() {
		if !returned {
			err = failure(panicked, what, recover())
		}
	}()
	err = f()
	returned = true
	return err
}

// Call is a call that may outlast the wait for it.
type Call struct {
	panicked, stuck error
	what            string
	done            chan struct{}
	err             error // valid once done is closed
}

// New is a Call for Run. Its errors wrap panicked and stuck.
func New(panicked, stuck error, what string) *Call {
	return &Call{panicked: panicked, stuck: stuck, what: what, done: make(chan struct{})}
}

// Start calls f on a goroutine of its own.
func Start(panicked, stuck error, what string, f func() error) *Call {
	c := New(panicked, stuck, what)
	go c.Run(f)
	return c
}

// Run calls f. It is called once, on a goroutine of its own.
func (c *Call) Run(f func() error) {
	returned := false
	defer func() { // after runtime.Goexit, too
		if !returned {
			c.err = failure(c.panicked, c.what, nil)
		}
		close(c.done)
	}()
	c.err = Caught(c.panicked, c.what, f)
	returned = true
}

// Done is closed when the function has returned.
func (c *Call) Done() <-chan struct{} { return c.done }

// Err is the function's error. It is valid once the function has returned.
func (c *Call) Err() error { return c.err }

// Over says whether the function has returned.
func (c *Call) Over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Wait returns the function's error. Where the function has not returned a Grace
// after ctx's end, the error wraps stuck and the context's cause, and the function
// goes on.
func (c *Call) Wait(ctx context.Context) error {
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(Grace)
	defer patience.Stop()
	select {
	case <-c.done:
		return c.err
	case <-patience.C:
		return fmt.Errorf("%w: %s: %w", c.stuck, c.what, context.Cause(ctx))
	}
}

// IsNil reports whether an interface holds nothing, or a nil pointer, map, slice,
// function or channel, which would panic at its first use.
func IsNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return r.IsNil()
	}
	return false
}
