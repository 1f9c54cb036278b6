package main

import (
	"os"
	"strings"
	"testing"
)

// TestReadmeHoldsThisProgram: each line that the README's difference adds is in this
// program, so that what a reader copies is compiled here.
func TestReadmeHoldsThisProgram(t *testing.T) {
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```diff\n")
	difference, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the README has no difference")
	}
	lines := map[string]bool{}
	for line := range strings.Lines(string(program)) {
		lines[strings.TrimSpace(line)] = true
	}
	added := 0
	for line := range strings.Lines(difference) {
		if line, ok := strings.CutPrefix(line, "+"); ok {
			added++
			if !lines[strings.TrimSpace(line)] {
				t.Errorf("the README adds a line that is not in examples/hello/main.go: %s", line)
			}
		}
	}
	if added < 5 {
		t.Errorf("the README's difference adds %d lines", added)
	}
}
