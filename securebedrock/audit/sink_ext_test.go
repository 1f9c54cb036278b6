package audit_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// Flush and Close reach through the whole of a sink's stack.
func TestFlushAndCloseReachTheLastSink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, err := audit.File(path, audit.FileOptions{Sync: audit.SyncInterval})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := audit.Async(chain(t, f), audit.AsyncOptions{})
	sink := audit.Multi(a, new(memory))
	write(t, sink, 0, 3)
	if err := audit.Flush(t.Context(), sink); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path)
	if r, _ := (&audit.Verifier{Keys: keys(key1), Open: true}).Verify(bytes.NewReader(b)); !r.OK() || r.Records != 4 || r.Checkpoints != 1 {
		t.Errorf("after Flush: %+v", r)
	}
	if err := audit.Close(sink); err != nil {
		t.Fatal(err)
	}
	b, _ = os.ReadFile(path)
	if r := verify(t, b, keys(key1)); !r.OK() {
		t.Errorf("after Close: %v", r.Findings)
	}
	if err := f.Write(t.Context(), sample(1)); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("the file is open: %v", err)
	}
}
