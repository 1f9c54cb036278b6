package audit

// Verifier is Verify with settings.
type Verifier struct {
	Keys Keys
	// Open: the log is still being written to, or its processes are ended without
	// Close, as Lambda does; a chain without its closing checkpoint, and a torn last
	// line, are then notes.
	Open bool
	// Expect are checkpoints that were kept elsewhere, all of them. The records that
	// they speak of and the checkpoints themselves must be there. Two of one place
	// that differ show that the log was cut back and went on from there.
	Expect []Checkpoint
	// After is the end of an earlier part of the log, read by ReadTail and verified
	// already, that this part continues. Expected checkpoints of that part are passed
	// over.
	After *Tail
	// Streams are the names of the log's chains (Chained.Stream). Each must be there,
	// and no other, nor one that neither Expect nor After names. None: the chains
	// that Expect and After name, and where they name none, that of the log's first
	// record.
	Streams []string
	// AnyStream lets the log hold chains that nothing names. One who can write to the
	// log can then insert another log of the same keys unseen.
	AnyStream bool
}
