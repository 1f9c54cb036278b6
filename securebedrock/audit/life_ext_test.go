package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// life is a log that a service writes over many starts and ends.
type life struct {
	t      *testing.T
	r      *rand.Rand
	dir    string
	path   string
	old    []string // rotated, in order
	key    audit.Key
	n      int // records
	stream string

	mu   sync.Mutex
	kept []audit.Checkpoint
}

var seed = flag.Uint64("seed", 20261125, "of the life of a log")

var lifeKeys = []audit.Key{key1, key2, {ID: "2027-01", Secret: bytes.Repeat([]byte{7}, 32)}}

func newLife(t *testing.T, seed uint64) *life {
	l := &life{t: t, r: rand.New(rand.NewPCG(seed, 11)), dir: t.TempDir(), key: key1}
	l.path = filepath.Join(l.dir, "audit.log")
	t.Logf("seed %d", seed)
	return l
}

// flaky is a sink that fails as disks and networks do.
type flaky struct {
	*audit.FileSink
	r    *rand.Rand
	mu   sync.Mutex
	path string
	bad  int // writes that fail from now on
	dead bool
}

var errFlaky = errors.New("no space left")

func (f *flaky) Write(ctx context.Context, r *audit.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return errFlaky
	}
	if f.bad == 0 {
		return f.FileSink.Write(ctx, r)
	}
	f.bad--
	switch f.r.IntN(5) {
	case 0: // nothing is stored
		return errFlaky
	case 1: // the answer is lost
		_ = f.FileSink.Write(ctx, r)
		return errFlaky
	case 2:
		panic("sink")
	case 3: // it ends after its caller has gone
		if end, ok := ctx.Deadline(); ok && time.Until(end) < time.Second {
			<-ctx.Done()
			time.Sleep(70 * time.Millisecond)
		}
		_ = f.FileSink.Write(ctx, r)
		return errFlaky
	default: // a part is stored
		line, _ := r.Line()
		if err := f.FileSink.Close(); err != nil {
			return err
		}
		b, _ := os.ReadFile(f.path)
		w, err := os.OpenFile(f.path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		if len(b) > 0 && b[len(b)-1] != '\n' {
			_, _ = w.WriteString("\n")
		}
		_, _ = w.Write(line[:1+f.r.IntN(len(line)-1)])
		if err := errors.Join(w.Close(), f.FileSink.Reopen()); err != nil {
			return err
		}
		return errFlaky
	}
}

func (l *life) write(c *audit.Chained, n int) (failed int) {
	for range n {
		ctx, cancel := context.WithTimeout(l.t.Context(), 100*time.Millisecond)
		r := sample(l.n)
		r.Time = r.Time.Add(-time.Duration(l.r.IntN(1000)) * time.Hour) // the clock is set back
		l.n++
		if l.r.IntN(5) == 0 {
			r.Output = &audit.Content{Blocks: []audit.Block{{Kind: "text", Text: strings.Repeat("<>", l.r.IntN(400))}}}
		}
		if c.Write(ctx, r) != nil {
			failed++
		}
		if l.r.IntN(6) == 0 {
			_ = c.Flush(ctx)
		}
		cancel()
	}
	return failed
}

func (l *life) rotate(f *audit.FileSink) {
	name := filepath.Join(l.dir, fmt.Sprintf("old%d.log", len(l.old)))
	if err := os.Rename(l.path, name); err != nil {
		l.t.Fatal(err)
	}
	l.old = append(l.old, name)
	if err := f.Reopen(); err != nil {
		l.t.Fatal(err)
	}
}

// generation is a process: it starts, writes and ends in one of many ways.
func (l *life) generation() {
	t := l.t
	f, err := audit.File(l.path, audit.FileOptions{Sync: audit.SyncNever})
	if err != nil {
		t.Fatal(err)
	}
	tail, err := f.Tail(keys(lifeKeys...))
	if err != nil {
		b, _ := os.ReadFile(l.path)
		t.Fatalf("%v\n%s", err, b[max(0, len(b)-6000):])
	}
	if l.r.IntN(4) == 0 {
		l.key = lifeKeys[l.r.IntN(len(lifeKeys))]
	}
	var sink audit.Sink = f
	var bad *flaky
	if l.r.IntN(3) == 0 {
		bad = &flaky{FileSink: f, r: rand.New(rand.NewPCG(l.r.Uint64(), 1)), path: l.path}
		sink = bad
	}
	c, err := audit.Chain(sink, audit.ChainOptions{Key: l.key, Signer: signer, Every: 1 + l.r.IntN(12), Resume: tail,
		OnCheckpoint: func(cp audit.Checkpoint) { l.mu.Lock(); defer l.mu.Unlock(); l.kept = append(l.kept, cp) }})
	if err != nil {
		t.Fatal(err)
	}
	if l.stream == "" {
		l.stream = c.Stream()
	}
	if c.Stream() != l.stream {
		t.Fatal("another chain was begun")
	}
	l.write(c, l.r.IntN(6))
	if bad != nil {
		bad.mu.Lock()
		bad.bad = 1 + l.r.IntN(4)
		if l.r.IntN(4) == 0 {
			bad.bad = 20
		}
		bad.mu.Unlock()
		l.write(c, l.r.IntN(5))
		if l.r.IntN(2) == 0 {
			bad.mu.Lock()
			bad.bad = 0
			bad.mu.Unlock()
		}
		l.write(c, l.r.IntN(5))
	}
	if bad == nil && l.r.IntN(3) == 0 {
		l.rotate(f)
	}
	if l.r.IntN(6) == 0 {
		l.key = lifeKeys[l.r.IntN(len(lifeKeys))]
		if err := c.Rotate(l.key); err != nil {
			t.Fatal(err)
		}
		l.write(c, l.r.IntN(3))
	}
	kill := func() {
		if bad != nil {
			bad.mu.Lock() // no write is left under way
			defer bad.mu.Unlock()
			bad.dead = true
		}
		_ = f.Close()
	}
	switch l.r.IntN(4) {
	case 0, 1:
		for range 40 { // until the disk has room
			if err = c.Close(); err == nil {
				return
			}
		}
		t.Fatal(err)
	case 2: // killed between two writes
		kill()
	case 3: // killed in a write
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_ = c.Flush(ctx) // what was told is there
		before, _ := os.ReadFile(l.path)
		_ = c.Write(ctx, sample(l.n))
		kill()
		after, _ := os.ReadFile(l.path)
		if end := bytes.IndexByte(after[len(before):], '\n'); end > 0 && bytes.Count(after[len(before):], []byte("\n")) == 1 {
			if err := os.Truncate(l.path, int64(len(before)+l.r.IntN(end+1))); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (l *life) log() []byte {
	var all []byte
	for _, name := range append(slices.Clone(l.old), l.path) {
		b, err := os.ReadFile(name)
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func (l *life) verify(log []byte) *audit.Report {
	l.t.Helper()
	r, err := (&audit.Verifier{Keys: keys(lifeKeys...), Expect: l.kept, Streams: []string{l.stream}}).Verify(bytes.NewReader(log))
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// A service is started, closed, killed in the midst of a write, rotated, left
// without room on its disk, its clock set back and its key changed, two hundred
// times in random order. Verify finds nothing then, and finds each thing that is
// done to the log.
func TestALifeOfALog(t *testing.T) {
	l := newLife(t, *seed)
	for range 200 {
		l.generation()
	}
	f, c := resumed2(t, l)
	l.write(c, 3)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_ = f
	log := l.log()
	r := l.verify(log)
	notes := map[audit.FindingKind]int{}
	for _, n := range r.Notes {
		notes[n.Kind]++
	}
	t.Logf("%d records in %d lines and %d files, %d checkpoints kept, notes %v", r.Records, r.Lines, len(l.old)+1, len(l.kept), notes)
	if !r.OK() {
		t.Fatalf("nobody touched it: %v", r.Findings[:min(5, len(r.Findings))])
	}
	for _, kind := range []audit.FindingKind{audit.Torn, audit.Repeated, audit.Restarted} {
		if notes[kind] == 0 {
			t.Errorf("the life has no note %q, so it shows less than it should", kind)
		}
	}
	l.tamper(log, r)
}

func resumed2(t *testing.T, l *life) (*audit.FileSink, *audit.Chained) {
	f, err := audit.File(l.path, audit.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tail, err := f.Tail(keys(lifeKeys...))
	if err != nil {
		t.Fatal(err)
	}
	return f, chain(t, f, func(o *audit.ChainOptions) {
		o.Resume = tail
		o.OnCheckpoint = func(cp audit.Checkpoint) { l.mu.Lock(); defer l.mu.Unlock(); l.kept = append(l.kept, cp) }
	})
}

func (l *life) tamper(log []byte, untouched *audit.Report) {
	t := l.t
	lines := bytes.SplitAfter(log, []byte("\n"))
	lines = lines[:len(lines)-1]
	// A record that was written several times: a copy more or less is harmless.
	again := map[uint64]bool{}
	links := make([]audit.Link, len(lines))
	for i, line := range lines {
		var r audit.Record
		if json.Unmarshal(line, &r) == nil && r.Chain != nil {
			links[i] = *r.Chain
			if r.Chain.Again > 0 {
				again[r.Chain.Seq-1] = true
			}
		}
	}
	for _, n := range untouched.Notes {
		if n.Kind == audit.Repeated {
			again[n.Seq] = true
			links[n.Line-1].Seq = n.Seq
		}
	}
	// Of a record that was given up a part may be there that nothing is compared with.
	givenUp := map[uint64]bool{}
	for i, line := range lines {
		if bytes.Contains(line, []byte(`"kind":"skipped"`)) {
			givenUp[links[i].Seq] = true
		}
	}
	same := func(i int) bool { return again[links[i].Seq] }
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	found := func(what string, log []byte, kinds ...audit.FindingKind) {
		t.Helper()
		r := l.verify(log)
		if r.OK() {
			t.Errorf("%s, and it verifies", what)
		}
		if len(kinds) > 0 && !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return slices.Contains(kinds, f.Kind) }) {
			t.Errorf("%s: %v", what, r.Findings)
		}
	}
	rounds := 12
	if *allEdits {
		rounds = 300
	}
	for range rounds {
		i := l.r.IntN(len(lines))
		at := fmt.Sprintf("line %d of %d", i+1, len(lines))
		if !same(i) {
			found(at+" was removed", join(slices.Delete(slices.Clone(lines), i, i+1)...))
		}
		if !same(i) {
			found(at+" was copied", join(slices.Insert(slices.Clone(lines), i, lines[i])...))
		}
		found("a line without MAC was inserted before "+at, join(slices.Insert(slices.Clone(lines), i, []byte(forged+"\n"))...))
		changed := bytes.Clone(lines[i])
		b := l.r.IntN(len(changed))
		changed[b] ^= byte(1 + l.r.IntN(255))
		if !givenUp[links[i].Seq] {
			found(fmt.Sprintf("byte %d of %s was changed", b, at), join(append(append(slices.Clone(lines[:i]), changed), lines[i+1:]...)...))
		}
		if j := l.r.IntN(len(lines)); !bytes.Equal(lines[i], lines[j]) && !same(i) && !same(j) {
			swapped := slices.Clone(lines)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			found(fmt.Sprintf("%s and line %d have changed places", at, j+1), join(swapped...))
		}
		found(at+" is the last one", join(lines[:i+1]...), audit.Truncated, audit.Forked)
	}
	found("another chain of the same keys was inserted", join(log, logOf(t, 5)), audit.Inserted)

	// Cut back to the end of a session, and gone on from there.
	cut := 0
	for i, line := range lines {
		if !bytes.Contains(line, []byte(`"closing":true`)) || i == len(lines)-1 || l.r.IntN(8) > 0 {
			continue
		}
		cut++
		path := filepath.Join(t.TempDir(), "audit.log")
		if err := os.WriteFile(path, join(lines[:i+1]...), 0o600); err != nil {
			t.Fatal(err)
		}
		l2 := &life{t: t, r: l.r, dir: t.TempDir(), path: path, key: key1, stream: l.stream, kept: slices.Clone(l.kept)}
		_, c := resumed2(t, l2)
		l2.write(c, 40)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if r := l2.verify(l2.log()); !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Kind == audit.Forked }) {
			t.Errorf("cut back to line %d and gone on: %v", i+1, r.Findings)
		}
	}
	if cut == 0 {
		t.Error("no session's end was tried")
	}

	// Lines without a MAC behind the end, and a record that vouches for them.
	for _, text := range []string{forged, forged + "\n" + forged, forged + "\n", string(lines[0][:100]), "hello", "\x00\x00\x00"} {
		b := append(bytes.Clone(log), text...)
		if _, err := audit.ReadTail(bytes.NewReader(b), keys(lifeKeys...)); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("%.60q behind the closing checkpoint: %v", text, err)
		}
		tail, err := audit.ReadTail(bytes.NewReader(log), keys(lifeKeys...))
		if err != nil {
			t.Fatal(err)
		}
		torn := strings.TrimSuffix(text, "\n")
		h := sha256.Sum256([]byte(torn))
		tail.TornBytes, tail.TornSHA256 = len(torn), hex.EncodeToString(h[:])
		var out bytes.Buffer
		c := chain(t, audit.JSONLines(&out), func(o *audit.ChainOptions) { o.Resume = tail })
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		found(fmt.Sprintf("%.60q was vouched for", text), join(log, []byte(torn+"\n"), out.Bytes()), audit.Inserted)
	}
}

// forged is a record as anybody can write one.
const forged = `{"schema":"securebedrock.audit/1","kind":"outcome","time":"2026-11-24T09:00:00Z","call_id":"FORGED","operation":"Converse"}`
