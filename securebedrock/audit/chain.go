package audit

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"sync/atomic"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// ChainOptions of a Chain.
type ChainOptions struct {
	// Key makes the MACs. Required. To use another one from now on: Rotate.
	Key Key

	// Signer signs the checkpoints. Required.
	Signer Signer

	// Every is the number of records between two checkpoints. Zero: 1000.
	Every int

	// Interval is the longest time between a record and the checkpoint after it.
	// Zero: 1 minute.
	Interval time.Duration

	// Resume continues the chain at whose end it was read, see ReadTail. Nil
	// begins a chain.
	Resume *Tail

	// OnCheckpoint is given each checkpoint that was written, in order. What keeps
	// them where the log's owner cannot write (another account, a mailbox, a
	// printer) shows later that nothing before them was cut off.
	//
	// It runs on a goroutine of its own, one call at a time, and holds up no Write.
	// Checkpoint, Flush and Close wait for it, within their bounds. Where it does
	// not return, the newest 1024 checkpoints are kept for it.
	OnCheckpoint func(Checkpoint)

	// OnError is given what fails where no caller waits for it: the timer's
	// checkpoint, an OnCheckpoint that panics, a checkpoint that OnCheckpoint did
	// not get. The next Flush, Checkpoint or Close returns these errors as well. It
	// runs on OnCheckpoint's goroutine.
	OnError func(error)

	// CloseTimeout bounds Close, the next sink's Close included. Zero: 40 s.
	CloseTimeout time.Duration
}

// Chained is a Sink that chains records. See Chain.
type Chained struct {
	next    Sink
	opts    ChainOptions
	stream  string
	repeats bool
	news    news
	newKeys atomic.Pointer[writing]

	lock    chan struct{} // holds one while somebody has what follows
	key     Key
	mac     hash.Hash
	seq     uint64 // of the last record that was written
	prev    string // its MAC
	again   int    // its writes that failed
	open    *unsettled
	since   int // records since the last checkpoint
	closed  bool
	ended   bool // the closing checkpoint is written
	closing *running
	timer   *time.Timer
}

// Chain gives each record a sequence number, the MAC of the record before it and
// its own, an HMAC-SHA-256 over the line, and puts signed checkpoints between
// them, so that Verify finds what was changed, removed, inserted, reordered or cut
// off. It writes to next one record at a time, in order. A record that is longer
// than Verify reads, 8 MiB, loses the end of its texts.
//
// The line that the MAC is of is what JSONLines, File and other sinks that use
// Record.Line write. Zap and Slog write the chain's fields in a form of their own,
// which cannot be verified.
//
// A chain is of one sink: Multi of several is refused, since a failure of one would
// leave open which of them has the record. Give each sink a chain of its own:
// Multi(Chain(a), Chain(b)). A SinkFunc that writes to several sinks is not seen
// through; the chain writes a failed record again, and each of them may have copies.
//
// next may hold records already, which File and package rotatefile tell (see
// Continuable): Resume must then say where they end, else the error wraps
// securebedrock.ErrConfig. Give these sinks to Chain directly, not in a SinkFunc, so
// that Reopen can begin the new file with the chain's next checkpoint.
//
// Close writes the closing checkpoint and closes next. Give Async a Chain, not
// the reverse, or records that wait in Async's queue are lost from the middle of a
// chain when the process dies.
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
	c := &Chained{next: next, opts: opts, repeats: mayRepeat(next), lock: make(chan struct{}, 1)}
	c.news.onCheckpoint, c.news.onError = opts.OnCheckpoint, opts.OnError
	c.useKey(opts.Key)
	t := opts.Resume
	if t == nil {
		t = new(Tail)
	}
	if t.Stream != "" {
		c.stream, c.seq, c.prev, c.again = t.Stream, t.Seq, t.MAC, t.Again
	} else {
		id := make([]byte, 16)
		_, _ = rand.Read(id) // never fails
		c.stream = hex.EncodeToString(id)
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

func (o *ChainOptions) check(next Sink) error {
	var faults []error
	fault := func(field, detail string) {
		faults = append(faults, fmt.Errorf("%w: audit: Chain: %s: %s", securebedrock.ErrConfig, field, detail))
	}
	if next == nil {
		fault("next", "no sink is given")
	} else {
		checkNext(next, o.Resume, fault)
	}
	if msg := o.Key.fault(); msg != "" {
		fault("Key", msg)
	}
	if !isKeyID(o.Signer.ID) || o.Signer.public() == nil {
		fault("Signer", "it needs an ID, an identifier of at most 64 bytes, and an Ed25519 private key")
	}
	checkPace(o.Every, o.Interval, fault)
	if o.CloseTimeout < 0 {
		fault("CloseTimeout", "a negative time; none means 40 s")
	}
	return errors.Join(faults...)
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

// checkPace looks at how often checkpoints are written.
func checkPace(every int, interval time.Duration, fault func(field, detail string)) {
	if every < 0 {
		fault("Every", "a negative number; none means 1000")
	}
	if interval < 0 {
		fault("Interval", "a negative time; none means 1 minute")
	}
}

// Stream is the chain's name.
func (c *Chained) Stream() string { return c.stream }

func (c *Chained) useKey(k Key) {
	c.key = k.clone()
	c.mac = hmac.New(sha256.New, c.key.Secret)
}

// Rotate makes the MACs of the records from now on with key. Keep the old one for
// verification.
func (c *Chained) Rotate(key Key) error {
	if msg := key.fault(); msg != "" {
		return fmt.Errorf("%w: audit: Rotate: %s", securebedrock.ErrConfig, msg)
	}
	c.newKeys.Store(&writing{key: key.clone()})
	return nil
}

// writing is what the next record is written with.
type writing struct {
	key    Key
	signer *Signer // nil: as before
}

func (c *Chained) fault() error { return faultOf(c.next) }
