package audit

// Verifier is Verify with settings. The zero value of a setting gives the behaviour
// of Verify.
type Verifier struct {
	Keys Keys
	// Open is for a log that is still being written, or whose processes end without
	// Close, as in Lambda. A chain without its closing checkpoint and a torn last
	// line are then notes and not findings.
	Open bool
	// Expect lists all checkpoints that were kept elsewhere. The log must hold
	// these checkpoints and their records. Two different checkpoints of one place
	// show that the log was cut back and continued from there.
	Expect []Checkpoint
	// After is the end of an earlier part of the log that this part continues. Read
	// After with ReadTail, and verify the earlier part first. Expected checkpoints
	// of the earlier part are ignored.
	After *Tail
	// Streams lists the names of the log's chains (Chained.Stream). The log may
	// hold only the chains that Streams, Expect and After name, and must hold each
	// chain of Streams. If none of them names a chain, the log may hold only the
	// chain of its first record.
	Streams []string
	// AnyStream lets the log hold chains that nothing names. Somebody who can write
	// to the log can then insert another log with the same keys, and Verify does
	// not report this.
	AnyStream bool
}
