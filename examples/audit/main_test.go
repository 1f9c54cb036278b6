package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func TestDemo(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), nil, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"verifies: ", "line 2: changed", "line 4: removed", "which an expected checkpoint speaks of, is not there"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	for _, secret := range []string{"sky", "bomb", "ada@"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, out.String())
		}
	}
}

func TestWriteAndVerify(t *testing.T) {
	dir := t.TempDir()
	log, keys := filepath.Join(dir, "audit.log"), filepath.Join(dir, "keys.json")
	var out bytes.Buffer
	for range 3 {
		if err := run(t.Context(), []string{"write", "-log", log, "-keys", keys, "-calls", "3"}, &out); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(t.Context(), []string{"verify", "-log", log, "-keys", keys}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	// A process that died as it began a session is told, and no crime. Another line
	// behind a closing checkpoint is.
	add := func(text string) {
		f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.WriteString(text)
		f.Close()
	}
	closed, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	add(`{"schema":"securebedrock.audit/1","kind":"out`)
	if err := run(t.Context(), []string{"write", "-log", log, "-keys", keys}, &out); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("a line behind the closing checkpoint: %v", err)
	}
	if err := os.Truncate(log, closed.Size()); err != nil {
		t.Fatal(err)
	}
	add(`{"schema":"securebedrock.audit/1","kind":"resum`)
	if err := run(t.Context(), []string{"write", "-log", log, "-keys", keys}, &out); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := run(t.Context(), []string{"verify", "-log", log, "-keys", keys}, &out); err != nil || !strings.Contains(out.String(), "note: line 24: torn") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if err := os.Truncate(log, 3000); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"verify", "-log", log, "-keys", keys}, &out); !errors.Is(err, errTampered) {
		t.Errorf("a log that was cut: %v", err)
	}
	for _, args := range [][]string{{"read"}, {"verify", "-log", "none", "-keys", keys}, {"verify", "-keys", "none"}, {"write", "-x"}} {
		if run(t.Context(), args, &out) == nil {
			t.Errorf("%v does nothing wrong", args)
		}
	}
}
