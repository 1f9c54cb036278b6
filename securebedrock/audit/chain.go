package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Link is a record's place in its chain.
type Link struct {
	// Stream names the chain: one for each process, or for a file that processes
	// continue one after the other.
	Stream string `json:"stream"`
	Seq    uint64 `json:"seq"`            // from 1 on
	Prev   string `json:"prev,omitempty"` // the MAC of the record before it
	KeyID  string `json:"key_id"`
	// Unwritten counts the records just before this one whose write failed. They
	// may be there or not. Last is the MAC of the last one that was written.
	Unwritten int    `json:"unwritten,omitempty"`
	Last      string `json:"last,omitempty"`
}

// Checkpoint is a signature over a chain up to the record before it.
type Checkpoint struct {
	Stream    string    `json:"stream"`
	Seq       uint64    `json:"seq"` // of the record before it
	MAC       string    `json:"mac"` // of that record
	Time      time.Time `json:"time"`
	Closing   bool      `json:"closing,omitempty"` // the chain was closed here
	Signer    string    `json:"signer"`            // ID of the Ed25519 key
	Signature []byte    `json:"signature"`
}

// Resumed says that a chain goes on after a restart.
type Resumed struct {
	// Closed: the chain had been closed in order.
	Closed bool `json:"closed"`
	// TornBytes and TornSHA256 are of the last line, where it was not whole. It
	// was left in its place.
	TornBytes  int    `json:"torn_bytes,omitempty"`
	TornSHA256 string `json:"torn_sha256,omitempty"`
}

// Signer signs checkpoints.
type Signer struct {
	ID  string
	Key ed25519.PrivateKey
}

// String and GoString keep the key out of logs.
func (s Signer) String() string { return "audit.Signer(" + s.ID + ")" }

// GoString implements fmt.GoStringer.
func (s Signer) GoString() string { return s.String() }

// signed is what a checkpoint's signature is over.
func (c *Checkpoint) signed() []byte {
	return fmt.Appendf(nil, "%s checkpoint\x00%s\x00%d\x00%s\x00%s\x00%t\x00%s", Schema, c.Stream, c.Seq, c.MAC,
		c.Time.UTC().Format(time.RFC3339Nano), c.Closing, c.Signer)
}

// Verify checks the signature.
func (c *Checkpoint) Verify(key ed25519.PublicKey) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, c.signed(), c.Signature)
}

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
	OnCheckpoint func(Checkpoint)
}

// Chained is a Sink that chains records. See Chain.
type Chained struct {
	next   Sink
	opts   ChainOptions
	stream string

	mu        sync.Mutex
	key       Key
	mac       hash.Hash
	seq       uint64
	prev      string // MAC of the last record that was sealed
	last      string // MAC of the last one that was written
	unwritten int    // those sealed since
	since     int    // records since the last checkpoint
	closed    bool
	timer     *time.Timer
}

// Chain gives each record a sequence number, the MAC of the record before it and
// its own, an HMAC-SHA-256 over the line, and puts signed checkpoints between
// them, so that Verify finds what was changed, removed, inserted, reordered or cut
// off. It writes to next one record at a time, in order.
//
// The line that the MAC is of is what JSONLines, File and other sinks that use
// Record.Line write. Zap and Slog write the chain's fields in a form of their own,
// which cannot be verified.
//
// Close writes the closing checkpoint and closes next. Give Async a Chain, not
// the reverse, or records that wait in Async's queue are lost from the middle of a
// chain when the process dies.
func Chain(next Sink, opts ChainOptions) (*Chained, error) {
	var faults []error
	fault := func(field, detail string) {
		faults = append(faults, fmt.Errorf("%w: audit: Chain: %s: %s", securebedrock.ErrConfig, field, detail))
	}
	if next == nil {
		fault("next", "no sink is given")
	}
	if msg := opts.Key.fault(); msg != "" {
		fault("Key", msg)
	}
	if s := opts.Signer; s.ID == "" || word(s.ID) != s.ID || len(s.ID) > 64 || len(s.Key) != ed25519.PrivateKeySize {
		fault("Signer", "it needs an ID, an identifier of at most 64 bytes, and an Ed25519 private key")
	}
	if opts.Every < 0 {
		fault("Every", "a negative number; none means 1000")
	}
	if opts.Interval < 0 {
		fault("Interval", "a negative time; none means 1 minute")
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if opts.Every == 0 {
		opts.Every = 1000
	}
	if opts.Interval == 0 {
		opts.Interval = time.Minute
	}
	c := &Chained{next: next, opts: opts}
	c.useKey(opts.Key)
	if t := opts.Resume; t != nil && t.Stream != "" {
		c.stream, c.seq, c.prev, c.last = t.Stream, t.Seq, t.MAC, t.MAC
		r := &Record{Schema: Schema, Kind: KindResumed, Time: time.Now().UTC(),
			Resumed: &Resumed{Closed: t.Closed, TornBytes: t.TornBytes, TornSHA256: t.TornSHA256}}
		if err := c.Write(context.Background(), r); err != nil {
			return nil, fmt.Errorf("audit: the chain could not be continued: %w", err)
		}
		return c, nil
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	c.stream = hex.EncodeToString(id)
	if t := opts.Resume; t != nil && t.TornBytes > 0 { // the first line ever was torn
		r := &Record{Schema: Schema, Kind: KindResumed, Time: time.Now().UTC(), Resumed: &Resumed{TornBytes: t.TornBytes, TornSHA256: t.TornSHA256}}
		if err := c.Write(context.Background(), r); err != nil {
			return nil, fmt.Errorf("audit: the chain could not be begun: %w", err)
		}
	}
	return c, nil
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
	c.mu.Lock()
	defer c.mu.Unlock()
	c.useKey(key)
	return nil
}

// ErrClosed is the error of a write to a closed Chain, File or Async.
var ErrClosed = errors.New("audit: the sink is closed")

// Write implements Sink. A record whose write fails keeps its number; the next
// one says so.
func (c *Chained) Write(ctx context.Context, r *Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if err := c.write(ctx, r); err != nil {
		return err
	}
	c.since++
	if c.since >= c.opts.Every {
		// The record itself is written; the checkpoint is tried again later.
		if c.checkpoint(ctx, false) == nil {
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
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = nil
	if c.closed || c.since == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), defaultWriteTimeout)
	defer cancel()
	if c.checkpoint(ctx, false) != nil {
		c.timer = time.AfterFunc(c.opts.Interval, c.tick)
	}
}

// write seals a record and passes it on, with c.mu held so that the order of the
// lines is that of their numbers.
func (c *Chained) write(ctx context.Context, r *Record) error {
	sealed, mac, err := c.seal(r)
	if err != nil {
		return err
	}
	c.seq++
	c.prev = mac
	if err := c.next.Write(ctx, sealed); err != nil {
		c.unwritten++
		return err
	}
	c.last, c.unwritten = mac, 0
	return nil
}

// macSuffix is how every line ends: what stands before it is what the MAC is of.
const (
	macPrefix = `,"mac":"`
	macSuffix = `"}`
	macLength = len(macPrefix) + 2*sha256.Size + len(macSuffix)
)

func (c *Chained) seal(r *Record) (*Record, string, error) {
	own := *r // the caller's is not changed
	own.sealed, own.MAC = nil, ""
	own.Chain = &Link{Stream: c.stream, Seq: c.seq + 1, Prev: c.prev, KeyID: c.key.ID, Unwritten: c.unwritten}
	if c.unwritten > 0 {
		own.Chain.Last = c.last
	}
	line, err := json.Marshal(&own)
	if err != nil {
		return nil, "", err
	}
	line = line[:len(line)-1]
	own.MAC = sum(c.mac, line)
	line = append(append(append(line, macPrefix...), own.MAC...), macSuffix...)
	own.sealed = line
	return &own, own.MAC, nil
}

func sum(h hash.Hash, line []byte) string {
	h.Reset()
	h.Write(line)
	var buf [sha256.Size]byte
	return hex.EncodeToString(h.Sum(buf[:0]))
}

func (c *Chained) checkpoint(ctx context.Context, closing bool) error {
	if c.unwritten > 0 && !closing {
		// It would vouch for a record that may not be there.
		return errors.New("audit: no checkpoint while the record before it is not written")
	}
	now := time.Now().UTC()
	cp := &Checkpoint{Stream: c.stream, Seq: c.seq, MAC: c.prev, Time: now, Closing: closing, Signer: c.opts.Signer.ID}
	cp.Signature = ed25519.Sign(c.opts.Signer.Key, cp.signed())
	if err := c.write(ctx, &Record{Schema: Schema, Kind: KindCheckpoint, Time: now, Checkpoint: cp}); err != nil {
		return err
	}
	c.since = 0
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if c.opts.OnCheckpoint != nil {
		c.opts.OnCheckpoint(*cp)
	}
	return nil
}

// Checkpoint writes one now.
func (c *Chained) Checkpoint(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	return c.checkpoint(ctx, false)
}

// Flush implements Flusher: a checkpoint, where records have come since the last
// one, and the next sink's Flush.
func (c *Chained) Flush(ctx context.Context) error {
	c.mu.Lock()
	var err error
	if c.since > 0 && !c.closed {
		err = c.checkpoint(ctx, false)
	}
	c.mu.Unlock()
	return errors.Join(err, Flush(ctx, c.next))
}

// Close writes the closing checkpoint and closes the next sink. A second Close
// does nothing.
func (c *Chained) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), defaultWriteTimeout)
	defer cancel()
	err := c.checkpoint(ctx, true)
	if err != nil { // once more: without it the chain cannot be told from one that was cut
		err = c.checkpoint(ctx, true)
	}
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.mu.Unlock()
	return errors.Join(err, Close(c.next))
}
