package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Sink stores records. Write returns nil when the record is as safe as the sink
// promises, and an error when it is not, or not known to be; the error never
// holds the record. Write is called by many goroutines, must not change or keep r
// past its return unless it only reads it, and heeds ctx where it can wait.
//
// Middleware, Multi and Async make an error of a panic, and go on at the end of
// ctx though Write has not returned: it is not known then whether the record is
// stored. At most 256 calls of a sink's Write run at a time, and no other one
// begins while 4 of those that were given up have not returned; in Multi and Async
// one such call keeps the others out, so that records stay in order.
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

// Flush flushes a sink that holds records back, and does nothing with others. A
// panic of the sink's is an error.
func Flush(ctx context.Context, s Sink) error {
	if f, ok := s.(Flusher); ok {
		return caught("the sink's Flush", func() error { return f.Flush(ctx) })
	}
	return nil
}

// Close closes a sink that holds something open, and does nothing with others. A
// panic of the sink's is an error.
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

// ErrNotWritten is wrapped by a sink's error where the sink is certain that it
// stored nothing of the record, so that Chain can use the record's number again.
// After any other error it is not known what is stored, and Chain writes the same
// record again before the next one. A sink that writes to several sinks must not
// pass it on; with a SinkFunc it has no meaning.
var ErrNotWritten = errors.New("audit: nothing of the record is stored")

func notWritten(err error) error { return fmt.Errorf("%w: %w", ErrNotWritten, err) }
