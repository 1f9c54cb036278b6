package audit

import (
	"context"
	"math"
	"time"
)

const (
	defaultWriteTimeout = 5 * time.Second // of one write
	firstPause          = 20 * time.Millisecond
	lastPause           = time.Second
)

// bounded is a sink of this package that heeds its context and never panics. It
// needs no lane.
type bounded interface {
	Sink
	// closeTime is the longest time that the sink's Close takes.
	closeTime() time.Duration
	// itself is the sink. A type that embeds the sink has this method, and is
	// another sink.
	itself() Sink
}

func asBounded(s Sink) (bounded, bool) {
	b, ok := s.(bounded)
	return b, ok && b.itself() == s
}

// way is a sink with the lanes of its methods.
type way struct {
	sink    Sink
	writes  *lane
	flushes *lane
}

// newWay is the way to a sink of which at most so many overdue writes keep no
// other out. With one, a write never overtakes another that its caller has given
// up.
func newWay(s Sink, most int) *way {
	return &way{sink: s, writes: newLane("the sink's Write", most), flushes: newLane("the sink's Flush", 1)}
}

func (w *way) begin(ctx context.Context, patience bool, r *Record) (*trip, error) {
	return w.writes.begin(ctx, patience, func() error { return w.sink.Write(ctx, r) })
}

// write writes r once.
func (w *way) write(ctx context.Context, r *Record) error {
	if b, ok := asBounded(w.sink); ok {
		return b.Write(ctx, r)
	}
	t, err := w.begin(ctx, true, r)
	if err != nil {
		return err
	}
	return t.wait(ctx)
}

func (w *way) flush(ctx context.Context) error {
	if _, ok := w.sink.(Flusher); !ok {
		return nil
	}
	return w.flushes.call(ctx, true, func() error { return Flush(ctx, w.sink) })
}

// tries say how often and for how long a record is written.
type tries struct {
	attempts int
	each     time.Duration
	retried  func() // told of each write after the first; may be nil
}

// all is the longest time that the tries take together.
func (t tries) all() time.Duration {
	if t.each > math.MaxInt64/time.Duration(t.attempts) {
		return math.MaxInt64
	}
	return t.each * time.Duration(t.attempts)
}

// deliver writes r, again where that fails, until ctx ends. A write that is stuck
// is waited for and not made twice, since its record may arrive yet.
func (w *way) deliver(ctx context.Context, r *Record, how tries) error {
	end := time.Now().Add(how.all())
	pause := firstPause
	var stuck *trip
	for i := 1; ; i++ {
		err := w.try(ctx, r, min(how.each, time.Until(end)), &stuck)
		switch {
		case err == nil:
			return nil
		case i >= how.attempts || ctx.Err() != nil:
			return err
		case stuck == nil && !sleep(ctx, min(pause, time.Until(end))):
			return err
		case !time.Now().Before(end):
			return err
		}
		pause = min(2*pause, lastPause)
		if how.retried != nil {
			how.retried()
		}
	}
}

func (w *way) try(ctx context.Context, r *Record, bound time.Duration, stuck **trip) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	if b, ok := asBounded(w.sink); ok {
		return b.Write(ctx, r)
	}
	t := *stuck
	if t == nil {
		var err error
		if t, err = w.begin(ctx, true, r); err != nil {
			return err
		}
	}
	err := t.wait(ctx)
	if *stuck = t; t.call.Over() {
		*stuck = nil
	}
	return err
}

// sleep reports whether the time has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
