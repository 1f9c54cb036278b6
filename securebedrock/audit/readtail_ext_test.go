package audit_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

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
