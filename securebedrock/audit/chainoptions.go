package audit

import (
	"errors"
	"fmt"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// ChainOptions are the options of Chain.
type ChainOptions struct {
	// Key makes the MACs. Required. Chained.Rotate changes the key later.
	Key Key

	// Signer signs the checkpoints. Required.
	Signer Signer

	// Every is the number of records between two checkpoints. Zero: 1000.
	Every int

	// Interval is the longest time between a record and the checkpoint after it.
	// Zero: 1 minute.
	Interval time.Duration

	// Resume is the end of the log that the chain continues, see ReadTail. Nil: a
	// new chain.
	Resume *Tail

	// OnCheckpoint receives each written checkpoint, in order. Keep the checkpoints
	// where the log's owner cannot write: another account, a mailbox or a printer.
	// They show later that nothing before them was cut off.
	//
	// OnCheckpoint runs on its own goroutine, one call at a time, and delays no
	// Write. Checkpoint, Flush and Close wait for OnCheckpoint, within their
	// bounds. If OnCheckpoint does not return, the newest 1024 checkpoints wait for
	// it.
	OnCheckpoint func(Checkpoint)

	// OnError receives the failures that no caller waits for: a failed checkpoint
	// of the timer, a panic of OnCheckpoint, and a checkpoint that OnCheckpoint did
	// not receive. The next Flush, Checkpoint or Close also returns these errors.
	// OnError runs on the goroutine of OnCheckpoint.
	OnError func(error)

	// CloseTimeout bounds Close, including the Close of the next sink. Zero: 40 s.
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
