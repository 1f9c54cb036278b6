//go:build unix

package audit_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// TestMain is also the process that TestKilledWriter kills.
func TestMain(m *testing.M) {
	if path := os.Getenv("SECUREBEDROCK_AUDIT_WRITER"); path != "" {
		if err := writeForEver(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	if path := os.Getenv("SECUREBEDROCK_AUDIT_LIMITED"); path != "" {
		if err := writeToTheLimit(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeToTheLimit has the system stop a write in the middle of a line, as a full
// disk does.
func writeToTheLimit(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	f, err := audit.File(path, audit.FileOptions{})
	if err != nil {
		return err
	}
	c, err := audit.Chain(f, audit.ChainOptions{Key: key1, Signer: signer})
	if err != nil {
		return err
	}
	if err := c.Write(context.Background(), sample(1)); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	whole := limit.Cur
	limit.Cur = uint64(info.Size()) + 100
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := c.Write(context.Background(), sample(2)); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("a write over the limit: %v", err)
	}
	if after, err := os.Stat(path); err != nil || after.Size() != info.Size() {
		return fmt.Errorf("the file has %d bytes after a failed write, and had %d (%v)", after.Size(), info.Size(), err)
	}
	limit.Cur = whole
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := c.Write(context.Background(), sample(3)); err != nil {
		return err
	}
	return c.Close()
}

func TestFailedWriteIsUndone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "SECUREBEDROCK_AUDIT_LIMITED="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if r := verify(t, log, keys(key1)); !r.OK() || r.Lines != 3 || len(r.Notes) != 0 {
		t.Errorf("%v; notes %v in %d lines", r.Findings, r.Notes, r.Lines)
	}
}

// writeForEver continues the file's chain and tells each record that was written.
func writeForEver(path string) error {
	f, err := audit.File(path, audit.FileOptions{Sync: audit.SyncNever})
	if err != nil {
		return err
	}
	tail, err := f.Tail(keys(key1))
	if err != nil {
		return err
	}
	c, err := audit.Chain(f, audit.ChainOptions{Key: key1, Signer: signer, Every: 50, Resume: tail})
	if err != nil {
		return err
	}
	acks := make(chan string, 1024)
	go func() {
		for id := range acks {
			fmt.Println(id)
		}
	}()
	for i := 0; ; i++ {
		r := sample(i)
		r.CallID = fmt.Sprintf("%d-%d", os.Getpid(), i)
		if i%10 == 0 { // some are long, so that a kill can come in the midst of one
			r.Output = &audit.Content{Blocks: []audit.Block{{Kind: "text", Text: strings.Repeat("long ", 20_000)}}}
		}
		if err := c.Write(context.Background(), r); err != nil {
			return err
		}
		acks <- r.CallID
	}
}

// Two hundred processes, each killed while it writes to the same chain: every
// record that was acknowledged is there, and all of it verifies.
func TestKilledWriter(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "audit.log")
	acknowledged := map[string]bool{}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), "SECUREBEDROCK_AUDIT_WRITER="+path)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		first, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the writer wrote nothing: %s", stderr.String())
		}
		acknowledged[strings.TrimSpace(first)] = true
		time.AfterFunc(time.Duration(r.IntN(5000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		for {
			id, err := lines.ReadString('\n')
			if err == io.EOF {
				break // what came without its newline was not acknowledged in full
			}
			if err != nil {
				t.Fatal(err)
			}
			acknowledged[strings.TrimSpace(id)] = true
		}
		_ = cmd.Wait()
	}
	_, c := resumed(t, path)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	report := verify(t, log, keys(key1))
	if !report.OK() || report.Streams != 1 {
		t.Errorf("%d findings: %v", len(report.Findings), report.Findings[:min(3, len(report.Findings))])
	}
	there := map[string]bool{}
	for line := range bytes.Lines(log) {
		var rec struct {
			CallID string `json:"call_id"`
		}
		if json.Unmarshal(line, &rec) == nil {
			there[rec.CallID] = true
		}
	}
	for id := range acknowledged {
		if !there[id] {
			t.Errorf("%s was acknowledged and is not there", id)
		}
	}
	kinds := map[audit.FindingKind]int{}
	for _, n := range report.Notes {
		kinds[n.Kind]++
	}
	t.Logf("%d records, %d acknowledged; notes %v", report.Records, len(acknowledged), kinds)
}

// TestRemovedLog: a record must not go into a file that nobody can read any more. Reopen
// makes a new file, in which the chain goes on.
func TestRemovedLog(t *testing.T) {
	for name, remove := range map[string]func(path string) error{
		"removed": os.Remove,
		"replaced": func(path string) error {
			if err := os.WriteFile(path+".other", nil, 0o600); err != nil {
				return err
			}
			return os.Rename(path+".other", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.log")
			f, c := resumed(t, path)
			write(t, c, 0, 3)
			if err := remove(path); err != nil {
				t.Fatal(err)
			}
			if err := c.Write(t.Context(), sample(3)); !errors.Is(err, audit.ErrNotWritten) || !strings.Contains(err.Error(), "was removed") {
				t.Errorf("got %v", err)
			}
			if err := f.Reopen(); err != nil {
				t.Fatal(err)
			}
			write(t, c, 3, 5)
			if err := errors.Join(c.Close(), f.Close()); err != nil {
				t.Fatal(err)
			}
			if text, err := os.ReadFile(path); err != nil || bytes.Count(text, []byte("\n")) < 2 {
				t.Errorf("%s %v", text, err)
			}
		})
	}
}

// TestRenamedLogTakesRecords: between the rename and the Reopen of a rotation, records go
// to the renamed file.
func TestRenamedLogTakesRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, c := resumed(t, path)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, c, 0, 3)
	if err := errors.Join(c.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}
