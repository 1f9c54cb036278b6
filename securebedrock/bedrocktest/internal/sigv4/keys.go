package sigv4

import (
	"encoding/base32"
	"encoding/base64"
	"sync"
	"time"

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

func (k Key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// Keyring holds the test credentials and the sessions that have been issued.
type Keyring struct {
	lifetime time.Duration // of a session; zero: as requested

	mu   sync.Mutex
	keys map[string]Key
}

// NewKeyring returns a keyring with the test credentials. Every session lasts for
// lifetime, or as long as requested if lifetime is zero.
func NewKeyring(lifetime time.Duration) *Keyring {
	return &Keyring{lifetime: lifetime, keys: map[string]Key{AccessKeyID: {
		Secret: SecretAccessKey,
		ARN:    "arn:aws:iam::" + ids.Account + ":user/bedrocktest",
		UserID: "AIDAIOSFODNN7EXAMPLE",
	}}}
}

func (k *Keyring) find(accessKeyID string) (Key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.keys[accessKeyID]
	return found, ok
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
