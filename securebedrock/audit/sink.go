package audit

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
)

// Sink stores records. Write returns nil when the record is as safe as the sink
// promises, and an error when it is not, or not known to be; the error never
// holds the record. Write is called by many goroutines, must not change or keep r
// past its return unless it only reads it, and heeds ctx where it can wait.
//
// A sink that holds records back implements Flusher; one that holds something
// open, io.Closer. The sinks here that pass records on pass these on too.
type Sink interface {
	Write(ctx context.Context, r *Record) error
}

// Flusher is a Sink that holds records back. Flush returns when those written
// before it are stored, or an error where some are not.
type Flusher interface {
	Flush(ctx context.Context) error
}

// SinkFunc is a function as a Sink.
type SinkFunc func(ctx context.Context, r *Record) error

// Write implements Sink.
func (f SinkFunc) Write(ctx context.Context, r *Record) error { return f(ctx, r) }

// Flush flushes a sink that holds records back, and does nothing with others.
func Flush(ctx context.Context, s Sink) error {
	if f, ok := s.(Flusher); ok {
		return f.Flush(ctx)
	}
	return nil
}

// Close closes a sink that holds something open, and does nothing with others.
func Close(s Sink) error {
	if c, ok := s.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Multi writes each record to all of the sinks, in order, and fails where one of
// them fails; the others are written to all the same. A record that is written
// again after such a failure is then in the others twice.
func Multi(sinks ...Sink) Sink { return multi(slices.Clone(sinks)) }

type multi []Sink

func (m multi) Write(ctx context.Context, r *Record) error {
	var errs []error
	if len(m) == 0 {
		return errNoSink
	}
	for _, s := range m {
		if s == nil {
			errs = append(errs, errNoSink)
			continue
		}
		errs = append(errs, s.Write(ctx, r))
	}
	return errors.Join(errs...)
}

var errNoSink = errors.New("audit: Multi was given no sink, or a nil one")

func (m multi) Flush(ctx context.Context) error {
	var errs []error
	for _, s := range m {
		errs = append(errs, Flush(ctx, s))
	}
	return errors.Join(errs...)
}

func (m multi) Close() error {
	var errs []error
	for _, s := range m {
		errs = append(errs, Close(s))
	}
	return errors.Join(errs...)
}

// JSONLines writes each record as one line of JSON, in one Write. It does not
// close w, and flushes it where w has a Flush() error method, as a bufio.Writer
// has. After a Write that stopped in mid-line the next record begins on a line of
// its own.
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
	n, err := s.w.Write(s.buf)
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
