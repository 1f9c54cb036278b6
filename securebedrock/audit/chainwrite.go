package audit

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"
)

// unsettled is the record whose write failed, or has not returned. Nothing comes
// after it before its write succeeds.
type unsettled struct {
	record   *Record // sealed
	of       *Record // the caller's
	cp       *Checkpoint
	skip     *Record // sealed in its place, see settle
	again    int     // writes that failed, of skip too
	refusals int     // those of the record alone
	stuck    *running
	onSkip   bool // stuck is skip's
}

// patience is the number of times that a sink may fail on a record before another
// is tried in its place.
const patience = 8

// acquire takes the chain, or fails when ctx ends.
func (c *Chained) acquire(ctx context.Context) error {
	select {
	case c.lock <- struct{}{}:
		return nil
	default:
	}
	select {
	case c.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return notWritten(fmt.Errorf("audit: another write to the chain has not ended: %w", context.Cause(ctx)))
	}
}

func (c *Chained) release() { <-c.lock }

// Write implements Sink. It returns when ctx ends, whatever the next sink does.
//
// Where the next sink fails, and does not say that nothing was stored, the chain
// keeps the record and writes it again before the next one; a second Write of the
// same *Record is that write. A record that fails eight times, while the sink takes
// another, is given up, and the chain says which (KindSkipped).
func (c *Chained) Write(ctx context.Context, r *Record) error {
	if err := c.acquire(ctx); err != nil {
		return err
	}
	defer c.release()
	if c.closed {
		return ErrClosed
	}
	again := c.open != nil && c.open.of == r
	switch err := c.settle(ctx); {
	case err != nil && again:
		return err
	case err != nil && !errors.Is(err, errGivenUp):
		return notWritten(fmt.Errorf("audit: the record before it could not be written: %w", err))
	case !again:
		if err := c.append(ctx, r, nil); err != nil {
			return err
		}
	}
	c.since++
	if c.since >= c.opts.Every {
		// The record itself is written; the checkpoint is tried again later.
		if err := c.checkpoint(ctx, false); err == nil {
			return nil
		}
	}
	if c.timer == nil {
		c.timer = time.AfterFunc(c.opts.Interval, c.tick)
	}
	return nil
}

// tick is the timer's checkpoint.
func (c *Chained) tick() {
	ctx, cancel := context.WithTimeout(context.Background(), defaultWriteTimeout)
	defer cancel()
	err := c.acquire(ctx)
	if err != nil {
		time.AfterFunc(c.opts.Interval, c.tick) // c.timer is somebody else's
		c.news.tell(err)
		return
	}
	defer c.release()
	c.timer = nil
	if c.closed || c.since == 0 {
		return
	}
	if err = c.settle(ctx); err == nil || errors.Is(err, errGivenUp) {
		err = c.checkpoint(ctx, false)
	}
	if err != nil {
		c.news.tell(fmt.Errorf("audit: the checkpoint after %s could not be written: %w", c.opts.Interval, err))
		if c.timer == nil {
			c.timer = time.AfterFunc(c.opts.Interval, c.tick)
		}
	}
}

// append seals a record and writes it. The caller holds the chain, and nothing is
// unsettled.
func (c *Chained) append(ctx context.Context, r *Record, cp *Checkpoint) error {
	if ctx.Err() != nil {
		return notWritten(context.Cause(ctx))
	}
	sealed, err := c.seal(r, c.seq+1)
	if err != nil {
		return err
	}
	c.open = &unsettled{record: sealed, of: r, cp: cp}
	err = c.send(ctx, sealed)
	if err != nil && c.open.again == 0 && c.open.stuck == nil && certainly(c.next, err) {
		c.open = nil // its number is free again
		return err
	}
	return c.settled(err, sealed, false)
}

// send writes a sealed record to the next sink, and returns when ctx ends.
func (c *Chained) send(ctx context.Context, sealed *Record) error {
	if ctx.Done() == nil { // the caller waits without a bound
		return caught("the sink's Write", func() error { return c.next.Write(ctx, sealed) })
	}
	call := start("the sink's Write", func() error { return c.next.Write(ctx, sealed) })
	err := call.Wait(ctx)
	if !call.Over() {
		c.open.stuck = call
		return err
	}
	return call.Err()
}

// settled takes the result of a write of the unsettled record, or of skip.
func (c *Chained) settled(err error, sealed *Record, skip bool) error {
	u := c.open
	if u.stuck != nil {
		u.onSkip = skip
		return err
	}
	if err != nil {
		u.again++
		if !skip {
			u.refusals++
		}
		return err
	}
	c.seq, c.prev, c.again, c.open = sealed.Chain.Seq, sealed.MAC, u.again, nil
	if u.cp != nil && !skip {
		c.news.checkpoint(*u.cp)
	}
	return nil
}

// errGivenUp is the error where a record was given up and the chain goes on.
var errGivenUp = errors.New("audit: the record was given up, since the sink fails on it and takes others")

// unstick waits for the write that did not return, and takes its result.
func (c *Chained) unstick(ctx context.Context) error {
	u := c.open
	if u == nil || u.stuck == nil {
		return nil
	}
	if err := u.stuck.Wait(ctx); !u.stuck.Over() {
		return err
	}
	err := u.stuck.Err()
	u.stuck = nil
	if !u.onSkip {
		_ = c.settled(err, u.record, false)
	} else if c.settled(err, u.skip, true) == nil {
		return errGivenUp
	}
	return nil
}

// settle writes what is unsettled. Where the sink goes on failing on it, a short
// record that names it is tried in its place: the sink may fail on this record
// alone, for its length. The error is then errGivenUp, and nothing is unsettled.
func (c *Chained) settle(ctx context.Context) error {
	if err := c.unstick(ctx); err != nil {
		return err
	}
	u := c.open
	if u == nil {
		return nil
	}
	err := c.settled(c.send(ctx, u.record), u.record, false)
	if err == nil || u.stuck != nil || u.refusals < patience || ctx.Err() != nil {
		return err
	}
	if u.skip == nil {
		skip := &Record{Schema: Schema, Kind: KindSkipped, Time: time.Now().UTC(), CallID: u.record.CallID,
			Skipped: &Skipped{Kind: u.record.Kind, MAC: u.record.MAC}}
		sealed, serr := c.sealAs(skip, u.record.Chain)
		if serr != nil {
			return err
		}
		u.skip = sealed
	}
	if serr := c.settled(c.send(ctx, u.skip), u.skip, true); serr != nil {
		return err
	}
	err = fmt.Errorf("%w: number %d, after %d writes: %w", errGivenUp, c.seq, u.refusals, err)
	c.news.tell(err)
	return err
}

func (c *Chained) seal(r *Record, seq uint64) (*Record, error) {
	c.rotate()
	return c.sealAs(r, &Link{Stream: c.stream, Seq: seq, Prev: c.prev, KeyID: c.key.ID, Again: c.again, Repeats: c.repeats})
}

// rotate takes up the keys that Rotate has given.
func (c *Chained) rotate() {
	if w := c.newKeys.Swap(nil); w != nil {
		c.useKey(w.key)
		if w.signer != nil {
			c.opts.Signer = *w.signer
		}
	}
}

// checkpoint writes one. The caller holds the chain, and nothing is unsettled.
func (c *Chained) checkpoint(ctx context.Context, closing bool) error {
	r := c.newCheckpoint(closing)
	if err := c.append(ctx, r, r.Checkpoint); err != nil {
		return err
	}
	c.checkpointed()
	return nil
}

func (c *Chained) newCheckpoint(closing bool) *Record {
	now := time.Now().UTC()
	c.rotate() // or the signer would be the former one
	cp := &Checkpoint{Stream: c.stream, Seq: c.seq, MAC: c.prev, Time: now, Closing: closing, Signer: c.opts.Signer.ID}
	cp.Signature = ed25519.Sign(c.opts.Signer.Key, cp.signed())
	return &Record{Schema: Schema, Kind: KindCheckpoint, Time: now, Checkpoint: cp}
}

func (c *Chained) checkpointed() {
	c.since = 0
	c.stop()
}

func (c *Chained) stop() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// Checkpoint writes one now, and waits until OnCheckpoint has it.
func (c *Chained) Checkpoint(ctx context.Context) error {
	return errors.Join(c.checkpointNow(ctx, true), c.news.wait(ctx))
}

func (c *Chained) checkpointNow(ctx context.Context, always bool) error {
	if err := c.acquire(ctx); err != nil {
		return err
	}
	defer c.release()
	if c.closed {
		if always {
			return ErrClosed
		}
		return nil
	}
	if err := c.settle(ctx); err != nil && !errors.Is(err, errGivenUp) {
		return err // a checkpoint would vouch for a record that may not be there
	}
	if !always && c.since == 0 {
		return nil
	}
	return c.checkpoint(ctx, false)
}

// Flush implements Flusher: a checkpoint, where records have come since the last
// one, and the next sink's Flush. It returns when ctx ends, and tells what failed
// since the last Flush, see ChainOptions.OnError.
func (c *Chained) Flush(ctx context.Context) error {
	err := c.checkpointNow(ctx, false)
	flush := start("the sink's Flush", func() error { return Flush(ctx, c.next) })
	return errors.Join(err, flush.Wait(ctx), c.news.wait(ctx))
}

// reopen has begin open another file with the chain's next record in it, so that
// a process that dies after it finds the chain in that file.
func (c *Chained) reopen(begin func(head *Record) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), defaultWriteTimeout)
	defer cancel()
	if err := c.acquire(ctx); err != nil {
		return err
	}
	defer c.release()
	if c.closed {
		return begin(nil)
	}
	if err := c.unstick(ctx); err != nil && !errors.Is(err, errGivenUp) {
		return err
	}
	if c.open == nil {
		r := c.newCheckpoint(false)
		sealed, err := c.seal(r, c.seq+1)
		if err != nil {
			return err
		}
		c.open = &unsettled{record: sealed, cp: r.Checkpoint}
	}
	u := c.open
	err := caught("the sink's Reopen", func() error { return begin(u.record) })
	if err != nil && u.again == 0 && u.of == nil && errors.Is(err, ErrNotWritten) {
		c.open = nil
		return err
	}
	if c.settled(err, u.record, false) == nil && u.cp != nil {
		c.checkpointed()
	}
	return err
}

// Close writes the closing checkpoint, and waits until OnCheckpoint has it and the
// next sink is closed, within CloseTimeout. Where the closing checkpoint cannot be
// written the next sink is left open: call Close again once the cause is mended. A
// Close after one that succeeded does nothing.
func (c *Chained) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.CloseTimeout)
	defer cancel()
	if err := c.end(ctx); err != nil {
		return fmt.Errorf("audit: the closing checkpoint is not written, and the sink is left open; call Close again: %w", err)
	}
	if err := c.acquire(ctx); err != nil {
		return err
	}
	defer c.release()
	if c.closing == nil {
		c.closing = start("the sink's Close", func() error { return Close(c.next) })
	}
	return errors.Join(c.news.wait(ctx), c.closing.Wait(ctx))
}

// end writes the closing checkpoint.
func (c *Chained) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*defaultWriteTimeout)
	defer cancel()
	if err := c.acquire(ctx); err != nil {
		return err
	}
	defer c.release()
	if c.ended {
		return nil
	}
	c.closed = true
	c.stop()
	var err error
	for range 3 {
		try, cancel := context.WithTimeout(ctx, defaultWriteTimeout)
		// A closing checkpoint that needed several writes may be there several
		// times: one after it says so.
		if err = c.settle(try); err == nil || errors.Is(err, errGivenUp) {
			err = c.checkpoint(try, true)
		}
		cancel()
		if err == nil {
			c.ended = true
			return nil
		}
	}
	return err
}
