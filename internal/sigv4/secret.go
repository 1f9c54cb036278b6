package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync"
)

// maxDerived bounds the signing keys that a Secret keeps: a few regions, and the days
// on both sides of midnight.
const maxDerived = 64

// Secret is the secret of an access key. It keeps the signing keys that verified a
// request. It is safe for concurrent use.
type Secret struct {
	secret string

	mu      sync.RWMutex
	derived map[scope][]byte
}

// scope is what a signing key is derived for.
type scope struct{ date, region, service string }

// NewSecret returns the Secret of a secret access key.
func NewSecret(secretAccessKey string) *Secret { return &Secret{secret: secretAccessKey} }

// String keeps the secret out of logs.
func (s *Secret) String() string { return "sigv4.Secret" }

// GoString implements fmt.GoStringer.
func (s *Secret) GoString() string { return s.String() }

func (s *Secret) signingKey(sc scope) (key []byte, kept bool) {
	s.mu.RLock()
	key, kept = s.derived[sc]
	s.mu.RUnlock()
	if kept {
		return key, true
	}
	key = []byte("AWS4" + s.secret)
	for _, part := range []string{sc.date, sc.region, sc.service, terminal} {
		key = mac(key, []byte(part))
	}
	return key, false
}

// keep remembers a signing key that has verified a request. What a request without the
// secret names is never kept.
func (s *Secret) keep(sc scope, key []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.derived == nil || len(s.derived) >= maxDerived {
		s.derived = make(map[scope][]byte, 4)
	}
	s.derived[sc] = key
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}
