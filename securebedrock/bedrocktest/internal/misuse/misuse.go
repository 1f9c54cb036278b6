// Package misuse calls the functions that a test gives to the server, and holds
// their faults.
package misuse

import (
	"fmt"
	"runtime/debug"
)

// Error is a fault of the test: a Reply that panics, or an answer that no model could
// give. The test is told, and the client gets an InternalServerException that names
// the fault.
type Error struct {
	What  string
	Stack []byte // of a panic
}

func (m *Error) Error() string { return m.What }

// New returns the Error that says what the fault is.
func New(format string, args ...any) *Error { return &Error{What: fmt.Sprintf(format, args...)} }

// Call calls a function of the test. The function runs in its own goroutine, so that
// neither a panic nor a t.FailNow ends the server's goroutine.
func Call[T any](name string, f func() (T, error)) (T, error) {
	var out T
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		returned := false
		defer func() {
			if returned {
				return
			}
			if p := recover(); p != nil {
				err = &Error{What: fmt.Sprintf("%s panicked: %v", name, p), Stack: debug.Stack()}
				return
			}
			err = New("%s ended its goroutine, as t.Fatal, t.FailNow and t.Skip do: use t.Error there and return an error", name)
		}()
		out, err = f()
		returned = true
	}()
	<-done
	return out, err
}
