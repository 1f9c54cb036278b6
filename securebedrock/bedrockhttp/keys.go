package bedrockhttp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
)

// Key is what a caller of a Handler proves who it is with: a pair of an access key ID
// and a secret for SigV4, a bearer token, or both. A Key prints without its secrets.
type Key struct {
	// Name is the caller's name, which Subject puts into the record of its calls: an
	// identifier of at most 64 bytes.
	Name string

	// AccessKeyID and SecretAccessKey verify the caller's SigV4. They are the
	// Handler's own, and never those of AWS. AccessKeyID has 16 to 128 letters, digits
	// and underscores, SecretAccessKey at least 32 bytes.
	AccessKeyID, SecretAccessKey string

	// Bearer is a token for SDKs that send one, of at least 32 bytes. A request that
	// is heard and sent again cannot be told from a new one, as it can with SigV4.
	Bearer string

	// Models narrows the models of the client for this caller, as
	// securebedrock.WithModels does. Nil: all that the client permits. Operations that
	// name no model are not narrowed: a caller sees the asynchronous invocations of the
	// others.
	Models []string

	// Expires ends the key. Zero: never.
	Expires time.Time

	// fresh is set where this process has made the key: nobody can have signed with
	// the key before.
	fresh bool
}

// Forms of generated keys. No credential of AWS begins with these letters
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
const (
	idPrefix     = "SBRK"
	bearerPrefix = "sbrk-"
)

// NewKey returns a key of random secrets, with all of its fields but Models and
// Expires.
func NewKey(name string) Key {
	upper := base32.StdEncoding.WithPadding(base32.NoPadding)
	return Key{
		Name:            name,
		AccessKeyID:     idPrefix + upper.EncodeToString(random(10)), // 20 characters, as AWS's have
		SecretAccessKey: base64.RawURLEncoding.EncodeToString(random(30)),
		// Lower case: no part of the token looks like a token of another kind.
		Bearer: bearerPrefix + strings.ToLower(upper.EncodeToString(random(32))),
		fresh:  true,
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails (crypto/rand)
	return b
}

// Keys are the keys that open a door. They are safe for concurrent use. Handlers that
// have a key in common share one Keys: a signature that one of them has seen is then
// known to all.
type Keys struct {
	set  atomic.Pointer[keyset]
	seen seen
	now  func() time.Time
}

// keyset is one state of the keys, which is never changed once made.
type keyset struct {
	byID     map[string]*entry
	byBearer map[[sha256.Size]byte]*entry
}

// entry is a key in use.
type entry struct {
	Key
	secret *sigv4.Secret
	// since is when a key that another process may have used came here. What was
	// signed before may have been used before.
	since time.Time
}

// NewKeys returns the keys of a door, or all their faults, each of which wraps
// securebedrock.ErrConfig.
func NewKeys(keys ...Key) (*Keys, error) {
	k := &Keys{now: time.Now}
	if len(keys) == 0 {
		return nil, noKeys()
	}
	if err := k.Replace(keys...); err != nil {
		return nil, err
	}
	return k, nil
}

// Replace puts other keys in the place of those that k has, at once for all requests.
// A request of a key that is no longer there is refused, unless its call has begun.
// If the new keys have a fault, k keeps the old ones. Without a key, nobody enters.
func (k *Keys) Replace(keys ...Key) error {
	if err := keyFaults(keys); err != nil {
		return err
	}
	set := &keyset{byID: make(map[string]*entry, len(keys)), byBearer: make(map[[sha256.Size]byte]*entry, len(keys))}
	old := k.set.Load()
	for _, key := range keys {
		key.Models = slices.Clone(key.Models)
		e := &entry{Key: key}
		if key.AccessKeyID != "" {
			e.secret = sigv4.NewSecret(key.SecretAccessKey)
			switch known := old.find(key.AccessKeyID); {
			case known != nil && known.SecretAccessKey == key.SecretAccessKey:
				e.secret, e.since = known.secret, known.since
			case !key.fresh:
				e.since = k.clock()
			}
			set.byID[key.AccessKeyID] = e
		}
		if key.Bearer != "" {
			set.byBearer[sha256.Sum256([]byte(key.Bearer))] = e
		}
	}
	k.set.Store(set)
	return nil
}

// find returns the entry of an access key ID, nil if there is none.
func (s *keyset) find(accessKeyID string) *entry {
	if s == nil {
		return nil
	}
	return s.byID[accessKeyID]
}

// findBearer returns the entry of a bearer token, nil if there is none. The token is
// looked up by its hash: the time that takes tells nothing about other tokens.
func (s *keyset) findBearer(token string) *entry {
	if s == nil || token == "" {
		return nil
	}
	e := s.byBearer[sha256.Sum256([]byte(token))]
	if e == nil || subtle.ConstantTimeCompare([]byte(e.Bearer), []byte(token)) != 1 {
		return nil
	}
	return e
}

// current returns the entry that the key of an entry has now; nil where the key opens
// the door no more.
func (k *Keys) current(e *entry) *entry {
	set := k.set.Load()
	now := set.find(e.AccessKeyID)
	if e.AccessKeyID == "" {
		now = set.findBearer(e.Bearer)
	}
	if now == nil || now.SecretAccessKey != e.SecretAccessKey || now.Bearer != e.Bearer {
		return nil
	}
	return now
}

func (k *Keys) clock() time.Time {
	if k.now == nil {
		return time.Now()
	}
	return k.now()
}

func (k Key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }
