package audit_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// A file that Reopen made holds the chain from its first moment, so that a process
// which dies before its next record loses nothing.
func TestDeathAfterReopen(t *testing.T) {
	for _, row := range []struct {
		name   string
		before func(t *testing.T, path string)
		after  func(t *testing.T, f *audit.FileSink, c *audit.Chained) // how the process ends
	}{
		{"at once", nil, func(t *testing.T, f *audit.FileSink, _ *audit.Chained) { f.Close() }},
		{"after a record", nil, func(t *testing.T, f *audit.FileSink, c *audit.Chained) { write(t, c, 50, 51); f.Close() }},
		{"after Close", nil, func(t *testing.T, _ *audit.FileSink, c *audit.Chained) { c.Close() }},
		{"at once, and one had died in a Reopen", func(t *testing.T, path string) {
			if err := os.WriteFile(path+".new", []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, func(t *testing.T, f *audit.FileSink, _ *audit.Chained) { f.Close() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.log")
			if row.before != nil {
				row.before(t, path)
			}
			var old []string
			for i := range 3 {
				f, c := resumed(t, path)
				write(t, c, 10*i, 10*i+3)
				old = append(old, path+string(rune('a'+i)))
				if err := os.Rename(path, old[i]); err != nil {
					t.Fatal(err)
				}
				if err := f.Reopen(); err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(path); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
					t.Errorf("the new file: %v, %v", info, err)
				}
				if _, err := os.Stat(path + ".new"); err == nil {
					t.Error("the file has its first name yet")
				}
				row.after(t, f, c)
			}
			_, c := resumed(t, path)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			var log []byte
			for _, name := range append(old, path) {
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				log = append(log, b...)
			}
			if r := verify(t, log, keys(key1)); !r.OK() || r.Streams != 1 {
				t.Errorf("%v", r.Findings)
			}
		})
	}
}

// Reopen without a rotation, and one that fails, leave the chain as it is.
func TestReopenOfTheSameFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "audit.log")
	f, c := resumed(t, path)
	write(t, c, 0, 2)
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	write(t, c, 2, 4)
	away := dir + "-away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); err == nil {
		t.Error("Reopen without a folder")
	}
	if err := c.Write(t.Context(), sample(9)); !errors.Is(err, audit.ErrClosed) && !errors.Is(err, audit.ErrNotWritten) {
		t.Errorf("a write without a file: %v", err)
	}
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	write(t, c, 4, 6)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	log, _ := os.ReadFile(path)
	if r := verify(t, log, keys(key1)); !r.OK() || len(r.Notes) != 0 || r.Streams != 1 {
		t.Errorf("%v; notes %v", r.Findings, r.Notes)
	}
	// The file's undone writes leave no gap and no note.
	if n := bytes.Count(log, []byte(`"CALL`)); n != 6 || bytes.Contains(log, []byte("CALL9")) {
		t.Errorf("%d records", n)
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.log")
	f, err := audit.File(path, audit.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, 0, 2)
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if _, err := audit.File(path, audit.FileOptions{}); err == nil {
		t.Error("a second File opened it too")
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	write(t, f, 2, 3)
	if err := f.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Write(t.Context(), sample(3)); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("a write after Close: %v", err)
	}
	for name, want := range map[string]int{path: 1, path + ".1": 2} {
		if b, _ := os.ReadFile(name); bytes.Count(b, []byte("\n")) != want {
			t.Errorf("%s has %d lines, want %d", name, bytes.Count(b, []byte("\n")), want)
		}
	}
	open := filepath.Join(dir, "open.log")
	if err := os.WriteFile(open, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.File(open, audit.FileOptions{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others can read: %v", err)
	}
	for name, f := range map[string]func() error{
		"a directory":      func() error { _, err := audit.File(dir, audit.FileOptions{}); return err },
		"a device":         func() error { _, err := audit.File(os.DevNull, audit.FileOptions{}); return err },
		"no such folder":   func() error { _, err := audit.File(filepath.Join(dir, "no", "x"), audit.FileOptions{}); return err },
		"a strange policy": func() error { _, err := audit.File(path, audit.FileOptions{Sync: 9}); return err },
	} {
		if f() == nil {
			t.Errorf("%s was opened", name)
		}
	}
}
