package audit_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func TestSinksThatAChainCannotStandBefore(t *testing.T) {
	a, b := new(lines), new(lines)
	async := func(next audit.Sink) audit.Sink {
		s, err := audit.Async(next, audit.AsyncOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	for _, row := range []struct {
		name   string
		next   audit.Sink
		remedy string // empty: it is taken
	}{
		{"one sink", a, ""},
		{"Multi of one", audit.Multi(a), ""},
		{"Multi of two", audit.Multi(a, b), "Multi(Chain(a), Chain(b))"},
		{"Multi of two behind Async", async(audit.Multi(a, b)), "Multi(Chain(a), Chain(b))"},
		{"Multi in Multi", audit.Multi(audit.Multi(a, b)), "Multi(Chain(a), Chain(b))"},
		{"a Chain", chain(t, a), "take one of them out"},
		{"a Chain behind Async", async(chain(t, a)), "take one of them out"},
		{"two chains", audit.Multi(chain(t, a), chain(t, b)), "take one of them out"},
	} {
		_, err := audit.Chain(row.next, audit.ChainOptions{Key: key1, Signer: signer})
		if row.remedy == "" && err != nil || row.remedy != "" && (!errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), row.remedy)) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// A chain is not begun behind records that are there already.
func TestResumeIsNotForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, c := resumed(t, path)
	early, err := f.Tail(keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	write(t, c, 0, 3)
	middle, err := f.Tail(keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	write(t, c, 3, 5)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	f, err = audit.File(path, audit.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	end, err := f.Tail(keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	async, err := audit.Async(f, audit.AsyncOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	for _, row := range []struct {
		name string
		next audit.Sink
		tail *audit.Tail
	}{
		{"none", f, nil},
		{"none, behind Async", async, nil},
		{"of an empty log", f, new(audit.Tail)},
		{"read before the first record", f, early},
		{"read before the last ones", f, middle},
	} {
		_, err := audit.Chain(row.next, audit.ChainOptions{Key: key1, Signer: signer, Resume: row.tail})
		if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "Resume") {
			t.Errorf("Resume is %s: %v", row.name, err)
		}
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("something was written")
	}
	if _, err := audit.Chain(f, audit.ChainOptions{Key: key1, Signer: signer, Resume: end}); err != nil {
		t.Error(err)
	}
}

// Where the sink says that it may store a record again a copy is a note, and nowhere else.
func TestSinkThatStoresAtLeastOnce(t *testing.T) {
	var again, once, fork [][]byte
	for i, sink := range []audit.Sink{new(remote), new(lines)} {
		c := chain(t, sink, func(o *audit.ChainOptions) { o.Every = 10 })
		write(t, c, 0, 30)
		c.Close()
		if i == 0 {
			again = bytes.SplitAfter(sink.(*remote).log(), []byte("\n"))[:34]
		} else {
			once = bytes.SplitAfter(sink.(*lines).log(), []byte("\n"))[:34]
		}
	}
	tail, err := audit.ReadTail(bytes.NewReader(bytes.Join(again[:10], nil)), keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	other := new(remote)
	write(t, chain(t, other, func(o *audit.ChainOptions) { o.Resume = tail }), 50, 60)
	fork = bytes.SplitAfter(other.log(), []byte("\n"))[:10]
	insert := func(l [][]byte, at int, with ...[]byte) []byte {
		return bytes.Join(slices.Insert(slices.Clone(l), at, with...), nil)
	}
	for _, row := range []struct {
		name string
		log  []byte
		ok   bool
	}{
		{"a record twice", insert(again, 6, again[5]), true},
		{"a whole request twice", insert(again, 20, again[8:20]...), true},
		{"a record twice, at the end", insert(again, 34, again[33]), true},
		{"a record of a fork", insert(again, 20, fork[3]), false},
		{"a changed copy", insert(again, 6, bytes.Replace(again[5], []byte("Converse"), []byte("Reverses"), 1)), false},
		{"a file's record twice", insert(once, 6, once[5]), false},
		{"a file's records twice", insert(once, 20, once[8:20]...), false},
		{"a file's last record twice", insert(once, 34, once[33]), false},
	} {
		r := verify(t, row.log, keys(key1))
		noted := slices.ContainsFunc(r.Notes, func(f audit.Finding) bool { return f.Kind == audit.Repeated })
		if r.OK() != row.ok || noted != row.ok {
			t.Errorf("%s: %v; notes %v", row.name, r.Findings, r.Notes)
		}
	}
}

// remote is a sink that stores at least once.
type remote struct{ lines }

func (*remote) MayRepeat() bool { return true }
