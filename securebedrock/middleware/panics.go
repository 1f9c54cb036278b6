package middleware

import (
	"errors"
	"fmt"
	"runtime"
)

var errPanicked = errors.New("middleware: a panic was caught")

// caught calls a function of the application's and makes an error of a panic. Of its
// value only the type is told, since the value may hold a prompt.
func caught(what string, f func() error) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil: // it has returned, or ends its goroutine
		case runtime.Error:
			err = fmt.Errorf("%w: %s: %w", errPanicked, what, v)
		default:
			err = fmt.Errorf("%w: %s, with a %T", errPanicked, what, v)
		}
	}()
	return f()
}
