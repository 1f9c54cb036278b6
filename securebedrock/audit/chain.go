package audit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Chained is a Sink that chains records. See Chain.
type Chained struct {
	opts ChainOptions
	news news

	lock    chan struct{} // has an element while a caller holds the chain, which is what follows
	end     chainEnd
	since   int // records since the last checkpoint
	closed  bool
	ended   bool // the closing checkpoint is written
	closing *running
	timer   *time.Timer
}

// Chain gives each record a sequence number, the MAC of the record before it and
// its own MAC, an HMAC-SHA-256 over the line. Chain also writes signed checkpoints
// between the records. Verify then finds what was changed, removed, inserted,
// reordered or cut off. Chain writes to next one record at a time, in order. A
// record longer than the 8 MiB that Verify reads loses the end of its texts.
//
// The MAC covers the line that JSONLines, File and other sinks with Record.Line
// write. Zap and Slog write the fields of the chain in their own form, which cannot
// be verified.
//
// A chain has one sink. A Multi of several sinks is refused, since after a failure
// it would be unclear which sink has the record. Give each sink its own chain:
// Multi(Chain(a), Chain(b)). Chain cannot see that a SinkFunc writes to several
// sinks. The chain writes a failed record again, and each of these sinks may then
// have copies.
//
// next may already hold records. File and package rotatefile report this (see
// Continuable). Resume must then be the end of these records, otherwise the error
// wraps securebedrock.ErrConfig. Give these sinks to Chain directly and not in a
// SinkFunc, so that Reopen can begin the new file with the chain's next checkpoint.
//
// Close writes the closing checkpoint and closes next. Give a Chain to Async and
// not the reverse. Otherwise a process that dies loses the records in Async's queue
// from the middle of a chain.
func Chain(next Sink, opts ChainOptions) (*Chained, error) {
	if err := opts.check(next); err != nil {
		return nil, err
	}
	if opts.Every == 0 {
		opts.Every = 1000
	}
	if opts.Interval == 0 {
		opts.Interval = time.Minute
	}
	if opts.CloseTimeout == 0 {
		opts.CloseTimeout = 40 * time.Second
	}
	c := &Chained{opts: opts, lock: make(chan struct{}, 1)}
	c.news.onCheckpoint, c.news.onError = opts.OnCheckpoint, opts.OnError
	c.end.next, c.end.repeats = next, mayRepeat(next)
	c.end.written, c.end.gaveUp = c.news.checkpoint, c.news.tell
	c.end.useKey(opts.Key)
	c.end.signer = opts.Signer
	t := opts.Resume
	if t == nil {
		t = new(Tail)
	}
	if t.Stream != "" {
		c.end.stream, c.end.seq, c.end.prev, c.end.again = t.Stream, t.Seq, t.MAC, t.Again
	} else {
		id := make([]byte, 16)
		_, _ = rand.Read(id) // never fails
		c.end.stream = hex.EncodeToString(id)
	}
	if t.Stream != "" || t.TornBytes > 0 { // else the log is empty
		r := &Record{Schema: Schema, Kind: KindResumed, Time: time.Now().UTC(),
			Resumed: &Resumed{Closed: t.Closed, TornBytes: t.TornBytes, TornSHA256: t.TornSHA256}}
		ctx, cancel := context.WithTimeout(context.Background(), defaultWriteTimeout)
		defer cancel()
		if err := c.Write(ctx, r); err != nil {
			c.stop()
			return nil, fmt.Errorf("audit: the chain could not be continued: %w", err)
		}
	}
	if f, ok := next.(*FileSink); ok {
		f.setHead(c.reopen)
	}
	return c, nil
}

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

// Write implements Sink. Write returns when ctx ends, whatever the next sink does.
//
// If the next sink fails and does not say that nothing was stored, the chain keeps
// the record and writes it again before the next record. A second Write of the same
// *Record is that repetition. If a record fails eight times and the sink accepts
// another record, the chain gives the record up and names it (KindSkipped).
func (c *Chained) Write(ctx context.Context, r *Record) error {
	if err := c.acquire(ctx); err != nil {
		return err
	}
	defer c.release()
	if c.closed {
		return ErrClosed
	}
	again := c.end.open != nil && c.end.open.of == r
	switch err := c.end.settle(ctx); {
	case err != nil && again:
		return err
	case err != nil && !errors.Is(err, errGivenUp):
		return notWritten(fmt.Errorf("audit: the record before it could not be written: %w", err))
	case !again:
		if err := c.end.append(ctx, r, nil); err != nil {
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
	if err = c.end.settle(ctx); err == nil || errors.Is(err, errGivenUp) {
		err = c.checkpoint(ctx, false)
	}
	if err != nil {
		c.news.tell(fmt.Errorf("audit: the checkpoint after %s could not be written: %w", c.opts.Interval, err))
		if c.timer == nil {
			c.timer = time.AfterFunc(c.opts.Interval, c.tick)
		}
	}
}

// checkpoint writes one. The caller holds the chain, and nothing is unsettled.
func (c *Chained) checkpoint(ctx context.Context, closing bool) error {
	r := c.end.newCheckpoint(closing)
	if err := c.end.append(ctx, r, r.Checkpoint); err != nil {
		return err
	}
	c.checkpointed()
	return nil
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
	if err := c.end.settle(ctx); err != nil && !errors.Is(err, errGivenUp) {
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
	flush := start("the sink's Flush", func() error { return Flush(ctx, c.end.next) })
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
	if err := c.end.unstick(ctx); err != nil && !errors.Is(err, errGivenUp) {
		return err
	}
	if c.end.open == nil {
		r := c.end.newCheckpoint(false)
		sealed, err := c.end.seal(r, c.end.seq+1)
		if err != nil {
			return err
		}
		c.end.open = &unsettled{record: sealed, cp: r.Checkpoint}
	}
	u := c.end.open
	err := caught("the sink's Reopen", func() error { return begin(u.record) })
	if err != nil && u.again == 0 && u.of == nil && errors.Is(err, ErrNotWritten) {
		c.end.open = nil
		return err
	}
	if c.end.settled(err, u.record, false) == nil && u.cp != nil {
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
	if err := c.finish(ctx); err != nil {
		return fmt.Errorf("audit: the closing checkpoint is not written, and the sink is left open; call Close again: %w", err)
	}
	if err := c.acquire(ctx); err != nil {
		return err
	}
	defer c.release()
	if c.closing == nil {
		c.closing = start("the sink's Close", func() error { return Close(c.end.next) })
	}
	return errors.Join(c.news.wait(ctx), c.closing.Wait(ctx))
}

// finish writes the closing checkpoint.
func (c *Chained) finish(ctx context.Context) error {
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
		// A closing checkpoint that needed several writes may stand in the log several
		// times. Another one after it says so.
		if err = c.end.settle(try); err == nil || errors.Is(err, errGivenUp) {
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

// over says whether the closing checkpoint is written.
func (c *Chained) over() bool {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if c.acquire(ctx) != nil {
		return false
	}
	defer c.release()
	return c.ended
}

// Stream is the chain's name.
func (c *Chained) Stream() string { return c.end.stream }

// Rotate makes the MACs of the records from now on with key. Keep the old one for
// verification.
func (c *Chained) Rotate(key Key) error {
	if msg := key.fault(); msg != "" {
		return fmt.Errorf("%w: audit: Rotate: %s", securebedrock.ErrConfig, msg)
	}
	c.rotate(key, nil)
	return nil
}

// rotate writes with a key from now on, and with a signer where one is given.
func (c *Chained) rotate(key Key, signer *Signer) {
	c.end.newKeys.Store(&nextKeys{key: key.clone(), signer: signer})
}

func (c *Chained) fault() error { return faultOf(c.end.next) }

func (c *Chained) passesTo() []Sink { return []Sink{c.end.next} }

func (c *Chained) numbers() Sink { return c }
