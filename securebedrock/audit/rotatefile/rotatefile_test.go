package rotatefile_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit/rotatefile"
)

var (
	key    = audit.Key{ID: "k", Secret: bytes.Repeat([]byte{1}, 32)}
	signer = audit.Signer{ID: "s", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))}
	keys   = audit.Keys{MAC: []audit.Key{key}, Signers: map[string]ed25519.PublicKey{"s": signer.Key.Public().(ed25519.PublicKey)}}
)

// record is a line of some 100 KB: ten of them fill a file of a megabyte.
func record(i int) *audit.Record {
	return &audit.Record{Schema: audit.Schema, Kind: audit.KindOutcome, Time: time.Now().UTC(), CallID: fmt.Sprint(i),
		Output: &audit.Content{Blocks: []audit.Block{{Kind: "text", Text: strings.Repeat("x", 100_000)}}}}
}

func open(t *testing.T, path string, opts rotatefile.Options) (*rotatefile.Sink, *audit.Chained) {
	t.Helper()
	s, err := rotatefile.New(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	tail, err := s.Tail(keys)
	if err != nil {
		t.Fatal(err)
	}
	c, err := audit.Chain(s, audit.ChainOptions{Key: key, Signer: signer, Resume: tail})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func verify(t *testing.T, path string) *audit.Report {
	t.Helper()
	r, err := rotatefile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	report, err := audit.Verify(r, keys)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// A chain that many write, over several files and a restart, verifies; without one
// of the files it does not.
func TestChainOverFiles(t *testing.T) {
	for _, compress := range []bool{false, true} {
		t.Run(fmt.Sprintf("compress %t", compress), func(t *testing.T) {
			before := runtime.NumGoroutine()
			path := filepath.Join(t.TempDir(), "audit.log")
			for session := range 2 {
				_, c := open(t, path, rotatefile.Options{MaxSize: 1, Compress: compress, NoSync: session == 1})
				var wg sync.WaitGroup
				for g := range 4 {
					wg.Go(func() {
						for i := range 10 {
							if err := c.Write(t.Context(), record(100*g+i)); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				if err := c.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
			files, err := rotatefile.Files(path)
			if err != nil || len(files) < 7 {
				t.Fatalf("%d files, %v", len(files), err)
			}
			if r := verify(t, path); !r.OK() || r.Streams != 1 || r.Records != 80+1+r.Checkpoints {
				t.Errorf("%+v", r)
			}
			for _, f := range files {
				if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v, %v", f, info.Mode(), err)
				}
			}
			if err := os.Remove(files[2]); err != nil {
				t.Fatal(err)
			}
			if r := verify(t, path); r.OK() {
				t.Error("a file was removed, and the rest verifies")
			}
			for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
				}
			}
		})
	}
}

// The chain is continued where the file has just been rotated, and where the
// process died in a line.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	s, c := open(t, path, rotatefile.Options{})
	if err := c.Write(t.Context(), record(1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Rotate(); err != nil {
		t.Fatal(err)
	}
	s.Close() // as the process's end
	s, c = open(t, path, rotatefile.Options{})
	if err := c.Write(t.Context(), record(2)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString(`{"schema":"secure`)
	f.Close()
	_, c = open(t, path, rotatefile.Options{})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, path); !r.OK() || r.Streams != 1 || len(r.Notes) != 3 {
		t.Errorf("%v; notes %v", r.Findings, r.Notes)
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.log")
	s, err := rotatefile.New(path, rotatefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rotatefile.New(path, rotatefile.Options{}); err == nil {
		t.Error("a second Sink opened it too")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), record(1)); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("a write after Close: %v", err)
	}
	public := filepath.Join(dir, "public.log")
	if err := os.WriteFile(public, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(public, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := rotatefile.New(public, rotatefile.Options{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others can read: %v", err)
	}
	if _, err := rotatefile.New(dir, rotatefile.Options{}); err == nil {
		t.Error("a directory was opened")
	}
	if _, err := rotatefile.New("", rotatefile.Options{Keep: -1}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Error(err)
	}
}
