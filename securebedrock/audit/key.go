package audit

import (
	"fmt"
	"slices"
)

// Key is a secret for HMAC-SHA-256.
type Key struct {
	ID     string // in every record that the key made; an identifier of at most 64 bytes
	Secret []byte // at least 32 bytes, from crypto/rand
}

func (k Key) clone() Key { return Key{ID: k.ID, Secret: slices.Clone(k.Secret)} }

// String and GoString keep the secret out of logs.
func (k Key) String() string { return "audit.Key(" + k.ID + ")" }

// GoString implements fmt.GoStringer.
func (k Key) GoString() string { return k.String() }

func (k Key) fault() string {
	switch {
	case !isKeyID(k.ID):
		return "its ID is not an identifier of 1 to 64 bytes"
	case len(k.Secret) < 32:
		return fmt.Sprintf("its Secret has %d bytes; at least 32 are needed", len(k.Secret))
	}
	return ""
}

func isKeyID(id string) bool { return id != "" && len(id) <= 64 && word(id) == id }
