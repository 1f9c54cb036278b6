package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

func TestPolicies(t *testing.T) {
	t.Chdir(t.TempDir())
	writeConfig(t, "a.yaml", sound)
	code, stdout, stderr := call("", "policies", "-c", "a.yaml", "-o", "out/policies")
	if code != exitOK || stderr != "" {
		t.Fatalf("%d %s", code, stderr)
	}
	spec, err := loadSpec("a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := policy.All(spec)
	if err != nil || !strings.Contains(stdout, fmt.Sprintf("\n%d documents in out/policies; open %s to read", len(docs), filepath.Join("out", "policies", "index.html"))) {
		t.Errorf("%v: %s", err, stdout)
	}
	for _, d := range docs {
		line := []string{d.Name, string(d.Kind), strconv.Itoa(d.Size()), strconv.Itoa(d.Limit())}
		if !slices.ContainsFunc(strings.Split(stdout, "\n"), func(l string) bool { return slices.Equal(strings.Fields(l), line) }) {
			t.Errorf("%v is not told", line)
		}
		if _, err := os.Stat(filepath.Join("out", "policies", d.Name+".json")); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"index.html", "SHA256SUMS", "invoke.json", "cloudformation-account.json"} {
		if _, err := os.Stat(filepath.Join("out", "policies", name)); err != nil {
			t.Error(err)
		}
	}
	if code, again, _ := call("", "policies", "-c", "a.yaml", "-o", "out/policies"); code != exitOK || again != stdout {
		t.Errorf("a second time: %d\n%s", code, again)
	}
	writeConfig(t, filepath.Join("out", "policies", "invoke.json"), "{}")
	if code, _, stderr := call("", "policies", "-c", "a.yaml", "-o", "out/policies"); code != exitFault || !strings.Contains(stderr, "invoke.json") {
		t.Errorf("a file that somebody changed: %d %s", code, stderr)
	}
	writeConfig(t, "unowned.yaml", strings.Split(sound, "account:")[0])
	if code, _, stderr := call("", "policies", "-c", "unowned.yaml", "-o", "x"); code != exitFault || !strings.Contains(stderr, "unowned.yaml has no account, which the policies name; add account with its id") {
		t.Errorf("no account: %d %s", code, stderr)
	}
	writeConfig(t, "wrong.yaml", sound+"colour: red\n")
	if code, _, stderr := call("", "policies", "-c", "wrong.yaml", "-o", "x"); code != exitFault || !strings.Contains(stderr, "wrong.yaml:10:1: \"colour\" is no key") {
		t.Errorf("a wrong file: %d %s", code, stderr)
	}
	if code, _, stderr := call("", "policies", "-o", "x"); code != exitFault || !strings.Contains(stderr, "securebedrock.yaml is missing; name the file with --config, or write one with 'securebedrock init'") {
		t.Errorf("no file: %d %s", code, stderr)
	}
	if _, err := os.Stat("x"); err == nil {
		t.Error("a fault has made the folder")
	}
}
