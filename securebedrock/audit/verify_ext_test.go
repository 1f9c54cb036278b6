package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

var allEdits = flag.Bool("edits", false, "verify the whole log after each of the 1,000 edits of 100,000 records")

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

// Whatever a log holds, Verify and ReadTail end without a panic, and nothing but
// what the key's owner wrote verifies.
func FuzzVerify(f *testing.F) {
	log, err := os.ReadFile("testdata/chain.golden.log") // the same in all of the fuzzer's processes
	if err != nil {
		f.Fatal(err)
	}
	f.Add(log)
	f.Add(log[:len(log)-1])
	f.Add(bytes.Replace(log, []byte("\n"), []byte("\n\n"), 2))
	f.Add([]byte(`{"schema":"securebedrock.audit/1","kind":"x","chain":{},"mac":"0000000000000000000000000000000000000000000000000000000000000000"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := audit.Verify(bytes.NewReader(b), keys(key1))
		if err != nil {
			t.Fatal(err)
		}
		if r.OK() && !bytes.Equal(b, log) {
			t.Errorf("%q verifies", b)
		}
		tail, err := audit.ReadTail(bytes.NewReader(b), keys(key1))
		if err != nil && !errors.Is(err, audit.ErrTampered) {
			t.Errorf("ReadTail: %v", err)
		}
		if err == nil && tail.Stream != "" && !bytes.Contains(b, []byte(tail.MAC)) {
			t.Errorf("a tail that is not in the log: %+v", tail)
		}
	})
}
