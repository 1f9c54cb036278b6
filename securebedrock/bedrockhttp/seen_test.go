package bedrockhttp

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
)

// signatureOf makes a signature of a number.
func signatureOf(n int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return sum[:]
}

// A signature passes for three seconds from its first arrival, and then no more for as
// long as its date passes.
func TestSeen(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	for _, row := range []struct {
		name   string
		dated  time.Duration // the signature's date, from its first arrival
		after  time.Duration // when it comes again
		passes bool
	}{
		{"at once", 0, 0, true},
		{"within the second of the signer", 0, time.Second, true},
		{"after three seconds", 0, sameSecond, true},
		{"later", 0, sameSecond + time.Millisecond, false},
		{"after a minute", 0, time.Minute, false},
		{"at the end of its date", 0, sigv4.MaxSkew, false},
		{"of a clock that is ahead, at the end of its date", sigv4.MaxSkew, 2 * sigv4.MaxSkew, false},
		{"of a clock that is behind", -sigv4.MaxSkew + time.Minute, time.Minute, false},
	} {
		var s seen
		if !s.note("k", signatureOf(1), start.Add(row.dated), start) {
			t.Fatalf("%s: the first is refused", row.name)
		}
		for n := range 50 { // of other requests on the way
			s.note("k", signatureOf(10+n), start.Add(row.dated), start.Add(row.after*time.Duration(n)/50))
		}
		if got := s.note("k", signatureOf(1), start.Add(row.dated), start.Add(row.after)); got != row.passes {
			t.Errorf("%s: passes %v", row.name, got)
		}
		if got := s.check("k", signatureOf(1), start.Add(row.dated), start.Add(row.after)); got != row.passes {
			t.Errorf("%s: check says %v", row.name, got)
		}
		if !s.note("other", signatureOf(1), start.Add(row.dated), start.Add(row.after)) {
			t.Errorf("%s: another key is refused", row.name)
		}
	}
}

// However many signatures come: no more than the bound are held, none passes twice, the
// key that floods pays with its own window, and another key is not affected.
func TestSeenIsBounded(t *testing.T) {
	s := seen{max: 1000}
	now := time.Unix(1_800_000_000, 0)
	dates := map[int]time.Time{}
	quiet := 0
	for n := range 20_000 {
		now = now.Add(10 * time.Millisecond)
		dates[n] = now.Truncate(time.Second)
		if !s.note("flood", signatureOf(n), dates[n], now) {
			t.Fatalf("request %d, dated now, is refused", n)
		}
		if n%500 == 0 {
			quiet++
			if !s.note("quiet", signatureOf(-n-1), dates[n], now) {
				t.Fatal("the other key is refused")
			}
		}
		if s.total > s.max {
			t.Fatalf("%d signatures are held", s.total)
		}
	}
	for n := range 19_600 { // older than three seconds
		if s.note("flood", signatureOf(n), dates[n], now) {
			t.Fatalf("signature %d passes again", n)
		}
	}
	if n := s.keys["quiet"].count; n != quiet || s.keys["quiet"].floor != 0 {
		t.Errorf("the other key has %d signatures, want %d", n, quiet)
	}
	now = now.Add(2 * sigv4.MaxSkew)
	s.note("last", signatureOf(0), now, now)
	if s.total != 1 || len(s.keys) != 1 {
		t.Errorf("%d signatures of %d keys are held after their time", s.total, len(s.keys))
	}
}

// More signatures of one second than the bound: the second is refused, and the next
// one passes.
func TestSeenOfOneSecond(t *testing.T) {
	s := seen{max: 10}
	now := time.Unix(1_800_000_000, 0)
	refused := 0
	for n := range 100 {
		if !s.note("k", signatureOf(n), now, now) {
			refused++
		}
	}
	if refused == 0 || s.total > 10 {
		t.Errorf("%d refused, %d held", refused, s.total)
	}
	if !s.note("k", signatureOf(1000), now.Add(time.Second), now.Add(time.Second)) {
		t.Error("the next second is refused")
	}
}

// Of many equal requests at one time after the three seconds, none passes.
func TestSeenAtOneTime(t *testing.T) {
	var s seen
	now := time.Unix(1_800_000_000, 0)
	s.note("k", signatureOf(1), now, now)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if s.note("k", signatureOf(1), now, now.Add(4*time.Second)) {
				t.Error("a replay passes")
			}
			for range 100 {
				n := rand.Int()
				if !s.note(fmt.Sprint(n%3), signatureOf(n), now, now) {
					t.Error("a new signature is refused")
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkSeen(b *testing.B) {
	var s seen
	now := time.Unix(1_800_000_000, 0)
	for n := range b.N {
		s.note("k", signatureOf(n), now, now)
		now = now.Add(100 * time.Microsecond)
	}
}
