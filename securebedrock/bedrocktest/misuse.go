package bedrocktest

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"testing"
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

// complaints are the faults that the test has been told of. A client repeats a
// call that ends with an InternalServerException; the test reads of it once.
type complaints struct {
	tb   testing.TB // nil for a server of Start
	mu   sync.Mutex
	told map[string]bool
}

func (c *complaints) tell(m *misuse) {
	if c.tb == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told[m.what] {
		return
	}
	if c.told == nil {
		c.told = make(map[string]bool)
	}
	c.told[m.what] = true
	if m.stack != nil {
		c.tb.Errorf("bedrocktest: %s\n\n%s", m.what, m.stack)
		return
	}
	c.tb.Errorf("bedrocktest: %s", m.what)
}

// answer serves a request. A panic of this package becomes an error of the service
// where the headers have not gone, and ends the request where they have.
func (s *Server) answer(op operation, w *statusWriter, r *request) (err error) {
	defer func() {
		p := recover()
		switch {
		case p == nil:
			return
		case p == http.ErrAbortHandler:
			panic(p)
		}
		fault := &misuse{what: fmt.Sprintf("%s panicked: %v", op.name, p), stack: debug.Stack()}
		if w.sent {
			s.complaints.tell(fault)
			abort()
		}
		err = fault
	}()
	return op.answer(s, w, r)
}

// misuseOf is the service's error for a misuse, nil for any other error.
func (s *Server) misuseOf(err error) *apiError {
	m := new(misuse)
	if !errors.As(err, &m) {
		return nil
	}
	s.complaints.tell(m)
	return &apiError{status: http.StatusInternalServerError, code: "InternalServerException", message: "bedrocktest: " + m.what}
}

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
