package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Sink stores records. Write returns nil when the record is as safe as the sink
// promises. Write returns an error when the record is not safe or its state is unknown;
// the error never holds the record. Many goroutines call Write. Write must not change r,
// may keep r after its return only to read it, and returns when ctx ends.
//
// Middleware, Multi and Async turn a panic into an error. They also return at the end of
// ctx when Write has not returned; whether the record is stored is unknown then. At most
// 256 calls of a sink's Write run at a time. No other call begins while 4 abandoned calls
// have not returned; in Multi and Async one abandoned call keeps the others out, so that
// records stay in order.
//
// A sink that holds records back implements Flusher. A sink that holds something open
// implements io.Closer. The sinks of this package call both methods of the next sink.
type Sink interface {
	Write(ctx context.Context, r *Record) error
}

// Flusher is a Sink that holds records back. Flush returns nil once the records written
// before it are stored, and an error when some are not.
type Flusher interface {
	Flush(ctx context.Context) error
}

// SinkFunc is a function as a Sink.
type SinkFunc func(ctx context.Context, r *Record) error

// Write implements Sink.
func (f SinkFunc) Write(ctx context.Context, r *Record) error { return f(ctx, r) }

// Flush flushes a sink that holds records back, and does nothing with another sink. A
// panic of the sink becomes an error.
func Flush(ctx context.Context, s Sink) error {
	if f, ok := s.(Flusher); ok {
		return caught("the sink's Flush", func() error { return f.Flush(ctx) })
	}
	return nil
}

// Close closes a sink that holds something open, and does nothing with another sink. A
// panic of the sink becomes an error.
func Close(s Sink) error {
	if c, ok := s.(io.Closer); ok {
		return caught("the sink's Close", c.Close)
	}
	return nil
}

// passing is a sink of this package that passes records on.
type passing interface{ passesTo() []Sink }

// eachSink calls f with s and each sink that s passes records on to.
func eachSink(s Sink, f func(Sink)) {
	f(s)
	if p, ok := s.(passing); ok {
		for _, next := range p.passesTo() {
			if next != nil {
				eachSink(next, f)
			}
		}
	}
}

// faulty is a sink that knows from the beginning that it cannot keep every record.
type faulty interface{ fault() error }

func faultOf(s Sink) error {
	if f, ok := s.(faulty); ok {
		return caught("the sink", f.fault)
	}
	return nil
}

// ErrClosed is the error of a write to a closed Chain, File or Async.
var ErrClosed = errors.New("audit: the sink is closed")

// ErrNotWritten is wrapped by the error of a sink that is certain to have stored nothing
// of the record; Chain can then use the record's number again. After any other error the
// stored state is unknown, and Chain writes the same record again before the next one. A
// sink that writes to several sinks must not pass ErrNotWritten on. Chain ignores
// ErrNotWritten from a SinkFunc.
var ErrNotWritten = errors.New("audit: nothing of the record is stored")

func notWritten(err error) error { return fmt.Errorf("%w: %w", ErrNotWritten, err) }
