package main

import (
	"os"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

func TestInit(t *testing.T) {
	t.Run("flags", func(t *testing.T) {
		path := golden(t, "init-flags.yaml")
		t.Chdir(t.TempDir())
		code, stdout, stderr := call("", "init", "--region", "eu-central-1", "--residency", "eu-west-1,eu-west-3", "--guardrail", "abc123", "--guardrail-version", "1",
			"--model", "anthropic.claude-*", "--role", "arn:aws:iam::123456789012:role/claims", "--account", "123456789012", "--organization", "o-exampleorg1")
		if code != exitOK || stderr != "" || !strings.Contains(stdout, "securebedrock.yaml is written") || !strings.Contains(stdout, "securebedrock policies -c securebedrock.yaml") {
			t.Fatalf("%d %q %q", code, stdout, stderr)
		}
		text, err := os.ReadFile("securebedrock.yaml")
		if err != nil {
			t.Fatal(err)
		}
		compare(t, path, string(text))
		code, _, stderr = call("", "init", "--region", "eu-west-1", "--unguarded", "a test")
		if again, _ := os.ReadFile("securebedrock.yaml"); code != exitFault || !strings.Contains(stderr, "init never overwrites a file") || string(again) != string(text) {
			t.Errorf("a second init: %d %s", code, stderr)
		}
		if err := os.Symlink("nowhere", "link.yaml"); err == nil {
			if code, _, stderr := call("", "init", "-c", "link.yaml", "--region", "eu-west-1", "--unguarded", "a test"); code != exitFault || !strings.Contains(stderr, "never overwrites") {
				t.Errorf("a link to nowhere: %d %s", code, stderr)
			}
		}
	})
	t.Run("questions", func(t *testing.T) {
		path := golden(t, "init-questions.golden")
		t.Chdir(t.TempDir())
		code, stdout, stderr := call("\neu-central-1\neu-west-1, eu-west-3\nabc123\n7\nanthropic.claude-3-haiku-20240307-v1:0\n\n123456789012\n\n", "init", "--ask", "-c", "a.yaml")
		if code != exitOK {
			t.Fatalf("%d %q %q", code, stdout, stderr)
		}
		text, err := os.ReadFile("a.yaml")
		if err != nil {
			t.Fatal(err)
		}
		compare(t, path, stderr+"\n"+stdout+string(text))
		code, stdout, _ = call("eu-central-1\n\n\n\nan approved test\n\n\n\n", "init", "--ask", "-c", "b.yaml")
		opts, acct, err := configfile.Load("b.yaml")
		if code != exitOK || err != nil || opts.Unguarded != "an approved test" || acct.ID != "" || !strings.Contains(stdout, "The policies also need the account") {
			t.Errorf("without a guardrail: %d %q %+v %v", code, stdout, opts, err)
		}
		code, _, stderr = call("eu-central-1\n", "init", "--ask", "-c", "c.yaml")
		if _, err := os.Stat("c.yaml"); code != exitUsage || !strings.Contains(stderr, "the input ended before the question was answered") || err == nil {
			t.Errorf("an input that ends: %d %s", code, stderr)
		}
		// What flags give is not asked.
		code, _, stderr = call("\n\n\n\n", "init", "--ask", "-c", "d.yaml", "--region", "eu-central-1", "--guardrail", "abc123", "--guardrail-version", "1")
		if code != exitOK || strings.Contains(stderr, "Region that is called") || strings.Contains(stderr, "Guardrail") || !strings.Contains(stderr, "Account") {
			t.Errorf("flags and questions: %d %s", code, stderr)
		}
	})
	t.Run("example", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if code, stdout, _ := call("", "init", "--example"); code != exitOK || stdout != configfile.Example() {
			t.Errorf("%d %s", code, stdout)
		}
	})
	t.Run("a folder that is not there", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if code, _, stderr := call("", "init", "-c", "no/a.yaml", "--region", "eu-central-1", "--unguarded", "a test"); code != exitFault || !strings.Contains(stderr, "no/a.yaml") {
			t.Errorf("%d %s", code, stderr)
		}
	})
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if isTerminal(null) {
		t.Error("the null device is taken for a terminal")
	}
}
