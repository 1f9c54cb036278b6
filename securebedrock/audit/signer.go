package audit

import (
	"crypto/ed25519"
	"slices"
)

// Signer signs checkpoints.
type Signer struct {
	ID  string
	Key ed25519.PrivateKey
}

// String and GoString keep the key out of logs.
func (s Signer) String() string { return "audit.Signer(" + s.ID + ")" }

// GoString implements fmt.GoStringer.
func (s Signer) GoString() string { return s.String() }

// public is nil where the signer has no whole private key.
func (s Signer) public() ed25519.PublicKey {
	if len(s.Key) != ed25519.PrivateKeySize {
		return nil
	}
	return ed25519.PublicKey(slices.Clone(s.Key[ed25519.PrivateKeySize-ed25519.PublicKeySize:]))
}
