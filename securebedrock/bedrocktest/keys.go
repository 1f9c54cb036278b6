package bedrocktest

import (
	"crypto/rand"
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
	accountID           = "123456789012"
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

func (k *keyring) init(lifetime time.Duration) {
	k.lifetime = lifetime
	k.keys = map[string]key{testAccessKeyID: {
		secret: testSecretAccessKey,
		arn:    "arn:aws:iam::" + accountID + ":user/bedrocktest",
		userID: "AIDAIOSFODNN7EXAMPLE",
	}}
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

// ExpireSessions ends every session that the server's STS has issued: requests
// signed with one are refused from now on. What the client was told of the
// session's end stays as it was.
func (s *Server) ExpireSessions() {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	now := time.Now()
	for id, session := range s.keys.keys {
		if session.token != "" {
			session.expires = now
			s.keys.keys[id] = session
		}
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	// crypto/rand.Read never fails.
	_, _ = rand.Read(b)
	return b
}
