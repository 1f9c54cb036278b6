package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The folder that is written says where it is, and the second run finds nothing to change.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		var out bytes.Buffer
		if err := run([]string{dir}, &out); err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(dir, "index.html"); !strings.Contains(out.String(), want) {
			t.Errorf("%s does not name %s", out.String(), want)
		}
	}
	for _, name := range []string{"index.html", "SHA256SUMS", "cloudformation-account.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	documents, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(documents) < 10 {
		t.Errorf("%d documents, %v", len(documents), err)
	}
}
