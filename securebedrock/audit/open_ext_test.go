package audit_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func openLog(t testing.TB, path string, keys audit.Keys, opts audit.OpenOptions) *audit.Log {
	t.Helper()
	log, err := audit.Open(path, keys, opts)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func linesOf(t testing.TB, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
}

// TestOpenRecordsTheCallsOfSessions is a service's life through the real client.
func TestOpenRecordsTheCallsOfSessions(t *testing.T) {
	noGoroutines(t)
	server := bedrocktest.NewServer(t)
	path := filepath.Join(t.TempDir(), "audit.log")
	keys := audit.GenerateKeys()
	for range 3 {
		log := openLog(t, path, keys, audit.OpenOptions{})
		cfg := server.Config()
		opts := server.Options()
		opts.Middleware = []securebedrock.Middleware{record(t, log, audit.Options{})}
		client, err := securebedrock.NewFromConfig(cfg, opts)
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				if _, err := client.Converse(context.Background(), converse("hello")); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if err := client.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Errorf("a second Close: %v", err)
		}
		if err := log.Write(context.Background(), sample(0)); !errors.Is(err, audit.ErrClosed) {
			t.Errorf("a write to a closed log: %v", err)
		}
	}
	report, err := audit.VerifyFile(path, keys.Verification())
	if err != nil || !report.OK() || report.Records != 3*16+3+2 || report.Checkpoints != 3 || report.Streams != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	keys := audit.GenerateKeys()
	session := func(t *testing.T, path string, n int) {
		log := openLog(t, path, keys, audit.OpenOptions{})
		write(t, log, 0, n)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string) audit.OpenOptions
		keys  *audit.Keys
		want  error
		says  string
	}{
		"a log cut back to its first session's end": {spoil: func(t *testing.T, path string) audit.OpenOptions {
			first, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			session(t, path, 5)
			if err := os.WriteFile(path, first, 0o600); err != nil {
				t.Fatal(err)
			}
			return audit.OpenOptions{}
		}, want: audit.ErrTampered, says: "begin another log"},
		"a log that is gone": {spoil: func(t *testing.T, path string) audit.OpenOptions {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			return audit.OpenOptions{}
		}, want: audit.ErrTampered, says: "begin another log"},
		"another log in the place of this": {spoil: func(t *testing.T, path string) audit.OpenOptions {
			other := filepath.Join(t.TempDir(), "other.log")
			session(t, other, 50)
			if err := os.Rename(other, path); err != nil {
				t.Fatal(err)
			}
			return audit.OpenOptions{}
		}, want: audit.ErrTampered, says: "another chain"},
		"a kept checkpoint that nobody signed": {spoil: func(t *testing.T, path string) audit.OpenOptions {
			text := strings.Replace(linesOf(t, path+".checkpoints")[0], `"closing":true`, `"closing":false`, 1)
			if err := os.WriteFile(path+".checkpoints", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return audit.OpenOptions{}
		}, want: audit.ErrTampered, says: "not signed"},
		"a log that another Log has open": {spoil: func(t *testing.T, path string) audit.OpenOptions {
			log := openLog(t, path, keys, audit.OpenOptions{})
			t.Cleanup(func() { log.Close() })
			return audit.OpenOptions{}
		}, says: "has it open"},
		"a checkpoint file that another Log has open": {spoil: func(t *testing.T, path string) audit.OpenOptions {
			log := openLog(t, path+"2", keys, audit.OpenOptions{})
			t.Cleanup(func() { log.Close() })
			return audit.OpenOptions{Checkpoints: path + "2.checkpoints"}
		}, says: "another log keeps its checkpoints there"},
		"one path for the log and the checkpoints": {spoil: func(t *testing.T, path string) audit.OpenOptions {
			return audit.OpenOptions{Checkpoints: path}
		}, want: securebedrock.ErrConfig, says: "log's own path"},
		"a negative number of records": {spoil: func(*testing.T, string) audit.OpenOptions {
			return audit.OpenOptions{Every: -1}
		}, want: securebedrock.ErrConfig, says: "1000"},
		"no keys": {spoil: func(*testing.T, string) audit.OpenOptions { return audit.OpenOptions{} },
			keys: new(audit.Keys), want: securebedrock.ErrConfig, says: "GenerateKeys"},
	} {
		t.Run(name, func(t *testing.T) {
			noGoroutines(t)
			path := filepath.Join(t.TempDir(), "audit.log")
			session(t, path, 3)
			opts := c.spoil(t, path)
			with := keys
			if c.keys != nil {
				with = *c.keys
			}
			log, err := audit.Open(path, with, opts)
			if err == nil {
				log.Close()
				t.Fatal("it opens")
			}
			if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOpenRemedyWorks(t *testing.T) {
	dir := t.TempDir()
	path, keys := filepath.Join(dir, "audit.log"), audit.GenerateKeys()
	log := openLog(t, path, keys, audit.OpenOptions{})
	write(t, log, 0, 3)
	log.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Open(path, keys, audit.OpenOptions{}); !errors.Is(err, audit.ErrTampered) {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "audit-2.log") // as the error says
	log = openLog(t, other, keys, audit.OpenOptions{})
	write(t, log, 0, 3)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if report, err := audit.VerifyFile(other, keys); err != nil || !report.OK() {
		t.Errorf("%v %v", report, err)
	}
}

func TestOpenKeepsEachCheckpointThatItHandsOn(t *testing.T) {
	path, keys := filepath.Join(t.TempDir(), "audit.log"), audit.GenerateKeys()
	var handed []audit.Checkpoint
	log := openLog(t, path, keys, audit.OpenOptions{Every: 2, OnCheckpoint: func(cp audit.Checkpoint) { handed = append(handed, cp) }})
	write(t, log, 0, 7)
	if err := log.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path + ".checkpoints")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kept, err := audit.ReadCheckpoints(f)
	if err != nil || len(kept) != len(handed) || len(kept) < 4 {
		t.Errorf("%d kept, %d handed on, %v", len(kept), len(handed), err)
	}
	for i := range kept {
		if kept[i].MAC != handed[i].MAC || !bytes.Equal(kept[i].Signature, handed[i].Signature) {
			t.Errorf("checkpoint %d differs", i)
		}
	}
}

func TestVerifyFileFindsACutThatVerifyCannot(t *testing.T) {
	path, keys := filepath.Join(t.TempDir(), "audit.log"), audit.GenerateKeys()
	for range 2 {
		log := openLog(t, path, keys, audit.OpenOptions{})
		write(t, log, 0, 3)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte(strings.Join(linesOf(t, path)[:4], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if report, err := audit.Verify(f, keys); err != nil || !report.OK() {
		t.Errorf("without checkpoints: %v %v", report, err)
	}
	if report, err := audit.VerifyFile(path, keys); err != nil || report.OK() {
		t.Errorf("with checkpoints: %v %v", report, err)
	}
	if err := os.Remove(path + ".checkpoints"); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.VerifyFile(path, keys); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("with the checkpoints gone: %v", err)
	}
}

func TestContinueTakesAnotherSink(t *testing.T) {
	path, keys := filepath.Join(t.TempDir(), "audit.log"), audit.GenerateKeys()
	file, err := audit.File(path, audit.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Continue(file, keys, audit.OpenOptions{}); !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "OnCheckpoint") {
		t.Fatalf("nothing keeps the checkpoints: %v", err)
	}
	if file, err = audit.File(path, audit.FileOptions{}); err != nil {
		t.Fatalf("the refused Continue did not close its sink: %v", err)
	}
	n := 0
	log, err := audit.Continue(file, keys, audit.OpenOptions{OnCheckpoint: func(audit.Checkpoint) { n++ }})
	if err != nil {
		t.Fatal(err)
	}
	write(t, log, 0, 3)
	if err := log.Close(); err != nil || n != 1 {
		t.Errorf("%v, %d checkpoints", err, n)
	}
}
