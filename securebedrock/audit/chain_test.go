package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
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
	"testing/synctest"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

var allEdits = flag.Bool("edits", false, "verify the whole log after each of the 1,000 edits of 100,000 records")

var (
	key1   = audit.Key{ID: "2026-11", Secret: bytes.Repeat([]byte{1}, 32)}
	key2   = audit.Key{ID: "2026-12", Secret: bytes.Repeat([]byte{2}, 32)}
	signer = audit.Signer{ID: "s1", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))}
)

func keys(mac ...audit.Key) audit.Keys {
	return audit.Keys{MAC: mac, Signers: map[string]ed25519.PublicKey{signer.ID: signer.Key.Public().(ed25519.PublicKey)}}
}

func sample(i int) *audit.Record {
	return &audit.Record{Schema: audit.Schema, Kind: audit.KindOutcome, Time: time.Unix(1_790_000_000+int64(i), 0).UTC(),
		CallID: fmt.Sprintf("CALL%d", i), Operation: "Converse", Region: "us-east-1", Attempts: 1, Usage: &audit.Usage{InputTokens: int64(i)}}
}

func chain(t testing.TB, next audit.Sink, change ...func(*audit.ChainOptions)) *audit.Chained {
	t.Helper()
	opts := audit.ChainOptions{Key: key1, Signer: signer}
	for _, f := range change {
		f(&opts)
	}
	c, err := audit.Chain(next, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t testing.TB, s audit.Sink, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := s.Write(context.Background(), sample(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// logOf is a closed chain of n records with a checkpoint after every ten, or so many.
func logOf(t testing.TB, n int, every ...int) []byte {
	t.Helper()
	var b bytes.Buffer
	c := chain(t, audit.JSONLines(&b), func(o *audit.ChainOptions) { o.Every = append(every, 10)[0] })
	write(t, c, 0, n)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verify(t testing.TB, log []byte, k audit.Keys) *audit.Report {
	t.Helper()
	r, err := audit.Verify(bytes.NewReader(log), k)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestChainThatNobodyTouchedVerifies(t *testing.T) {
	log := logOf(t, 95)
	r := verify(t, log, keys(key1))
	if !r.OK() || len(r.Notes) != 0 || r.Lines != 95+9+1 || r.Records != r.Lines || r.Checkpoints != 10 || r.Streams != 1 {
		t.Errorf("%+v", r)
	}
}

// A log that an earlier version wrote verifies for ever.
func TestOldLogVerifies(t *testing.T) {
	const path = "testdata/chain.golden.log"
	if _, err := os.Stat(path); *update && err != nil {
		if err := os.WriteFile(path, logOf(t, 12), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if r := verify(t, log, keys(key1)); !r.OK() || r.Records != 14 {
		t.Errorf("%+v", r)
	}
}

func TestChainOptionsAreChecked(t *testing.T) {
	_, err := audit.Chain(nil, audit.ChainOptions{Key: audit.Key{ID: "k"}, Every: -1, Interval: -1})
	if !errors.Is(err, securebedrock.ErrConfig) {
		t.Fatal(err)
	}
	for _, field := range []string{"next", "Key", "Signer", "Every", "Interval"} {
		if !strings.Contains(err.Error(), "Chain: "+field+":") {
			t.Errorf("%s is not named in:\n%v", field, err)
		}
	}
	if s := fmt.Sprintf("%v %+v %#v %v %#v", key1, key1, key1, signer, signer); strings.Contains(s, "1, 1") || strings.Contains(s, "0x1") {
		t.Errorf("a secret is printed: %s", s)
	}
}

// What is done to a log is told by line.
func TestVerifyTellsWhatWasDone(t *testing.T) {
	log := logOf(t, 30)
	lines := func() [][]byte { return bytes.SplitAfter(bytes.Clone(log), []byte("\n"))[:34] }
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	for _, row := range []struct {
		name string
		log  []byte
		kind audit.FindingKind
		line int
	}{
		{"a byte of line 5 is changed", func() []byte { l := lines(); l[4][60] ^= 1; return join(l...) }(), audit.Changed, 5},
		{"a digit of line 5's MAC is changed", func() []byte { l := lines(); l[4][len(l[4])-5] ^= 1; return join(l...) }(), audit.Changed, 5},
		{"a letter of line 5's MAC is made a capital", func() []byte {
			l := lines()
			i := len(l[4]) - 4 - 64 + bytes.IndexAny(l[4][len(l[4])-4-64:], "abcdef")
			l[4][i] -= 32
			return join(l...)
		}(), audit.Changed, 5},
		{"line 5 is removed", join(slices.Delete(lines(), 4, 5)...), audit.Removed, 5},
		{"line 1 is removed", join(slices.Delete(lines(), 0, 1)...), audit.Removed, 1},
		{"lines 5 to 9 are removed", join(slices.Delete(lines(), 4, 9)...), audit.Removed, 5},
		{"a checkpoint is removed", join(slices.Delete(lines(), 10, 11)...), audit.Removed, 11},
		{"line 5 stands there twice", join(slices.Insert(lines(), 5, lines()[4])...), audit.Inserted, 6},
		{"a line of another's is inserted", join(slices.Insert(lines(), 5, []byte("{\"kind\":\"outcome\"}\n"))...), audit.Inserted, 6},
		{"an empty line is inserted", join(slices.Insert(lines(), 5, []byte("\n"))...), audit.Inserted, 6},
		{"lines 5 and 6 have changed places", func() []byte { l := lines(); l[4], l[5] = l[5], l[4]; return join(l...) }(), audit.Reordered, 6},
		{"lines 5 and 20 have changed places", func() []byte { l := lines(); l[4], l[19] = l[19], l[4]; return join(l...) }(), audit.Reordered, 20},
		{"the last line is cut off", join(lines()[:33]...), audit.Truncated, 33},
		{"ten lines are cut off", join(lines()[:24]...), audit.Truncated, 24},
		{"the last byte is cut off", log[:len(log)-1], audit.Truncated, 34},
		{"half a line is cut off", log[:len(log)-100], audit.Truncated, 34},
		{"all is cut off", nil, audit.Truncated, 0},
		{"two lines are joined", bytes.Replace(log, []byte("}\n{"), []byte("} {"), 1), audit.Changed, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := verify(t, row.log, keys(key1))
			if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Kind == row.kind && f.Line == row.line }) {
				t.Errorf("want %s at line %d, got %v", row.kind, row.line, r.Findings)
			}
		})
	}
}

func TestVerifyWithOtherKeys(t *testing.T) {
	log := logOf(t, 12)
	if r := verify(t, log, keys(audit.Key{ID: key1.ID, Secret: key2.Secret})); r.OK() || r.Records != 0 {
		t.Error("another secret verifies")
	}
	if r := verify(t, log, keys(key2)); r.OK() || !strings.Contains(r.Findings[0].Detail, "2026-11") {
		t.Errorf("a missing key is not named: %v", r.Findings)
	}
	other := keys(key1)
	other.Signers = map[string]ed25519.PublicKey{signer.ID: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32)).Public().(ed25519.PublicKey)}
	if r := verify(t, log, other); r.OK() || r.Findings[0].Kind != audit.Forged {
		t.Errorf("another signer's checkpoints pass: %v", r.Findings)
	}
	other.Signers = nil
	if r := verify(t, log, other); r.OK() || r.Findings[0].Kind != audit.Forged {
		t.Errorf("unknown signers pass: %v", r.Findings)
	}
}

// One who has the MAC key and not the signer's cannot close a chain that he cut.
func TestMACKeyAloneDoesNotClose(t *testing.T) {
	var b bytes.Buffer
	forger := chain(t, audit.JSONLines(&b), func(o *audit.ChainOptions) {
		o.Signer = audit.Signer{ID: signer.ID, Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))}
	})
	write(t, forger, 0, 5)
	forger.Close()
	if r := verify(t, b.Bytes(), keys(key1)); r.OK() {
		t.Error("it verifies")
	}
}

// seal makes a line as one who has the MAC key can.
func seal(t *testing.T, r *audit.Record) []byte {
	t.Helper()
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	line = line[:len(line)-1]
	h := hmac.New(sha256.New, key1.Secret)
	h.Write(line)
	return fmt.Appendf(line, ",\"mac\":\"%x\"}\n", h.Sum(nil))
}

// Nor can he close it with a checkpoint that was signed for another place.
func TestCheckpointIsOfItsPlace(t *testing.T) {
	log := logOf(t, 9)
	lines := bytes.SplitAfter(log, []byte("\n"))[:10]
	var last, fifth audit.Record
	if json.Unmarshal(lines[9], &last) != nil || json.Unmarshal(lines[4], &fifth) != nil || !last.Checkpoint.Closing {
		t.Fatal("the log is not as it should be")
	}
	last.Chain, last.MAC = &audit.Link{Stream: fifth.Chain.Stream, Seq: 6, Prev: fifth.MAC, KeyID: key1.ID}, ""
	forged := slices.Concat(bytes.Join(lines[:5], nil), seal(t, &last))
	r := verify(t, forged, keys(key1))
	if r.OK() || r.Findings[0].Kind != audit.Forged || r.Findings[0].Line != 6 {
		t.Errorf("%v", r.Findings)
	}
	last.Chain.Seq, last.Chain.Prev = 10, last.Checkpoint.MAC // in its own place it is right
	if r := verify(t, slices.Concat(bytes.Join(lines[:9], nil), seal(t, &last)), keys(key1)); !r.OK() {
		t.Errorf("in its place: %v", r.Findings)
	}
}

// Two copies of a log that were each continued cannot be mixed.
func TestForksAreNotMixed(t *testing.T) {
	var b bytes.Buffer
	write(t, chain(t, audit.JSONLines(&b)), 0, 5)
	tail, err := audit.ReadTail(bytes.NewReader(b.Bytes()), keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	var forks [2][][]byte
	for i := range forks {
		var f bytes.Buffer
		c := chain(t, audit.JSONLines(&f), func(o *audit.ChainOptions) { o.Resume = tail })
		write(t, c, 10*i, 10*i+3)
		c.Close()
		forks[i] = bytes.SplitAfter(f.Bytes(), []byte("\n"))[:5]
	}
	for i := 1; i < 5; i++ {
		log := slices.Concat(b.Bytes(), bytes.Join(forks[0][:i], nil), bytes.Join(forks[1][i:], nil))
		if r := verify(t, log, keys(key1)); r.OK() {
			t.Errorf("%d lines of one fork and the rest of another verify", i)
		}
	}
	if r := verify(t, slices.Concat(b.Bytes(), bytes.Join(forks[1], nil)), keys(key1)); !r.OK() {
		t.Errorf("one fork: %v", r.Findings)
	}
	// Nor where the second fork tells of a record that it could not write.
	var f bytes.Buffer
	lines, n := audit.JSONLines(&f), 0
	c := chain(t, audit.SinkFunc(func(ctx context.Context, r *audit.Record) error {
		if n++; n == 2 {
			return errSink
		}
		return lines.Write(ctx, r)
	}), func(o *audit.ChainOptions) { o.Resume = tail })
	for i := range 3 {
		_ = c.Write(t.Context(), sample(i))
	}
	c.Close()
	rest := bytes.SplitAfter(f.Bytes(), []byte("\n"))
	if r := verify(t, slices.Concat(b.Bytes(), rest[0], bytes.Join(rest[1:], nil)), keys(key1)); !r.OK() {
		t.Errorf("the fork with a hole: %v", r.Findings)
	}
	if r := verify(t, slices.Concat(b.Bytes(), forks[0][0], bytes.Join(rest[1:], nil)), keys(key1)); r.OK() {
		t.Error("the beginning of one fork and the hole of another verify")
	}
}

func TestKeysAreRotated(t *testing.T) {
	var b bytes.Buffer
	c := chain(t, audit.JSONLines(&b))
	write(t, c, 0, 5)
	if err := c.Rotate(audit.Key{ID: "x"}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("a key without a secret: %v", err)
	}
	if err := c.Rotate(key2); err != nil {
		t.Fatal(err)
	}
	write(t, c, 5, 10)
	c.Close()
	if r := verify(t, b.Bytes(), keys(key1, key2)); !r.OK() || r.Records != 11 {
		t.Errorf("%+v", r)
	}
	if r := verify(t, b.Bytes(), keys(key1)); r.OK() {
		t.Error("it verifies without the second key")
	}
}

func TestManyWritersKeepTheOrder(t *testing.T) {
	var b bytes.Buffer
	c := chain(t, audit.JSONLines(&b), func(o *audit.ChainOptions) { o.Every = 7 })
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() { write(t, c, 100*g, 100*g+100) })
	}
	wg.Wait()
	c.Close()
	if r := verify(t, b.Bytes(), keys(key1)); !r.OK() || r.Records-r.Checkpoints != 1600 {
		t.Errorf("%+v", r)
	}
	if err := c.Write(t.Context(), sample(1)); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("a write after Close: %v", err)
	}
}

func TestCheckpointComesAfterTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var list []audit.Checkpoint
		seen := func() []audit.Checkpoint { mu.Lock(); defer mu.Unlock(); return slices.Clone(list) }
		sink := new(memory)
		c := chain(t, sink, func(o *audit.ChainOptions) {
			o.OnCheckpoint = func(cp audit.Checkpoint) { mu.Lock(); defer mu.Unlock(); list = append(list, cp) }
		})
		write(t, c, 0, 3)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if len(seen()) != 0 {
			t.Errorf("%d checkpoints before a minute", len(seen()))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(seen()) != 1 || seen()[0].Seq != 3 || seen()[0].Closing || !seen()[0].Verify(keys().Signers["s1"]) {
			t.Errorf("checkpoints %+v", seen())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(seen()) != 1 {
			t.Errorf("%d checkpoints of an idle chain", len(seen()))
		}
		sink.mu.Lock()
		sink.fail = func(*audit.Record) error { return errSink }
		sink.mu.Unlock()
		if err := c.Write(t.Context(), sample(9)); !errors.Is(err, errSink) {
			t.Error(err)
		}
		sink.mu.Lock()
		sink.fail = nil
		sink.mu.Unlock()
		write(t, c, 10, 11)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(seen()) != 2 || seen()[1].Seq != 6 {
			t.Errorf("checkpoints %+v", seen())
		}
		c.Close()
	})
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

// resumed opens a file and continues its chain.
func resumed(t testing.TB, path string, change ...func(*audit.ChainOptions)) (*audit.FileSink, *audit.Chained) {
	t.Helper()
	f, err := audit.File(path, audit.FileOptions{Sync: audit.SyncNever})
	if err != nil {
		t.Fatal(err)
	}
	tail, err := f.Tail(keys(key1, key2))
	if err != nil {
		t.Fatal(err)
	}
	return f, chain(t, f, append([]func(*audit.ChainOptions){func(o *audit.ChainOptions) { o.Resume = tail }}, change...)...)
}

func TestRestarts(t *testing.T) {
	for _, row := range []struct {
		name  string
		after func(t *testing.T, log []byte) []byte // what the dead process leaves
		close bool
		notes []audit.FindingKind
	}{
		{"after Close", func(_ *testing.T, b []byte) []byte { return b }, true, nil},
		{"after a death between two records", func(_ *testing.T, b []byte) []byte { return b }, false, []audit.FindingKind{audit.Restarted}},
		{"after a death in a record", func(_ *testing.T, b []byte) []byte { return append(b, b[:100]...) }, false, []audit.FindingKind{audit.Torn, audit.Restarted}},
		{"after a death before a newline", func(_ *testing.T, b []byte) []byte { return b[:len(b)-1] }, false, []audit.FindingKind{audit.Restarted}},
		{"after two deaths in a record", func(_ *testing.T, b []byte) []byte { return append(append(append(b, b[:100]...), '\n'), b[:50]...) }, false,
			[]audit.FindingKind{audit.Torn, audit.Torn, audit.Restarted}},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.log")
			f, c := resumed(t, path)
			write(t, c, 0, 5)
			if row.close {
				c.Close()
			} else {
				f.Close() // as the process's end would
			}
			b, _ := os.ReadFile(path)
			if err := os.WriteFile(path, row.after(t, b), 0o600); err != nil {
				t.Fatal(err)
			}
			_, c = resumed(t, path, func(o *audit.ChainOptions) { o.Key = key2 })
			write(t, c, 5, 10)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			b, _ = os.ReadFile(path)
			r := verify(t, b, keys(key1, key2))
			var notes []audit.FindingKind
			for _, n := range r.Notes {
				notes = append(notes, n.Kind)
			}
			if !r.OK() || r.Streams != 1 || !slices.Equal(notes, row.notes) {
				t.Errorf("%v; notes %v", r.Findings, r.Notes)
			}
			// The torn line may not be changed or taken away later.
			if slices.Contains(row.notes, audit.Torn) {
				lines := bytes.SplitAfter(b, []byte("\n"))
				without := bytes.Join(append(slices.Clone(lines[:5]), lines[6:]...), nil)
				changed := bytes.Join(lines, nil)
				changed[len(bytes.Join(lines[:5], nil))+20] ^= 1
				for name, log := range map[string][]byte{"taken away": without, "changed": changed} {
					if r := verify(t, log, keys(key1, key2)); r.OK() {
						t.Errorf("the torn line was %s, and it verifies", name)
					}
				}
			}
		})
	}
}

func TestDamagedEndIsNotContinued(t *testing.T) {
	log := logOf(t, 5)
	flip := bytes.Clone(log)
	flip[len(flip)-100] ^= 1
	for name, b := range map[string][]byte{
		"its last record was changed":       flip,
		"a foreign line was added":          append(bytes.Clone(log), "hello\n"...),
		"it is another kind of file":        []byte("# notes\nhello\n"),
		"its last record is of another key": nil,
	} {
		k := keys(key1)
		if b == nil {
			b, k = log, keys(key2)
		}
		if _, err := audit.ReadTail(bytes.NewReader(b), k); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if tail, err := audit.ReadTail(bytes.NewReader(nil), keys(key1)); err != nil || *tail != (audit.Tail{}) {
		t.Errorf("an empty log: %+v, %v", tail, err)
	}
}

// A record longer than the window that ReadTail begins with.
func TestTailOfALongLine(t *testing.T) {
	var b bytes.Buffer
	c := chain(t, audit.JSONLines(&b))
	write(t, c, 0, 100)
	r := sample(100)
	r.Output = &audit.Content{Mode: audit.ContentFull, Blocks: []audit.Block{{Kind: "text", Text: strings.Repeat("long ", 60_000)}}}
	if err := c.Write(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	tail, err := audit.ReadTail(bytes.NewReader(append(b.Bytes(), `{"schema":"securebedrock.audit/1","kind":"outcome","call_id":"`+strings.Repeat("torn", 50_000)...)), keys(key1))
	if err != nil || tail.Seq != 101 || tail.TornBytes != 200_000+62 {
		t.Errorf("%+v, %v", tail, err)
	}
}

// A record whose write failed is written again before the next one, so that no
// number is missing; what that left is told by the chain, and is no finding.
func TestFailedWritesAreTold(t *testing.T) {
	var b bytes.Buffer
	lines := audit.JSONLines(&b)
	fail := map[int]bool{3: true, 4: true, 8: true}
	arrived := map[int]bool{8: true} // although its sink said otherwise
	n := 0
	c := chain(t, audit.SinkFunc(func(ctx context.Context, r *audit.Record) error {
		n++
		if fail[n] {
			if arrived[n] {
				_ = lines.Write(ctx, r)
			}
			return errSink
		}
		return lines.Write(ctx, r)
	}))
	for i := range 12 {
		err := c.Write(t.Context(), sample(i))
		switch i {
		case 2, 6: // the sink's third call, and its eighth
			if !errors.Is(err, errSink) || errors.Is(err, audit.ErrNotWritten) {
				t.Errorf("record %d: %v", i, err)
			}
		case 3: // the third record failed again, and this one was not tried
			if !errors.Is(err, audit.ErrNotWritten) {
				t.Errorf("record %d: %v", i, err)
			}
		default:
			if err != nil {
				t.Errorf("record %d: %v", i, err)
			}
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	r := verify(t, b.Bytes(), keys(key1))
	if !r.OK() || len(r.Notes) != 1 || r.Notes[0].Kind != audit.Repeated || r.Notes[0].Seq != 6 || r.Records != 11+1+1 {
		t.Errorf("%+v", r)
	}
	// No line may be taken away, but one of two copies.
	all := bytes.SplitAfter(b.Bytes(), []byte("\n"))
	for i := range 13 {
		r := verify(t, bytes.Join(slices.Delete(slices.Clone(all), i, i+1), nil), keys(key1))
		if copies := i == 5 || i == 6; r.OK() != copies {
			t.Errorf("line %d was removed: %v", i+1, r.Findings)
		}
	}
}

// A write that stopped in mid-line leaves a fragment that the next record vouches for.
func TestPartOfALineIsTold(t *testing.T) {
	var b bytes.Buffer
	n := 0
	c := chain(t, audit.JSONLines(writerFunc(func(p []byte) (int, error) {
		if n++; n == 3 {
			b.Write(p[:50])
			return 50, errSink
		}
		return b.Write(p)
	})))
	for i := range 6 {
		_ = c.Write(t.Context(), sample(i))
	}
	c.Close()
	if r := verify(t, b.Bytes(), keys(key1)); !r.OK() || len(r.Notes) != 1 || r.Notes[0].Kind != audit.Repeated || r.Records != 7 {
		t.Errorf("%+v", r)
	}
	changed := bytes.Clone(b.Bytes())
	changed[bytes.Index(changed, []byte("{\"schema\":\"securebedrock.audit/1\",\"kind\":\"out\n"))+40] ^= 1
	if r := verify(t, changed, keys(key1)); r.OK() {
		t.Error("a byte of the fragment was changed, and it verifies")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Two processes that write to one log, each with a chain of its own.
func TestTwoChainsInOneLog(t *testing.T) {
	var b bytes.Buffer
	lines := audit.JSONLines(&b)
	one, two := chain(t, lines), chain(t, lines)
	for i := range 20 {
		write(t, one, i, i+1)
		write(t, two, i, i+1)
	}
	one.Close()
	both := []string{one.Stream(), two.Stream()}
	if r, _ := (&audit.Verifier{Keys: keys(key1), Streams: both}).Verify(bytes.NewReader(b.Bytes())); r.OK() {
		t.Error("the second chain is open, and it verifies")
	}
	if r, _ := (&audit.Verifier{Keys: keys(key1), Streams: both, Open: true}).Verify(bytes.NewReader(b.Bytes())); !r.OK() || r.Notes[0].Kind != audit.StillOpen {
		t.Errorf("%+v", r)
	}
	two.Close()
	for _, row := range []struct {
		name string
		v    audit.Verifier
		ok   bool
	}{
		{"both are named", audit.Verifier{Streams: both}, true},
		{"any may be there", audit.Verifier{AnyStream: true}, true},
		{"none is named, and there are two", audit.Verifier{}, false},
		{"one is named", audit.Verifier{Streams: both[1:]}, false},
		{"a third is named", audit.Verifier{Streams: append(both[:2:2], "third")}, false},
	} {
		row.v.Keys = keys(key1)
		if r, _ := row.v.Verify(bytes.NewReader(b.Bytes())); r.OK() != row.ok || r.Streams != 2 || !slices.Equal(r.Names, both) {
			t.Errorf("%s: %+v", row.name, r)
		}
	}
}

// 100,000 records and 1,000 random edits, each of which is found. The whole log is
// verified again for each with -edits; else for five, and for the others
// the hundred lines before and after the edit.
func TestEveryEditIsFound(t *testing.T) {
	const records = 100_000
	log := logOf(t, records, 1000)
	if r := verify(t, log, keys(key1)); !r.OK() || r.Records-r.Checkpoints != records {
		t.Fatalf("untouched: %v", r.Findings)
	}
	var starts []int
	for i := range log {
		if i == 0 || log[i-1] == '\n' {
			starts = append(starts, i)
		}
	}
	starts = append(starts, len(log))
	lines := len(starts) - 1
	line := func(i int) []byte { return log[starts[i]:starts[i+1]] }
	part := func(before, log []byte, open bool) *audit.Report {
		tail, err := audit.ReadTail(bytes.NewReader(before), keys(key1))
		if err != nil {
			t.Fatal(err)
		}
		report, err := (&audit.Verifier{Keys: keys(key1), Open: open, After: tail}).Verify(bytes.NewReader(log))
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	r := rand.New(rand.NewPCG(20261124, 1))
	kinds := map[string]int{}
	whole := 1 // of each kind
	if *allEdits {
		whole = 200
	}
	for e := range 1000 {
		i := r.IntN(lines)
		var from, to int // lines that the replacement stands for
		var with []byte
		kind := []string{"byte flip", "line removed", "line inserted", "lines swapped", "tail cut"}[e%5]
		switch kind {
		case "byte flip":
			from, to, with = i, i+1, bytes.Clone(line(i))
			with[r.IntN(len(with))] ^= byte(1 + r.IntN(255))
		case "line removed":
			from, to = i, i+1
		case "line inserted":
			from, to = i, i
			with = bytes.Clone(line(r.IntN(lines)))
			if r.IntN(2) == 0 {
				with = append([]byte(`{"schema":"securebedrock.audit/1","kind":"outcome"}`), '\n')
			}
		case "lines swapped":
			i = r.IntN(lines - 1)
			j := i + 1 + r.IntN(min(50, lines-1-i))
			from, to = i, j+1
			with = slices.Concat(line(j), log[starts[i+1]:starts[j]], line(i))
		case "tail cut":
			cut := 1 + r.IntN(5000)
			from, to = lines, lines
			log := log[:len(log)-cut]
			kinds[kind]++
			if e < whole*5 {
				if verify(t, log, keys(key1)).OK() {
					t.Errorf("edit %d: %d bytes cut off the tail, and it verifies", e, cut)
				}
				continue
			}
			if part(log[:starts[lines-2000]], log[starts[lines-2000]:], false).OK() {
				t.Errorf("edit %d: %d bytes cut off the tail, and it verifies", e, cut)
			}
			continue
		}
		kinds[kind]++
		if e < whole*5 {
			edited := slices.Concat(log[:starts[from]], with, log[starts[to]:])
			if verify(t, edited, keys(key1)).OK() {
				t.Errorf("edit %d: %s at line %d, and it verifies", e, kind, i+1)
			}
			continue
		}
		begin := max(0, from-100)
		end := min(lines, to+100)
		edited := slices.Concat(log[starts[begin]:starts[from]], with, log[starts[to]:starts[end]])
		if part(log[:starts[begin]], edited, end < lines).OK() || !part(log[:starts[begin]], log[starts[begin]:starts[end]], end < lines).OK() {
			t.Errorf("edit %d: %s at line %d is not found", e, kind, i+1)
		}
	}
	t.Logf("%v, %d of them with the whole log", kinds, whole*5)
}
