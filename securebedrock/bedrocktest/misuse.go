package bedrocktest

import (
	"fmt"
	"runtime/debug"
)

// misuse is a fault of the test's own: a Reply that panics, or an answer that no
// model could give. The test is told, and the client gets an
// InternalServerException that names the fault.
type misuse struct {
	what  string
	stack []byte // of a panic
}

func (m *misuse) Error() string { return m.what }

func misused(format string, args ...any) *misuse { return &misuse{what: fmt.Sprintf(format, args...)} }

// called calls a function of the test's. The function has a goroutine of its own,
// so that neither a panic nor a t.FailNow takes the server's with it.
func called[T any](name string, f func() (T, error)) (T, error) {
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
				err = &misuse{what: fmt.Sprintf("%s panicked: %v", name, p), stack: debug.Stack()}
				return
			}
			err = misused("%s ended its goroutine, as t.Fatal, t.FailNow and t.Skip do: use t.Error there and return an error", name)
		}()
		out, err = f()
		returned = true
	}()
	<-done
	return out, err
}
