package main

import (
	"os"
	"strings"
	"testing"
)

// The program in the README is this one, so what is compiled here is what a
// reader copies.
func TestReadmeHoldsThisProgram(t *testing.T) {
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(program), "\npackage main\n")
	if !ok || !strings.Contains(string(readme), "```go\npackage main\n"+code+"```") {
		t.Error("the README's whole program differs from examples/hello/main.go")
	}
}
