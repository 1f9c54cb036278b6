package bedrocktest

import (
	"encoding/base32"
	"encoding/base64"
	"sync"
	"time"
)

// The long-term credentials are those of AWS's documentation, so that no
// scanner and no reader takes them for real ones.
const (
	testAccessKeyID     = "AKIAIOSFODNN7EXAMPLE"
	testSecretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// key is one pair of credentials that the server knows.
type key struct {
	secret  string
	token   string    // of a session
	expires time.Time // of a session
	arn     string    // who signs with it
	userID  string
}

func (k key) expired(now time.Time) bool { return !k.expires.IsZero() && !now.Before(k.expires) }

// keyring holds the test credentials and the sessions issued.
type keyring struct {
	lifetime time.Duration // of a session; zero: what is asked for

	mu   sync.Mutex
	keys map[string]key
}

// newKeyring returns a keyring that holds the test credentials. Every session lasts
// for lifetime, or for what is asked for where lifetime is zero.
func newKeyring(lifetime time.Duration) *keyring {
	return &keyring{lifetime: lifetime, keys: map[string]key{testAccessKeyID: {
		secret: testSecretAccessKey,
		arn:    "arn:aws:iam::" + accountID + ":user/bedrocktest",
		userID: "AIDAIOSFODNN7EXAMPLE",
	}}}
}

func (k *keyring) find(accessKeyID string) (key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.keys[accessKeyID]
	return found, ok
}

// issue makes a session's credentials and returns them with their key ID.
func (k *keyring) issue(arn, userID string, duration time.Duration) (string, key) {
	if k.lifetime > 0 {
		duration = k.lifetime
	}
	id := "ASIA" + base32.StdEncoding.EncodeToString(random(10))
	session := key{
		secret:  base64.StdEncoding.EncodeToString(random(30)),
		token:   base64.StdEncoding.EncodeToString(random(96)),
		expires: time.Now().Add(duration + time.Second - 1).UTC().Truncate(time.Second), // STS tells whole seconds
		arn:     arn,
		userID:  userID,
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[id] = session
	return id, session
}

// expireSessions ends every session that has been issued.
func (k *keyring) expireSessions() {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	for id, session := range k.keys {
		if session.token != "" {
			session.expires = now
			k.keys[id] = session
		}
	}
}
