package audit

import (
	"errors"
	"fmt"
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

// checkPace looks at how often checkpoints are written.
func checkPace(every int, interval time.Duration, fault func(field, detail string)) {
	if every < 0 {
		fault("Every", "a negative number; none means 1000")
	}
	if interval < 0 {
		fault("Interval", "a negative time; none means 1 minute")
	}
}
