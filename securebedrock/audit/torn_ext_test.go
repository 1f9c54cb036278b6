package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// Behind a log's last record nothing may stand but the beginnings of records that
// dying processes leave, and a record that vouches for anything else helps nobody.
func TestForgedLinesAreNotTorn(t *testing.T) {
	var open, closed bytes.Buffer
	write(t, chain(t, audit.JSONLines(&open)), 0, 5)
	tail, err := audit.ReadTail(bytes.NewReader(open.Bytes()), keys(key1))
	if err != nil {
		t.Fatal(err)
	}
	var rest bytes.Buffer
	c := chain(t, audit.JSONLines(&rest), func(o *audit.ChainOptions) { o.Resume = tail })
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	closed.Write(open.Bytes())
	closed.Write(rest.Bytes())
	resumedLine := rest.Bytes()[:bytes.IndexByte(rest.Bytes(), '\n')] // behind the open log
	outcome := open.Bytes()[:bytes.IndexByte(open.Bytes(), '\n')]
	other := logOf(t, 3)
	begun := string(outcome[:bytes.Index(outcome, []byte(`,"chain"`))]) // compatible with every place
	const resumedBegun = `{"schema":"securebedrock.audit/1","kind":"resumed","time":"2026-11-25T0`
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(forged+"\n", n), "\n") }
	for _, row := range []struct {
		name                    string
		text                    string
		behindOpen, behindClose bool // it is torn
	}{
		{"the beginning of a record", begun, true, false},
		{"its first bytes", `{"sch`, true, true}, // a resumed record begins with them, too
		{"the beginning of the record that goes on", string(resumedLine[:len(resumedLine)-1]), true, false},
		{"that as far as its chain begins", string(resumedLine[:bytes.Index(resumedLine, []byte(`"stream"`))]), true, true},
		{"the beginning of a resumed record", resumedBegun, true, true},
		{"of 21 resumed records", strings.TrimSuffix(strings.Repeat(resumedBegun+"\n", 21), "\n"), true, true},
		{"of a record and 30 resumed ones", begun + strings.Repeat("\n"+resumedBegun, 30), true, false},
		{"of a record begun twice", begun + "\n" + begun[:90], true, false},
		{"of two records", begun + "\n" + strings.Replace(begun, "CALL0", "CALL9", 1), false, false},
		{"of a record of another place", string(outcome[:len(outcome)-10]), false, false},
		{"of a record of another log", string(other[:bytes.IndexByte(other, '\n')-3]), false, false},
		{"a whole record without MAC", forged, false, false},
		{"that and a newline", forged + "\n", false, false},
		{"two of them", many(2), false, false},
		{"16 of them", many(16), false, false},
		{"17 of them", many(17), false, false},
		{"one behind a torn line", begun + "\n" + forged, false, false},
		{"one before a torn line", forged + "\n" + begun, false, false},
		{"a whole record with a made-up MAC", forged[:len(forged)-1] + `,"chain":{"stream":"` + c.Stream() + `","seq":6},"mac":"` + strings.Repeat("0", 64) + `"}`, false, false},
		{"the copy of a record", string(outcome), false, false},
		{"a copy and half a line", string(outcome) + "\n" + begun, false, false},
		{"text", "hello", false, false},
		{"an empty line", "\n\n", false, false},
		{"JSON of another kind", `{"hello":`, false, false},
		{"what is no JSON", `{"schema":"securebedrock.audit/1","kind":"outcome",hello`, false, false},
		{"NUL bytes", "\x00\x00\x00\x00", false, false},
		{"a record's beginning and NUL bytes", begun + "\x00\x00", false, false},
		{"what is behind a whole JSON", forged + " ", false, false},
	} {
		for _, log := range []struct {
			name string
			log  []byte
			torn bool
		}{{"an open log", open.Bytes(), row.behindOpen}, {"a closed log", closed.Bytes(), row.behindClose}} {
			t.Run(row.name+" behind "+log.name, func(t *testing.T) {
				b := append(bytes.Clone(log.log), row.text...)
				tail, err := audit.ReadTail(bytes.NewReader(b), keys(key1))
				if log.torn != (err == nil) || err != nil && !errors.Is(err, audit.ErrTampered) {
					t.Errorf("ReadTail: %v", err)
				}
				if err == nil && tail.TornBytes != len(row.text) {
					t.Errorf("%d bytes are torn, want %d", tail.TornBytes, len(row.text))
				}
				// A record that vouches for it, as an earlier version wrote one.
				tail, err = audit.ReadTail(bytes.NewReader(log.log), keys(key1))
				if err != nil {
					t.Fatal(err)
				}
				text := strings.TrimSuffix(row.text, "\n")
				h := sha256.Sum256([]byte(text))
				tail.TornBytes, tail.TornSHA256 = len(text), hex.EncodeToString(h[:])
				var rest bytes.Buffer
				c := chain(t, audit.JSONLines(&rest), func(o *audit.ChainOptions) { o.Resume = tail })
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
				r := verify(t, slices.Concat(log.log, []byte(text+"\n"), rest.Bytes()), keys(key1))
				if r.OK() != log.torn {
					t.Errorf("Verify: %v", r.Findings)
				}
			})
		}
	}
}

// However often a process dies as it begins, the next one starts, and all of it verifies.
func TestManyDeathsInARow(t *testing.T) {
	for _, first := range []struct {
		name string
		end  func(f *audit.FileSink, c *audit.Chained)
	}{
		{"after Close", func(_ *audit.FileSink, c *audit.Chained) { c.Close() }},
		{"after a death", func(f *audit.FileSink, _ *audit.Chained) { f.Close() }},
	} {
		t.Run(first.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.log")
			f, c := resumed(t, path)
			write(t, c, 0, 3)
			first.end(f, c)
			for i := range 60 {
				before, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				f, _ := resumed(t, path)
				f.Close()
				after, _ := os.ReadFile(path)
				cut := len(before) + (i*7)%(len(after)-len(before)-1)
				if err := os.Truncate(path, int64(cut)); err != nil {
					t.Fatal(err)
				}
			}
			_, c = resumed(t, path)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			log, _ := os.ReadFile(path)
			if r := verify(t, log, keys(key1, key2)); !r.OK() || r.Streams != 1 {
				t.Errorf("%v", r.Findings)
			}
		})
	}
}

// The first line of a log can be torn, too, again and again.
func TestFirstLineIsTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, c := resumed(t, path)
	write(t, c, 0, 1)
	f.Close()
	for cut := 80; cut > 20; cut -= 20 {
		before, _ := os.ReadFile(path)
		if err := os.Truncate(path, int64(len(before)-cut)); err != nil {
			t.Fatal(err)
		}
		f, _ = resumed(t, path)
		f.Close()
	}
	_, c = resumed(t, path)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	log, _ := os.ReadFile(path)
	if r := verify(t, log, keys(key1)); !r.OK() || r.Streams != 1 {
		t.Errorf("%v in\n%s", r.Findings, log)
	}
}

// A log that is read while its process writes may end in mid-line.
func TestOpenLogThatIsBeingWritten(t *testing.T) {
	var b bytes.Buffer
	c := chain(t, audit.JSONLines(&b))
	write(t, c, 0, 5)
	log := b.Bytes()
	for _, row := range []struct {
		name string
		log  []byte
		ok   bool
	}{
		{"in the midst of a line", log[:len(log)-30], true},
		{"before a newline", log[:len(log)-1], true},
		{"with a forged line", append(bytes.Clone(log), forged...), false},
		{"with half a foreign line", append(bytes.Clone(log), "hello"...), false},
	} {
		r, err := (&audit.Verifier{Keys: keys(key1), Open: true}).Verify(bytes.NewReader(row.log))
		if err != nil || r.OK() != row.ok {
			t.Errorf("%s: %v", row.name, r.Findings)
		}
		if verify(t, row.log, keys(key1)).OK() {
			t.Errorf("%s: it passes for a closed log", row.name)
		}
	}
}
