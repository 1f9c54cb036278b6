package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	if code, stdout, stderr := call("", "version"); code != exitOK || !strings.HasPrefix(stdout, "securebedrock ") || stderr != "" {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	got := versionOf(&debug.BuildInfo{GoVersion: "go1.25.0", Main: debug.Module{Version: "v0.2.0"}, Deps: []*debug.Module{{Path: "example.com"}, {Path: library, Version: "v0.2.0"}}})
	if want := "securebedrock v0.2.0\nlibrary       v0.2.0\ngo            go1.25.0\n"; got != want {
		t.Errorf("got %q", got)
	}
	got = versionOf(&debug.BuildInfo{Deps: []*debug.Module{{Path: library, Version: "v0.2.0", Replace: &debug.Module{Path: "../.."}}}})
	if want := "securebedrock (unknown)\nlibrary       v0.2.0 (replaced by a checkout)\ngo            (unknown)\n"; got != want {
		t.Errorf("got %q", got)
	}
}
