package audit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// multiClose is the time that Multi's Close gives its sinks at least.
const multiClose = time.Minute

// Multi writes each record to all of the sinks at the same time. The write fails when one
// sink fails; the record still goes to the others. A record that is written again after
// such a failure is then stored twice by the others.
//
// A sink that panics or does not return in time (see Sink) has failed. The write does not
// wait for this sink beyond its context, and the other sinks are not delayed. While a
// sink has not returned from one write, the sink gets no other record; those writes fail
// at the end of their contexts. Flush works the same way. Close closes the sinks at the
// same time and waits for a minute, or for the CloseTimeout of an Async where that is
// longer. The error names what is not closed by then.
func Multi(sinks ...Sink) Sink {
	m := make(multi, len(sinks))
	for i, s := range sinks {
		if s != nil {
			m[i] = newWay(s, 1)
		}
	}
	return m
}

// multi has nil for a sink that is nil.
type multi []*way

var errNoSink = errors.New("audit: Multi was given no sink, or a nil one")

func (m multi) Write(ctx context.Context, r *Record) error {
	if len(m) == 0 {
		return errNoSink
	}
	errs, trips := make([]error, len(m)), make([]*trip, len(m))
	for i, w := range m {
		if w != nil {
			trips[i], errs[i] = w.begin(ctx, false, r)
		}
	}
	for i, w := range m { // those that have to wait, when all others have begun
		switch {
		case w == nil:
			errs[i] = errNoSink
		case trips[i] == nil:
			trips[i], errs[i] = w.begin(ctx, true, r)
		}
	}
	for i, t := range trips {
		if t != nil {
			errs[i] = t.wait(ctx)
		}
	}
	return errors.Join(errs...)
}

func (m multi) Flush(ctx context.Context) error {
	errs, trips := make([]error, len(m)), make([]*running, len(m))
	for i, w := range m {
		if w != nil {
			trips[i] = start("the sink's Flush", func() error { return w.flush(ctx) })
		}
	}
	for i, t := range trips {
		if t != nil { // flush ends with ctx
			<-t.Done()
			errs[i] = t.Err()
		}
	}
	return errors.Join(errs...)
}

func (m multi) Close() error {
	bound := multiClose
	closes := make([]*running, len(m))
	for i, w := range m {
		if w == nil {
			continue
		}
		if b, ok := asBounded(w.sink); ok {
			bound = max(bound, b.closeTime())
		}
		closes[i] = start("the sink's Close", func() error { return Close(w.sink) })
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	errs := make([]error, len(m))
	for i, c := range closes {
		if c != nil {
			errs[i] = c.Wait(ctx)
		}
	}
	return errors.Join(errs...)
}

func (m multi) passesTo() (sinks []Sink) {
	for _, w := range m {
		if w != nil {
			sinks = append(sinks, w.sink)
		}
	}
	return sinks
}

func (m multi) fault() error {
	var errs []error
	for i, w := range m {
		if w == nil {
			errs = append(errs, fmt.Errorf("sink %d: %w", i+1, errNoSink))
		} else if err := faultOf(w.sink); err != nil {
			errs = append(errs, fmt.Errorf("sink %d: %w", i+1, err))
		}
	}
	if len(m) == 0 {
		return errNoSink
	}
	return errors.Join(errs...)
}
