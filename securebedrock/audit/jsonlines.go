package audit

import (
	"context"
	"io"
	"sync"
)

// JSONLines writes each record as one line of JSON, in one Write. JSONLines does
// not close w. If w has a Flush() error method, as a bufio.Writer has, JSONLines
// flushes w. After a Write that stopped in the middle of a line, the next record
// begins on its own line.
func JSONLines(w io.Writer) Sink { return &jsonLines{w: w} }

type jsonLines struct {
	mu   sync.Mutex
	w    io.Writer
	torn bool
	buf  []byte
}

func (s *jsonLines) Write(_ context.Context, r *Record) error {
	line, err := r.Line()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = s.buf[:0]
	if s.torn {
		s.buf = append(s.buf, '\n')
	}
	s.buf = append(append(s.buf, line...), '\n')
	torn := s.torn
	s.torn = true // where w panics
	n, err := s.w.Write(s.buf)
	s.torn = torn
	if err == nil && n < len(s.buf) {
		err = io.ErrShortWrite
	}
	if err != nil && n > 0 {
		s.torn = true
	} else if err == nil {
		s.torn = false
	}
	return err
}

func (s *jsonLines) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.w.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}
