package audit

import (
	"crypto/ed25519"
	"fmt"
	"time"
)

// Link is a record's place in its chain.
type Link struct {
	// Stream names the chain: one for each process, or for a file that processes
	// continue one after the other.
	Stream string `json:"stream"`
	Seq    uint64 `json:"seq"`            // from 1 on
	Prev   string `json:"prev,omitempty"` // the MAC of the record before it
	KeyID  string `json:"key_id"`
	// Again counts the writes of the record before it that failed, so that it is
	// not known what they left: a copy of that record, its beginning, or a
	// KindSkipped beside it may stand there for each.
	Again int `json:"again,omitempty"`
	// Repeats: the sink may store a record more than once, see Repeater.
	Repeats bool `json:"repeats,omitempty"`
	// Unwritten and Last are of logs that versions before Again wrote: the records
	// just before this one whose write failed, which may be there or not, and the
	// MAC of the last one that was written.
	Unwritten int    `json:"unwritten,omitempty"`
	Last      string `json:"last,omitempty"`
}

// Skipped says that a record which its sink did not take has no place in the chain.
type Skipped struct {
	Kind Kind   `json:"kind"` // the record's
	MAC  string `json:"mac"`  // by which it is known, should it be there all the same
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

// signed is what a checkpoint's signature is over.
func (c *Checkpoint) signed() []byte {
	return fmt.Appendf(nil, "%s checkpoint\x00%s\x00%d\x00%s\x00%s\x00%t\x00%s", Schema, c.Stream, c.Seq, c.MAC,
		c.Time.UTC().Format(time.RFC3339Nano), c.Closing, c.Signer)
}

// Verify checks the signature.
func (c *Checkpoint) Verify(key ed25519.PublicKey) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, c.signed(), c.Signature)
}
