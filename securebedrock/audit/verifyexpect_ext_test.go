package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// sessions is a log whose processes come one after the other, and whose checkpoints
// are all kept.
type sessions struct {
	t    *testing.T
	path string
	mu   sync.Mutex
	kept []audit.Checkpoint
}

func newSessions(t *testing.T) *sessions {
	return &sessions{t: t, path: filepath.Join(t.TempDir(), "audit.log")}
}

func (s *sessions) run(from, to int, close bool) []byte {
	s.t.Helper()
	f, c := resumed(s.t, s.path, func(o *audit.ChainOptions) {
		o.Every = 4
		o.OnCheckpoint = func(cp audit.Checkpoint) { s.mu.Lock(); defer s.mu.Unlock(); s.kept = append(s.kept, cp) }
	})
	write(s.t, c, from, to)
	if close {
		if err := c.Close(); err != nil {
			s.t.Fatal(err)
		}
	} else {
		_ = c.Flush(s.t.Context())
		f.Close()
	}
	return s.log()
}

func (s *sessions) log() []byte {
	b, err := os.ReadFile(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *sessions) put(log []byte) {
	if err := os.WriteFile(s.path, log, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sessions) verify(log []byte) *audit.Report {
	s.t.Helper()
	r, err := (&audit.Verifier{Keys: keys(key1), Expect: s.kept}).Verify(bytes.NewReader(log))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func has(r *audit.Report, kind audit.FindingKind) bool {
	return slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Kind == kind })
}

// A log that was cut back and went on shows by the checkpoints that were kept, however
// many came after.
func TestCutBackLogIsAFork(t *testing.T) {
	for _, row := range []struct {
		name  string
		close bool            // the sessions were closed
		to    func(n int) int // of the first session's lines
		after []int           // records of the sessions after the cut
	}{
		{"to the first session's end, and one session more", true, func(n int) int { return n }, []int{37}},
		{"to the first session's end, and several sessions", true, func(n int) int { return n }, []int{3, 3, 40, 2}},
		{"to the first session's end, and as many records", true, func(n int) int { return n }, []int{10}},
		{"to an open session's end", false, func(n int) int { return n }, []int{20, 20}},
		{"into the first session", true, func(n int) int { return n - 4 }, []int{20}},
		{"before a closing checkpoint", true, func(n int) int { return n - 1 }, []int{20}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSessions(t)
			first := s.run(0, 10, row.close)
			second := s.run(10, 20, row.close)
			whole := s.run(20, 21, true)
			if r := s.verify(whole); !r.OK() {
				t.Fatalf("untouched: %v", r.Findings)
			}
			lines := bytes.SplitAfter(second, []byte("\n"))
			s.put(bytes.Join(lines[:row.to(bytes.Count(first, []byte("\n")))], nil))
			n := 100
			for _, more := range row.after {
				s.run(n, n+more, true)
				n += more
			}
			if r := s.verify(s.log()); !has(r, audit.Forked) {
				t.Errorf("%v", r.Findings)
			}
			if r := s.verify(whole); !has(r, audit.Forked) {
				t.Errorf("the log before the cut, with the checkpoints of both: %v", r.Findings)
			}
		})
	}
}

// A kept checkpoint is held against the log by all that it says.
func TestExpectedCheckpoints(t *testing.T) {
	s := newSessions(t)
	s.run(0, 10, true)
	log := s.run(10, 20, true)
	forge := func(f func(cp *audit.Checkpoint)) audit.Checkpoint {
		cp := s.kept[1]
		cp.Signature = bytes.Clone(cp.Signature)
		f(&cp)
		return cp
	}
	sign := func(cp *audit.Checkpoint) { // as only the signer can: through a chain
		var got audit.Checkpoint
		tail := &audit.Tail{Stream: cp.Stream, Seq: cp.Seq - 1, MAC: cp.MAC}
		c := chain(t, new(lines), func(o *audit.ChainOptions) {
			o.Resume, o.OnCheckpoint = tail, func(c audit.Checkpoint) { got = c }
		})
		if err := c.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		*cp = got
	}
	for _, row := range []struct {
		name   string
		expect []audit.Checkpoint
		kind   audit.FindingKind // empty: none
	}{
		{"all that were kept", s.kept, ""},
		{"all of them twice", append(slices.Clone(s.kept), s.kept...), ""},
		{"the newest first", func() []audit.Checkpoint { k := slices.Clone(s.kept); slices.Reverse(k); return k }(), ""},
		{"none", nil, ""},
		{"one with another MAC", []audit.Checkpoint{forge(func(cp *audit.Checkpoint) { cp.MAC = s.kept[0].MAC })}, audit.Forged},
		{"one with another number", []audit.Checkpoint{forge(func(cp *audit.Checkpoint) { cp.Seq++ })}, audit.Forged},
		{"one that is said to close", []audit.Checkpoint{forge(func(cp *audit.Checkpoint) { cp.Closing = !cp.Closing })}, audit.Forged},
		{"one of another time", []audit.Checkpoint{forge(func(cp *audit.Checkpoint) { cp.Time = cp.Time.Add(time.Second) })}, audit.Forged},
		{"one without a signature", []audit.Checkpoint{forge(func(cp *audit.Checkpoint) { cp.Signature = nil })}, audit.Forged},
		{"one of an unknown signer", []audit.Checkpoint{forge(func(cp *audit.Checkpoint) { cp.Signer = "x" })}, audit.Forged},
		{"one signed for another record of its number", []audit.Checkpoint{forge(sign)}, audit.Forked},
	} {
		r, err := (&audit.Verifier{Keys: keys(key1), Expect: row.expect}).Verify(bytes.NewReader(log))
		if err != nil || r.OK() != (row.kind == "") || row.kind != "" && !has(r, row.kind) {
			t.Errorf("%s: %v", row.name, r.Findings)
		}
	}
	// Without its public key a forged one is found as well.
	if r, _ := (&audit.Verifier{Keys: audit.Keys{MAC: []audit.Key{key1}, Signers: map[string]ed25519.PublicKey{}}, Expect: s.kept}).Verify(bytes.NewReader(log)); !has(r, audit.Forged) {
		t.Errorf("no signers: %v", r.Findings)
	}
	// In parts: what was kept of the earlier part is passed over.
	all := bytes.SplitAfter(log, []byte("\n"))
	for cut := 1; cut < len(all)-1; cut++ {
		tail, err := audit.ReadTail(bytes.NewReader(bytes.Join(all[:cut], nil)), keys(key1))
		if err != nil {
			t.Fatal(err)
		}
		if r, _ := (&audit.Verifier{Keys: keys(key1), Expect: s.kept, After: tail}).Verify(bytes.NewReader(bytes.Join(all[cut:], nil))); !r.OK() {
			t.Errorf("from line %d on: %v", cut+1, r.Findings)
		}
	}
	// A session of which nothing but its closing checkpoint is there.
	empty := newSessions(t)
	if r := empty.verify(empty.run(0, 0, true)); !r.OK() || len(empty.kept) != 1 || empty.kept[0].Seq != 0 {
		t.Errorf("an empty session: %v, kept %v", r.Findings, empty.kept)
	}
}

// Another log of the same keys, or a part of one, cannot be put into this one.
func TestForeignChainIsFound(t *testing.T) {
	s := newSessions(t)
	s.run(0, 10, true)
	log := s.run(10, 20, true)
	foreign := logOf(t, 12)
	stream := s.kept[0].Stream
	tail, err := audit.ReadTail(bytes.NewReader(s.log()), keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(log, '\n') + 1
	for _, v := range []struct {
		name  string
		v     audit.Verifier
		front bool // a chain before all others is found, too
	}{
		{"nothing given", audit.Verifier{}, true},
		{"Streams given", audit.Verifier{Streams: []string{stream}}, true},
		{"Expect given", audit.Verifier{Expect: s.kept}, true},
	} {
		v.v.Keys = keys(key1)
		for name, log := range map[string][]byte{
			"behind":     slices.Concat(log, foreign),
			"before":     slices.Concat(foreign, log),
			"in between": slices.Concat(log[:first], foreign, log[first:]),
		} {
			if r, _ := v.v.Verify(bytes.NewReader(log)); !has(r, audit.Inserted) {
				t.Errorf("%s, another chain %s: %v", v.name, name, r.Findings)
			}
		}
		if r, _ := v.v.Verify(bytes.NewReader(log)); !r.OK() {
			t.Errorf("%s: %v", v.name, r.Findings)
		}
		if v.name == "nothing given" {
			continue // another whole log in this one's place shows by what is given alone
		}
		if r, _ := v.v.Verify(bytes.NewReader(foreign)); r.OK() {
			t.Errorf("%s, another log in its place: it verifies", v.name)
		}
	}
	s.run(20, 25, true)
	part := s.log()[len(log):]
	if r, _ := (&audit.Verifier{Keys: keys(key1), After: tail}).Verify(bytes.NewReader(part)); !r.OK() {
		t.Errorf("After: %v", r.Findings)
	}
	if r, _ := (&audit.Verifier{Keys: keys(key1), After: tail}).Verify(bytes.NewReader(slices.Concat(part, foreign))); !has(r, audit.Inserted) {
		t.Errorf("After, with another chain: %v", r.Findings)
	}
}

// A log cut back to an earlier closing checkpoint, or removed whole, shows by a
// checkpoint that was kept elsewhere.
func TestExpectedCheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	var kept []audit.Checkpoint
	session := func(from, to int) []byte {
		_, c := resumed(t, path, func(o *audit.ChainOptions) { o.OnCheckpoint = func(cp audit.Checkpoint) { kept = append(kept, cp) } })
		write(t, c, from, to)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		b, _ := os.ReadFile(path)
		return b
	}
	first := session(0, 5)
	second := session(5, 10)
	v := audit.Verifier{Keys: keys(key1), Expect: kept}
	if r, _ := v.Verify(bytes.NewReader(second)); !r.OK() || r.Streams != 1 {
		t.Errorf("whole: %+v", r)
	}
	if r := verify(t, first, keys(key1)); !r.OK() {
		t.Errorf("the first session alone should verify without a kept checkpoint: %v", r.Findings)
	}
	for name, log := range map[string][]byte{"the second session is cut off": first, "another log is there": logOf(t, 10)} {
		if r, _ := v.Verify(bytes.NewReader(log)); r.OK() {
			t.Errorf("%s, and it verifies", name)
		}
	}
}
