package main

import (
	"bytes"
	"testing"
)

// The program checks itself that the global profile is refused.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if n := bytes.Count(out.Bytes(), []byte("Sorry, the model cannot answer")); n != 2 {
		t.Errorf("the guardrail answered %d times, want 2:\n%s", n, out.String())
	}
}
