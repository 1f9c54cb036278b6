package rotatefile_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit/rotatefile"
)

func small(i int) *audit.Record {
	return &audit.Record{Schema: audit.Schema, Kind: audit.KindOutcome, Time: time.Now().UTC(), CallID: fmt.Sprint(i)}
}

func write(t *testing.T, s audit.Sink, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := s.Write(t.Context(), small(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// The files are in the order of the chain, whatever clock their names are of.
func TestClockThatIsSetBack(t *testing.T) {
	for _, row := range []struct {
		name   string
		rename func(i int) string // of the i-th rotated file
		pack   bool
	}{
		{"as they are named", nil, false},
		{"as they are named, packed", nil, true},
		{"with the times turned round", func(i int) string { return fmt.Sprintf("audit-2026-11-%02dT10-00-00.000-size.log", 20-i) }, false},
		{"with the times turned round, packed", func(i int) string { return fmt.Sprintf("audit-2026-11-%02dT10-00-00.000-size.log.gz", 20-i) }, true},
		{"with the same time", func(i int) string { return fmt.Sprintf("audit-2026-11-20T10-00-00.000-%c.log", 'z'-i) }, false},
		{"with the numbers turned round", func(i int) string { return fmt.Sprintf("audit-%08d-2026-11-20T10-00-00.000.log", 20-i) }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.log")
			for session := range 4 {
				s, c := open(t, path, rotatefile.Options{Compress: row.pack})
				for i := range 3 {
					write(t, c, 10*session+i, 10*session+i+1)
					if err := s.Rotate(); err != nil {
						t.Fatal(err)
					}
				}
				if session%2 == 0 {
					if err := c.Close(); err != nil {
						t.Fatal(err)
					}
				} else if err := s.Close(); err != nil { // as the process's end
					t.Fatal(err)
				}
			}
			files, err := rotatefile.Files(path)
			if err != nil {
				t.Fatal(err)
			}
			rotated := files[:len(files)-1]
			if row.rename != nil {
				for i, name := range rotated {
					if err := os.Rename(name, filepath.Join(filepath.Dir(path), row.rename(i))); err != nil {
						t.Fatal(err)
					}
				}
			}
			_, c := open(t, path, rotatefile.Options{})
			write(t, c, 90, 92)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if r := verify(t, path); !r.OK() || r.Streams != 1 || len(rotated) != 12 {
				t.Errorf("%d files: %v", len(rotated)+1, r.Findings)
			}
			if row.rename == nil {
				if err := os.Remove(rotated[3]); err != nil {
					t.Fatal(err)
				}
				if r := verify(t, path); r.OK() {
					t.Error("a file was removed, and the rest verifies")
				}
			}
		})
	}
}

// What is kept are the newest files by the chain, not by the clock.
func TestKeepHeedsTheChain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	s, c := open(t, path, rotatefile.Options{})
	for i := range 4 {
		write(t, c, i, i+1)
		if err := s.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := rotatefile.Files(path)
	for i, name := range files[:4] {
		if err := os.Rename(name, filepath.Join(filepath.Dir(path), fmt.Sprintf("audit-2026-11-%02dT10-00-00.000-size.log", 20-i))); err != nil {
			t.Fatal(err)
		}
	}
	s, c = open(t, path, rotatefile.Options{Keep: 2})
	write(t, c, 10, 11)
	if err := s.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ = rotatefile.Files(path)
	if len(files) != 3 || !strings.HasSuffix(files[0], "2026-11-17T10-00-00.000-size.log") {
		t.Errorf("%v", files)
	}
}

// A process that dies in the first line of a new file, or with a torn line in the old
// one, leaves a log that goes on.
func TestDeathBesideARotation(t *testing.T) {
	for _, cut := range []int{1, 60, 200} {
		for _, packed := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "audit.log")
			opts := rotatefile.Options{Compress: packed}
			s, c := open(t, path, opts)
			write(t, c, 0, 3)
			if err := s.Rotate(); err != nil {
				t.Fatal(err)
			}
			write(t, c, 3, 4)
			s.Close()
			if err := os.Truncate(path, int64(cut)); err != nil {
				t.Fatal(err)
			}
			s, c = open(t, path, opts)
			if err := s.Rotate(); err != nil {
				t.Fatal(err)
			}
			write(t, c, 4, 6)
			s.Close()
			b, _ := os.ReadFile(path)
			if err := os.Truncate(path, int64(len(b)-50)); err != nil {
				t.Fatal(err)
			}
			if s, err := rotatefile.New(path, opts); err != nil || s.Rotate() != nil || s.Close() != nil { // not in mid-line
				t.Fatal(err)
			}
			_, c = open(t, path, opts)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if r := verify(t, path); !r.OK() || r.Streams != 1 {
				t.Errorf("cut to %d, packed %t: %v", cut, packed, r.Findings)
			}
		}
	}
}

// One path is one sink's, whichever of the two kinds it is.
func TestPathIsOpenedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	s, err := rotatefile.New(path, rotatefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s opened it too", what)
		}
	}
	for range 2 { // before a rotation and after it
		_, err = audit.File(path, audit.FileOptions{})
		refused("a File", err)
		_, err = rotatefile.New(path, rotatefile.Options{})
		refused("a second Sink", err)
		write(t, s, 0, 1)
		if err := s.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := audit.File(path, audit.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = rotatefile.New(path, rotatefile.Options{})
	refused("a Sink", err)
	f.Close()
	s, err = rotatefile.New(path, rotatefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// A chain is not begun behind rotated records.
func TestResumeIsNotForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	s, c := open(t, path, rotatefile.Options{})
	write(t, c, 0, 2)
	if err := s.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := rotatefile.New(path, rotatefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := audit.Chain(s, audit.ChainOptions{Key: key, Signer: signer}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Error(err)
	}
}

// A rotation that fails loses no record, and is made up for later.
func TestRotationThatFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.log")
	s, c := open(t, path, rotatefile.Options{Interval: time.Nanosecond})
	write(t, c, 0, 2)
	away := dir + "-away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := c.Write(t.Context(), small(10+i)); !errors.Is(err, audit.ErrNotWritten) {
			t.Errorf("a write without a folder: %v", err)
		}
	}
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	write(t, c, 2, 4)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_ = s
	if r := verify(t, path); !r.OK() || r.Records != 5 || len(r.Notes) != 0 {
		t.Errorf("%v; notes %v, %d records", r.Findings, r.Notes, r.Records)
	}
}

// A record that is longer than MaxSize has a file of its own.
func TestLongRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	_, c := open(t, path, rotatefile.Options{MaxSize: 1})
	for i := range 3 {
		r := small(i)
		r.Output = &audit.Content{Blocks: []audit.Block{{Kind: "text", Text: strings.Repeat("x", 3<<20)}}}
		if err := c.Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if files, _ := rotatefile.Files(path); len(files) != 4 {
		t.Errorf("%d files", len(files))
	}
	if r := verify(t, path); !r.OK() {
		t.Error(r.Findings)
	}
}

// The log is read while it is written, rotated and packed.
func TestReadWhileItIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	s, c := open(t, path, rotatefile.Options{Compress: true, NoSync: true})
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			r, err := rotatefile.Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			report, err := (&audit.Verifier{Keys: keys, Open: true}).Verify(r)
			r.Close()
			if err != nil || slices.ContainsFunc(report.Findings, func(f audit.Finding) bool { return f.Kind != audit.Truncated }) {
				t.Errorf("%v, %v", err, report)
				return
			}
		}
	})
	for i := range 30 {
		write(t, c, i, i+1)
		if i%3 == 0 {
			if err := s.Rotate(); err != nil {
				t.Error(err)
			}
		}
	}
	close(done)
	wg.Wait()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if files, _ := rotatefile.Files(path); len(files) != 11 || !strings.HasSuffix(files[0], ".gz") {
		t.Errorf("%v", files)
	}
	if b, _ := os.ReadFile(path); bytes.Contains(b, []byte("\n\n")) {
		t.Error("an empty line")
	}
}
