package audit

import (
	"errors"
)

// Tail is the end of a chained log, for ChainOptions.Resume.
type Tail struct {
	Stream string // empty: there is no record yet
	Seq    uint64
	MAC    string
	Closed bool // the last record is a closing checkpoint
	// TornBytes and TornSHA256 describe what stands after the last whole record:
	// the lines at which processes died. These lines stay in the log, and the
	// chain's next record vouches for them.
	TornBytes  int
	TornSHA256 string
	// Again counts the failed writes of the last record that left something before
	// it, see Link.Again.
	Again int

	size int64 // of the log; zero: not known
}

// ErrTampered is the error for a log whose end is not one that a dying process
// leaves.
var ErrTampered = errors.New("audit: the log's end is damaged")
