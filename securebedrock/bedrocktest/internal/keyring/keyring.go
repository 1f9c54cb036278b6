// Package keyring holds the credentials that the server knows.
package keyring

import (
	"encoding/base32"
	"encoding/base64"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
)

// The long-term credentials are those of AWS's documentation. No scanner and no reader
// takes them for real ones.
const (
	AccessKeyID     = "AKIAIOSFODNN7EXAMPLE"
	SecretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// Key is the secret part of a pair of credentials, and its owner.
type Key struct {
	Secret  string
	Token   string    // of a session
	Expires time.Time // of a session
	ARN     string    // of the principal that signs with the key
	UserID  string
}

// Keyring holds the test credentials and the sessions that have been issued.
type Keyring struct {
	lifetime time.Duration // of a session; zero: as requested

	mu   sync.Mutex
	keys map[string]Key
}

// New returns a keyring with the test credentials. Every session lasts for
// lifetime, or as long as requested if lifetime is zero.
func New(lifetime time.Duration) *Keyring {
	return &Keyring{lifetime: lifetime, keys: map[string]Key{AccessKeyID: {
		Secret: SecretAccessKey,
		ARN:    "arn:aws:iam::" + ids.Account + ":user/bedrocktest",
		UserID: "AIDAIOSFODNN7EXAMPLE",
	}}}
}

// Find returns what verifies the signatures of an access key.
func (k *Keyring) Find(accessKeyID string) (sigv4.Credentials, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.keys[accessKeyID]
	return sigv4.Credentials{Secret: found.Secret, Token: found.Token, Expires: found.Expires}, ok
}

// Key returns the key of an access key ID, the zero Key if there is none.
func (k *Keyring) Key(accessKeyID string) Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys[accessKeyID]
}

// Issue makes a session's credentials and returns them with their access key ID.
func (k *Keyring) Issue(arn, userID string, duration time.Duration) (string, Key) {
	if k.lifetime > 0 {
		duration = k.lifetime
	}
	id := "ASIA" + base32.StdEncoding.EncodeToString(ids.Random(10))
	session := Key{
		Secret:  base64.StdEncoding.EncodeToString(ids.Random(30)),
		Token:   base64.StdEncoding.EncodeToString(ids.Random(96)),
		Expires: time.Now().Add(duration + time.Second - 1).UTC().Truncate(time.Second), // STS returns whole seconds
		ARN:     arn,
		UserID:  userID,
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[id] = session
	return id, session
}

// ExpireSessions ends every session that has been issued.
func (k *Keyring) ExpireSessions() {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	for id, session := range k.keys {
		if session.Token != "" {
			session.Expires = now
			k.keys[id] = session
		}
	}
}
