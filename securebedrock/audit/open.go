package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// OpenOptions are the options of Open and Continue. The zero value syncs each
// record and keeps checkpoints in a second file beside the log.
type OpenOptions struct {
	// File sets when records reach the disk. Zero: each record before its Write
	// returns. Continue ignores File.
	File FileOptions

	// Every is the number of records between two checkpoints. Zero: 1000.
	Every int

	// Interval is the longest time between a record and the checkpoint after it.
	// Zero: 1 minute.
	Interval time.Duration

	// Checkpoints is the path of the file that keeps the checkpoints. Empty: the
	// log's path with ".checkpoints". Continue requires Checkpoints or
	// OnCheckpoint.
	//
	// A file beside the log reveals a log that was cut back by mistake, or by
	// somebody who can write only to the log. Somebody who can write to both files
	// can cut both back.
	Checkpoints string

	// OnCheckpoint receives each checkpoint too: see ChainOptions.OnCheckpoint.
	OnCheckpoint func(Checkpoint)
}

// Log is a chained log: a Sink for Middleware. See Open. It is safe for concurrent
// use.
type Log struct {
	chain *Chained
	sink  TailSink
	kept  *keeper // nil: checkpoints are only handed on
}

// TailSink is a Sink whose log can be continued. FileSink and rotatefile.Sink
// implement TailSink.
type TailSink interface {
	Sink
	// Tail reads the end of the log.
	Tail(keys Keys) (*Tail, error)
}

// Open opens the chained log at path, and creates it where there is none: a File, a
// Chain that continues the one in the file, and a second file with the checkpoints.
//
//	keys, err := audit.LoadKeys("keys.json") // audit.GenerateKeys().Save("keys.json"), once
//	log, err := audit.Open("audit.log", keys, audit.OpenOptions{})
//	record, err := audit.Middleware(log, audit.Options{Application: "claims"})
//	…
//	err = log.Close() // after Client.Shutdown
//	report, err := audit.VerifyFile("audit.log", keys)
//
// Open refuses, with ErrTampered, a log whose end is damaged and one that ends
// before its last kept checkpoint. Keep both files then, verify them, and begin a
// log at another path. The error wraps securebedrock.ErrConfig where keys or
// options have faults.
func Open(path string, keys Keys, opts OpenOptions) (*Log, error) {
	if opts.Checkpoints == "" {
		opts.Checkpoints = checkpointsOf(path)
	}
	if err := opts.check(keys); err != nil {
		return nil, err
	}
	if opts.Checkpoints == path {
		return nil, fmt.Errorf("%w: audit: OpenOptions.Checkpoints: it is the log's own path; give it another, or none", securebedrock.ErrConfig)
	}
	file, err := File(path, opts.File)
	if err != nil {
		return nil, err
	}
	return continued(file, keys, opts)
}

// Continue is Open for a sink other than a File. If Continue fails, it closes the
// sink.
func Continue(sink TailSink, keys Keys, opts OpenOptions) (*Log, error) {
	if sink == nil {
		return nil, fmt.Errorf("%w: audit: Continue: no sink is given", securebedrock.ErrConfig)
	}
	err := opts.check(keys)
	if opts.Checkpoints == "" && opts.OnCheckpoint == nil {
		err = errors.Join(err, fmt.Errorf("%w: audit: OpenOptions.Checkpoints: no file is named and OnCheckpoint is nil; "+
			"without kept checkpoints nobody can tell a log that was cut back", securebedrock.ErrConfig))
	}
	if err != nil {
		return nil, errors.Join(err, Close(sink))
	}
	return continued(sink, keys, opts)
}

// continued is Continue with keys and options that were checked.
func continued(sink TailSink, keys Keys, opts OpenOptions) (*Log, error) {
	l := &Log{sink: sink}
	fail := func(err error) (*Log, error) {
		if l.kept != nil {
			err = errors.Join(err, l.kept.close())
		}
		return nil, errors.Join(err, Close(sink))
	}
	keys = keys.clone()
	tail, err := sink.Tail(keys)
	if err != nil {
		return fail(err)
	}
	if opts.Checkpoints != "" {
		var kept []Checkpoint
		if l.kept, kept, err = openKeeper(opts.Checkpoints); err != nil {
			return fail(err)
		}
		if err := cutBack(tail, kept, keys); err != nil {
			return fail(err)
		}
	}
	l.chain, err = Chain(sink, ChainOptions{
		Key: keys.MAC[len(keys.MAC)-1], Signer: keys.Signer, Every: opts.Every, Interval: opts.Interval,
		Resume: tail, OnCheckpoint: l.hand(opts.OnCheckpoint),
	})
	if err != nil {
		return fail(err)
	}
	return l, nil
}

func (o *OpenOptions) check(keys Keys) error {
	errs := []error{keys.check(true)}
	checkPace(o.Every, o.Interval, func(field, detail string) {
		errs = append(errs, fmt.Errorf("%w: audit: OpenOptions.%s: %s", securebedrock.ErrConfig, field, detail))
	})
	return errors.Join(errs...)
}

// cutBack returns ErrTampered if the log ends before the record of a kept
// checkpoint. Forks further up are left to Verify.
func cutBack(tail *Tail, kept []Checkpoint, keys Keys) error {
	const remedy = "keep both files, verify them, and begin another log with checkpoints of its own"
	if len(kept) == 0 {
		return nil
	}
	last := kept[len(kept)-1]
	switch {
	case !last.Verify(keys.signer(last.Signer)):
		return fmt.Errorf("%w: the last kept checkpoint is not signed by one of the signers; %s", ErrTampered, remedy)
	case tail.Stream != last.Stream:
		return fmt.Errorf("%w: the last kept checkpoint is of another chain; %s", ErrTampered, remedy)
	case tail.Seq < last.Seq || tail.Seq == last.Seq && tail.MAC != last.MAC:
		return fmt.Errorf("%w: the log ends at record %d, and a kept checkpoint speaks of record %d; %s", ErrTampered, tail.Seq, last.Seq, remedy)
	}
	return nil
}

// hand keeps a checkpoint and passes it on. A checkpoint that cannot be kept is
// kept with the next checkpoint; Flush and Close return the error.
func (l *Log) hand(on func(Checkpoint)) func(Checkpoint) {
	return func(cp Checkpoint) {
		if l.kept != nil {
			// What the checkpoint speaks of must reach the disk before the checkpoint, or
			// a power failure looks like a log that was cut back.
			ctx, cancel := context.WithTimeout(context.Background(), defaultWriteTimeout)
			err := Flush(ctx, l.sink)
			cancel()
			if err == nil || errors.Is(err, ErrClosed) { // a File that is closed is synced
				_ = l.kept.keep(cp)
			}
		}
		if on != nil {
			on(cp)
		}
	}
}

// Write implements Sink.
func (l *Log) Write(ctx context.Context, r *Record) error { return l.chain.Write(ctx, r) }

// Checkpoint writes a checkpoint now.
func (l *Log) Checkpoint(ctx context.Context) error {
	return errors.Join(l.chain.Checkpoint(ctx), l.keepRest())
}

// Flush implements Flusher. Flush writes a checkpoint if there are records after
// the last checkpoint, and syncs the file. Flush fails if checkpoints could not be
// kept.
func (l *Log) Flush(ctx context.Context) error {
	return errors.Join(l.chain.Flush(ctx), l.keepRest())
}

func (l *Log) keepRest() error {
	if l.kept == nil {
		return nil
	}
	return l.kept.keep()
}

// Stream is the chain's name, for Verifier.
func (l *Log) Stream() string { return l.chain.Stream() }

// Reopen opens the log's path again after another program has rotated the log by
// renaming the file. Reopen fails if the sink has no Reopen method.
func (l *Log) Reopen() error {
	if r, ok := l.sink.(interface{ Reopen() error }); ok {
		return r.Reopen()
	}
	return errors.New("audit: this log's sink rotates by itself, or cannot be opened anew")
}

// Rotate changes the keys for later records: the last MAC key of keys makes the
// MACs, and the signer of keys signs. Keep all former keys for verification: see
// Keys.Rotated.
func (l *Log) Rotate(keys Keys) error {
	if err := keys.check(true); err != nil {
		return err
	}
	keys = keys.clone()
	l.chain.rotate(keys.MAC[len(keys.MAC)-1], &keys.Signer)
	return nil
}

// Close writes the closing checkpoint, keeps it, and closes the files. Call Close
// after Client.Shutdown, when no call is in flight. If the closing checkpoint
// cannot be written, the files stay open and Close can be called again.
func (l *Log) Close() error {
	err := l.chain.Close()
	if l.kept != nil && (err == nil || l.chain.over()) {
		err = errors.Join(err, l.kept.close())
	}
	return err
}

func checkpointsOf(path string) string { return path + ".checkpoints" }

// VerifyFile verifies the log that Open writes at path, with the checkpoints kept
// beside it. For a log in another place or with other checkpoints use Verifier.
func VerifyFile(path string, keys Keys) (*Report, error) {
	return (&Verifier{Keys: keys}).VerifyFile(path)
}

// VerifyFile is VerifyFile with the Verifier's settings. The log must also hold the
// checkpoints of Expect.
func (v *Verifier) VerifyFile(path string) (*Report, error) {
	kept, err := os.Open(checkpointsOf(path))
	if err != nil {
		return nil, fmt.Errorf("audit: the log's checkpoints: %w; Verify reads a log without them", err)
	}
	defer kept.Close()
	expect, err := ReadCheckpoints(kept)
	if err != nil {
		return nil, err
	}
	log, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer log.Close()
	own := *v
	own.Expect = append(expect, v.Expect...)
	return own.Verify(log)
}
