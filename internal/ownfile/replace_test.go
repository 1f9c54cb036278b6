package ownfile_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
)

// The new file is whole, private and alone in its folder, whatever stood there.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	if err := os.WriteFile(path, []byte("a longer text of another program"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first", "second and longer", ""} {
		if err := ownfile.Replace(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(path)
		if err != nil || string(have) != text {
			t.Errorf("%q, %v; want %q", have, err, text)
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

// A file that cannot be replaced is left as it is, and nothing is left beside it.
func TestReplaceFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "folder", "file"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := ownfile.Replace(filepath.Join(dir, "folder"), []byte("x")); err == nil {
		t.Error("a folder was replaced")
	}
	if err := ownfile.Replace(filepath.Join(dir, "none", "file"), []byte("x")); err == nil {
		t.Error("a file was made in a folder that is not there")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != "folder" {
		t.Errorf("%v, %v", entries, err)
	}
}
