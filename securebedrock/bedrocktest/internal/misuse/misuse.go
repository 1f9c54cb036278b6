package misuse

import (
	"fmt"
	"runtime/debug"
)

// Error is a fault of the test's own: a Reply that panics, or an answer that no
// model could give. The test is told, and the client gets an
// InternalServerException that names the fault.
type Error struct {
	What  string
	Stack []byte // of a panic
}

func (m *Error) Error() string { return m.What }

func New(format string, args ...any) *Error { return &Error{What: fmt.Sprintf(format, args...)} }

// Call calls a function of the test's. The function has a goroutine of its own,
// so that neither a panic nor a t.FailNow takes the server's with it.
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
