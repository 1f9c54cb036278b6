package audit

import (
	"crypto/ed25519"
	"fmt"
	"time"
)

// Link is the place of a record in its chain.
type Link struct {
	// Stream is the name of the chain. A chain belongs to one process, or to a file that
	// processes continue one after the other.
	Stream string `json:"stream"`
	Seq    uint64 `json:"seq"`            // counted from 1
	Prev   string `json:"prev,omitempty"` // the MAC of the record before it
	KeyID  string `json:"key_id"`
	// Again counts the failed writes of the record before this one whose effect is
	// unknown. Each of them may have left a copy of that record, the beginning of
	// that record, or a KindSkipped beside it.
	Again int `json:"again,omitempty"`
	// Repeats: the sink may store a record more than once, see Repeater.
	Repeats bool `json:"repeats,omitempty"`
	// Unwritten and Last are in logs of versions before Again. Unwritten counts the
	// records just before this one whose write failed; they may be in the log or
	// not. Last is the MAC of the last record that was written.
	Unwritten int    `json:"unwritten,omitempty"`
	Last      string `json:"last,omitempty"`
}

// Skipped says that a record has no place in the chain, because the sink did not
// take the record.
type Skipped struct {
	Kind Kind   `json:"kind"` // the kind of the skipped record
	MAC  string `json:"mac"`  // identifies the skipped record if the log holds it after all
}

// Resumed says that a chain continues after a restart.
type Resumed struct {
	// Closed: the chain had been closed properly.
	Closed bool `json:"closed"`
	// TornBytes and TornSHA256 describe the last line if it was not whole. That
	// line stays in the log.
	TornBytes  int    `json:"torn_bytes,omitempty"`
	TornSHA256 string `json:"torn_sha256,omitempty"`
}

// Checkpoint is a signature over a chain up to the record before it.
type Checkpoint struct {
	Stream    string    `json:"stream"`
	Seq       uint64    `json:"seq"` // of the record before the checkpoint
	MAC       string    `json:"mac"` // of that record
	Time      time.Time `json:"time"`
	Closing   bool      `json:"closing,omitempty"` // the chain was closed here
	Signer    string    `json:"signer"`            // ID of the Ed25519 key
	Signature []byte    `json:"signature"`
}

// signed returns the bytes that the signature covers.
func (c *Checkpoint) signed() []byte {
	return fmt.Appendf(nil, "%s checkpoint\x00%s\x00%d\x00%s\x00%s\x00%t\x00%s", Schema, c.Stream, c.Seq, c.MAC,
		c.Time.UTC().Format(time.RFC3339Nano), c.Closing, c.Signer)
}

// Verify checks the signature.
func (c *Checkpoint) Verify(key ed25519.PublicKey) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, c.signed(), c.Signature)
}
