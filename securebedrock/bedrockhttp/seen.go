package bedrockhttp

import (
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
)

const (
	// sameSecond is how long an equal signature passes after its first arrival. SDKs
	// sign by the second: two equal requests of one second have equal signatures.
	sameSecond = 3 * time.Second

	// maxSeen bounds the signatures that are remembered, at about 50 bytes each.
	maxSeen = 1 << 19
)

// digest is the first half of a signature, which tells signatures apart.
type digest [16]byte

// seen remembers the signatures that have been used, for as long as their dates pass.
// The signatures are held by the key and by the second of their dates. Where there are
// too many, the key that has the most forgets its oldest second, and whatever that key
// has signed until then is refused: the key's window becomes shorter than AWS's five
// minutes, no signature passes twice, and the requests of other keys are not affected.
type seen struct {
	mu    sync.Mutex
	keys  map[string]*seenKey // by access key ID
	total int
	swept int64 // the second of the last sweep
	max   int   // zero: maxSeen
}

type seenKey struct {
	seconds map[int64]map[digest]int64 // when each signature first arrived, in Unix nanoseconds
	count   int
	floor   int64 // what was signed before this second is refused
}

// note remembers a signature, and reports whether it may be used.
func (s *seen) note(id string, signature []byte, signed, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	if s.used(id, signature, signed, now) {
		return false
	}
	k := s.keys[id]
	if k == nil {
		k = &seenKey{seconds: map[int64]map[digest]int64{}}
		if s.keys == nil {
			s.keys = map[string]*seenKey{}
		}
		s.keys[id] = k
	}
	at, d := signed.Unix(), digest(signature)
	if _, again := k.seconds[at][d]; again {
		return true
	}
	if k.seconds[at] == nil {
		k.seconds[at] = map[digest]int64{}
	}
	k.seconds[at][d] = now.UnixNano()
	k.count++
	s.total++
	for s.total > s.limit() {
		s.forget()
	}
	return true
}

// check reports whether a signature may be used, without remembering it.
func (s *seen) check(id string, signature []byte, signed, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.used(id, signature, signed, now)
}

// used reports whether a signature was used before, or is too old to tell.
func (s *seen) used(id string, signature []byte, signed, now time.Time) bool {
	k := s.keys[id]
	if k == nil {
		return false
	}
	if signed.Unix() < k.floor {
		return true
	}
	first, ok := k.seconds[signed.Unix()][digest(signature)]
	return ok && now.Sub(time.Unix(0, first)).Abs() > sameSecond // whichever way the clock was set
}

// sweep forgets, once a second, what the date alone refuses.
func (s *seen) sweep(now time.Time) {
	if now.Unix() == s.swept {
		return
	}
	s.swept = now.Unix()
	oldest := now.Add(-sigv4.MaxSkew).Unix() // a signature of this second may still pass
	for id, k := range s.keys {
		for at := range k.seconds {
			if at < oldest {
				s.drop(k, at)
			}
		}
		if k.count == 0 && k.floor <= oldest {
			delete(s.keys, id)
		}
	}
}

// forget drops the oldest second of the key that has the most signatures.
func (s *seen) forget() {
	var most *seenKey
	for _, k := range s.keys {
		if most == nil || k.count > most.count {
			most = k
		}
	}
	if most == nil || most.count == 0 {
		return
	}
	oldest, first := int64(0), true
	for at := range most.seconds {
		if first || at < oldest {
			oldest, first = at, false
		}
	}
	s.drop(most, oldest)
	most.floor = oldest + 1
}

func (s *seen) drop(k *seenKey, at int64) {
	n := len(k.seconds[at])
	delete(k.seconds, at)
	k.count -= n
	s.total -= n
}

func (s *seen) limit() int {
	if s.max > 0 {
		return s.max
	}
	return maxSeen
}
