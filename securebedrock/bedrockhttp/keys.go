package bedrockhttp

import (
	"crypto/sha256"
	"sync/atomic"
	"time"
)

// Key is what a caller of the door proves who it is with: a pair of an access key ID
// and a secret for SigV4, a bearer token, or both. A Key prints without its secrets.
type Key struct {
	// Name is the caller's name in the record of its calls. It is an identifier of at
	// most 64 bytes.
	Name string

	// AccessKeyID and SecretAccessKey verify the caller's SigV4. The door never passes
	// them on.
	AccessKeyID, SecretAccessKey string

	// Bearer is a token for SDKs that send one.
	Bearer string

	// Models narrows the models of the client for this caller. Nil: all that the
	// client permits.
	Models []string

	// Expires ends the key. Zero: never.
	Expires time.Time
}

// Keys are the keys that open a door. They are safe for concurrent use.
type Keys struct {
	set atomic.Pointer[keyset]
}

// keyset is one state of the keys, which is never changed once made.
type keyset struct {
	byID     map[string]*Key
	byBearer map[[sha256.Size]byte]*Key
}

// NewKey returns a key of random secrets.
func NewKey(name string) Key { return Key{Name: name} }

// NewKeys returns the keys of a door.
func NewKeys(keys ...Key) (*Keys, error) {
	k := &Keys{}
	return k, k.Replace(keys...)
}

// Replace puts other keys in the place of those that k has, at once for all requests.
// If the new keys have a fault, k keeps the old ones.
func (k *Keys) Replace(keys ...Key) error {
	set := &keyset{byID: map[string]*Key{}, byBearer: map[[sha256.Size]byte]*Key{}}
	for _, key := range keys {
		if key.AccessKeyID != "" {
			set.byID[key.AccessKeyID] = &key
		}
		if key.Bearer != "" {
			set.byBearer[sha256.Sum256([]byte(key.Bearer))] = &key
		}
	}
	k.set.Store(set)
	return nil
}
