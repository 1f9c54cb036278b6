package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync/atomic"
	"time"
)

// chainEnd is the end of a chain: what its next record follows, and the record whose
// write is not settled. Its user holds the chain; newKeys alone is for everybody.
type chainEnd struct {
	next    Sink
	stream  string
	repeats bool             // next is a Repeater
	written func(Checkpoint) // is given each checkpoint that was written
	gaveUp  func(error)      // is told of each record that was given up
	newKeys atomic.Pointer[nextKeys]

	key    Key
	mac    hash.Hash
	signer Signer
	seq    uint64     // of the last record that was written
	prev   string     // its MAC
	again  int        // its writes that failed
	open   *unsettled // nil: every write is settled
}

// nextKeys are what the next record is written with.
type nextKeys struct {
	key    Key
	signer *Signer // nil: as before
}

// unsettled is the record whose write failed, or has not returned. No other record
// is written before its write succeeds.
type unsettled struct {
	record   *Record // sealed
	of       *Record // the caller's
	cp       *Checkpoint
	skip     *Record // sealed in the record's place, see settle
	again    int     // writes that failed, of skip too
	refusals int     // writes of the record that failed
	stuck    *running
	onSkip   bool // stuck is skip's
}

// patience is the number of failed writes of a record after which a short record is
// tried in its place.
const patience = 8

// append seals a record and writes it. Nothing is unsettled before.
func (e *chainEnd) append(ctx context.Context, r *Record, cp *Checkpoint) error {
	if ctx.Err() != nil {
		return notWritten(context.Cause(ctx))
	}
	sealed, err := e.seal(r, e.seq+1)
	if err != nil {
		return err
	}
	e.open = &unsettled{record: sealed, of: r, cp: cp}
	err = e.send(ctx, sealed)
	if err != nil && e.open.again == 0 && e.open.stuck == nil && certainly(e.next, err) {
		e.open = nil // its number is free again
		return err
	}
	return e.settled(err, sealed, false)
}

// send writes a sealed record to the next sink, and returns when ctx ends.
func (e *chainEnd) send(ctx context.Context, sealed *Record) error {
	if ctx.Done() == nil { // the caller waits without a bound
		return caught("the sink's Write", func() error { return e.next.Write(ctx, sealed) })
	}
	call := start("the sink's Write", func() error { return e.next.Write(ctx, sealed) })
	err := call.Wait(ctx)
	if !call.Over() {
		e.open.stuck = call
		return err
	}
	return call.Err()
}

// settled takes the result of a write of the unsettled record, or of skip.
func (e *chainEnd) settled(err error, sealed *Record, skip bool) error {
	u := e.open
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
	e.seq, e.prev, e.again, e.open = sealed.Chain.Seq, sealed.MAC, u.again, nil
	if u.cp != nil && !skip {
		e.written(*u.cp)
	}
	return nil
}

// errGivenUp is the error where a record was given up and the chain goes on.
var errGivenUp = errors.New("audit: the record was given up, since the sink fails on it and takes others")

// unstick waits for the write that did not return, and takes its result.
func (e *chainEnd) unstick(ctx context.Context) error {
	u := e.open
	if u == nil || u.stuck == nil {
		return nil
	}
	if err := u.stuck.Wait(ctx); !u.stuck.Over() {
		return err
	}
	err := u.stuck.Err()
	u.stuck = nil
	if !u.onSkip {
		_ = e.settled(err, u.record, false)
	} else if e.settled(err, u.skip, true) == nil {
		return errGivenUp
	}
	return nil
}

// settle writes the unsettled record. Where the sink goes on failing on the record, a
// short record that names it is tried in its place: the sink may fail on this one
// record, for its length. The error is then errGivenUp, and nothing is unsettled.
func (e *chainEnd) settle(ctx context.Context) error {
	if err := e.unstick(ctx); err != nil {
		return err
	}
	u := e.open
	if u == nil {
		return nil
	}
	err := e.settled(e.send(ctx, u.record), u.record, false)
	if err == nil || u.stuck != nil || u.refusals < patience || ctx.Err() != nil {
		return err
	}
	if u.skip == nil {
		skip := &Record{Schema: Schema, Kind: KindSkipped, Time: time.Now().UTC(), CallID: u.record.CallID,
			Skipped: &Skipped{Kind: u.record.Kind, MAC: u.record.MAC}}
		sealed, serr := sealRecord(skip, u.record.Chain, e.mac)
		if serr != nil {
			return err
		}
		u.skip = sealed
	}
	if serr := e.settled(e.send(ctx, u.skip), u.skip, true); serr != nil {
		return err
	}
	err = fmt.Errorf("%w: number %d, after %d writes: %w", errGivenUp, e.seq, u.refusals, err)
	e.gaveUp(err)
	return err
}

// seal gives a record its place and its MAC.
func (e *chainEnd) seal(r *Record, seq uint64) (*Record, error) {
	e.takeNewKeys()
	return sealRecord(r, &Link{Stream: e.stream, Seq: seq, Prev: e.prev, KeyID: e.key.ID, Again: e.again, Repeats: e.repeats}, e.mac)
}

func (e *chainEnd) useKey(k Key) {
	e.key = k.clone()
	e.mac = hmac.New(sha256.New, e.key.Secret)
}

// takeNewKeys takes up the keys of the last Rotate.
func (e *chainEnd) takeNewKeys() {
	if w := e.newKeys.Swap(nil); w != nil {
		e.useKey(w.key)
		if w.signer != nil {
			e.signer = *w.signer
		}
	}
}

// newCheckpoint signs the chain as far as it is written.
func (e *chainEnd) newCheckpoint(closing bool) *Record {
	now := time.Now().UTC()
	e.takeNewKeys() // or the signer would be the former one
	cp := &Checkpoint{Stream: e.stream, Seq: e.seq, MAC: e.prev, Time: now, Closing: closing, Signer: e.signer.ID}
	cp.Signature = ed25519.Sign(e.signer.Key, cp.signed())
	return &Record{Schema: Schema, Kind: KindCheckpoint, Time: now, Checkpoint: cp}
}
