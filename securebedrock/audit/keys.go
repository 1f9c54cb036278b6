package audit

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Keys are the keys of a chained log. Verification needs MAC and Signers. Writing
// also needs Signer.
type Keys struct {
	// MAC holds all keys that the log may have been written with. Open writes with
	// the last one.
	MAC []Key
	// Signers holds the public keys that may have signed checkpoints, by ID. The
	// public key of Signer need not be in it.
	Signers map[string]ed25519.PublicKey
	// Signer signs checkpoints. Leave Signer out if a log is only verified: see
	// Keys.Verification.
	Signer Signer
}

// GenerateKeys makes one MAC key and one signer from crypto/rand. Their IDs begin
// with today's date in UTC.
//
// Keep the keys in a secrets manager (Encode, ParseKeys) or in a file of its own
// (Save, LoadKeys). A log whose keys are lost can never be verified.
func GenerateKeys() Keys { return Keys{}.Rotated() }

// Rotated returns k with a new MAC key and a new signer for later records. The
// result keeps the former MAC keys and public keys for the verification of older
// records.
func (k Keys) Rotated() Keys {
	id := make([]byte, 4)
	_, _ = rand.Read(id) // never fails
	name := time.Now().UTC().Format("2006-01-02-") + hex.EncodeToString(id)
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret)
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed)

	next := k.clone()
	next.MAC = append(next.MAC, Key{ID: name, Secret: secret})
	next.Signer = Signer{ID: name, Key: ed25519.NewKeyFromSeed(seed)}
	next.Signers[name] = next.Signer.public()
	return next
}

// Verification returns k without its private key. The result can verify a log and
// cannot sign a checkpoint. Its holder can still write records, since a MAC key
// both makes and checks MACs.
func (k Keys) Verification() Keys {
	public := k.clone()
	public.Signer = Signer{}
	return public
}

// clone shares nothing with k that can be written to. Its Signers has the signer.
func (k Keys) clone() Keys {
	c := Keys{Signers: maps.Clone(k.Signers), Signer: Signer{ID: k.Signer.ID, Key: slices.Clone(k.Signer.Key)}}
	if c.Signers == nil {
		c.Signers = map[string]ed25519.PublicKey{}
	}
	if public := k.Signer.public(); public != nil {
		c.Signers[k.Signer.ID] = public
	}
	for _, key := range k.MAC {
		c.MAC = append(c.MAC, key.clone())
	}
	return c
}

// signer is the public key of this ID, nil where there is none.
func (k Keys) signer(id string) ed25519.PublicKey {
	if public := k.Signers[id]; public != nil {
		return public
	}
	if id == k.Signer.ID {
		return k.Signer.public()
	}
	return nil
}

func (k Keys) byID() map[string]hash.Hash {
	m := make(map[string]hash.Hash, len(k.MAC))
	for _, key := range k.MAC {
		m[key.ID] = hmac.New(sha256.New, key.Secret)
	}
	return m
}

// check lists the faults of keys, for a log that is written or only verified.
func (k Keys) check(write bool) error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: audit: Keys: %s", securebedrock.ErrConfig, fmt.Sprintf(format, args...)))
	}
	if len(k.MAC) == 0 {
		fault("MAC: there is no key; GenerateKeys makes one")
	}
	seen := map[string]bool{}
	for i, key := range k.MAC {
		if msg := key.fault(); msg != "" {
			fault("MAC[%d]: %s", i, msg)
		} else if seen[key.ID] {
			fault("MAC[%d]: another key has the ID %q, too", i, key.ID)
		}
		seen[key.ID] = true
	}
	for id, public := range k.Signers {
		if !isKeyID(id) || len(public) != ed25519.PublicKeySize {
			fault("Signers[%q]: it needs an identifier of 1 to 64 bytes and an Ed25519 public key", word(id))
		}
	}
	switch own := k.Signer.public(); {
	case k.Signer.ID == "" && len(k.Signer.Key) == 0:
		if write {
			fault("Signer: there is none; only the keys that GenerateKeys made, and not those of Verification, can write a log")
		}
		if !write && len(k.Signers) == 0 {
			fault("Signers: there is no public key")
		}
	case !isKeyID(k.Signer.ID) || own == nil:
		fault("Signer: it needs an ID, an identifier of 1 to 64 bytes, and an Ed25519 private key")
	case k.Signers[k.Signer.ID] != nil && !own.Equal(k.Signers[k.Signer.ID]):
		fault("Signers[%q]: it is not the public key of Signer, which has the same ID", k.Signer.ID)
	}
	return errors.Join(faults...)
}

// String and GoString keep the secrets out of logs.
func (k Keys) String() string {
	return fmt.Sprintf("audit.Keys(%d MAC keys, %d signers)", len(k.MAC), len(k.Signers))
}

// GoString implements fmt.GoStringer.
func (k Keys) GoString() string { return k.String() }
