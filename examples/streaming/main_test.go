package main

import (
	"bytes"
	"testing"
)

// The program checks itself how each stream ends.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if n := bytes.Count(out.Bytes(), []byte("\n=> ")); n != 4 {
		t.Errorf("%d streams ended, want 4:\n%s", n, out.String())
	}
}
