package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func root(t *testing.T) string {
	t.Helper()
	root, err := output(t.Context(), "", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		t.Skipf("this is no checkout: %v", err)
	}
	return root
}

// TestEachModuleCanBeGot makes a release in a clone, serves the clone in the place of
// its public address, and gets each module from there as a user does: in a program
// outside, with an empty module cache. Each program runs one call.
func TestEachModuleCanBeGot(t *testing.T) {
	if os.Getenv("SECUREBEDROCK_GET_MODULES") == "" {
		t.Skip("it loads and builds every module anew; set SECUREBEDROCK_GET_MODULES=1 to run it")
	}
	origin := clone(t, root(t))
	var out strings.Builder
	const version = "v0.9.0"
	before := commandMod(t, origin)
	if err := release(t.Context(), origin, version, time.Now(), &out); err != nil {
		t.Fatal(err)
	}
	v, err := readVersions(origin)
	if err != nil {
		t.Fatal(err)
	}
	run(t, origin, nil, "git", "commit", "-qam", "Release "+version)
	for _, m := range v.Modules {
		if !strings.Contains(out.String(), " "+tagOf(m, version)+"\n") {
			t.Errorf("the commands have no tag of %s:\n%s", m, out.String())
		}
		run(t, origin, nil, "git", "tag", tagOf(m, version))
	}

	restored(t, origin, out.String(), before)

	env := []string{
		"GOWORK=off", "GOFLAGS=-mod=mod -buildvcs=false -trimpath", "GOMODCACHE=" + cache(t), "GOTOOLCHAIN=local",
		"GOPRIVATE=" + modulePath, // straight from the origin
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://" + origin + ".insteadOf", "GIT_CONFIG_VALUE_0=https://" + modulePath,
		"GIT_ALLOW_PROTOCOL=file",
	}
	for _, m := range v.Modules {
		t.Run(m, func(t *testing.T) {
			dir := t.TempDir()
			if m == "securebedrock/cmd/securebedrock" {
				install(t, dir, env, pathOf(m), version)
				return
			}
			source := strings.ReplaceAll(strings.TrimPrefix(m, "securebedrock/"), "/", "-")
			if m == "." {
				source = "root"
			}
			for _, from := range []string{"program", source} {
				if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", from))); err != nil {
					t.Fatal(err)
				}
			}
			run(t, dir, env, "go", "mod", "init", "example.com/outside")
			run(t, dir, env, "go", "get", pathOf(m)+"@"+version)
			run(t, dir, env, "go", "mod", "tidy")
			if got := run(t, dir, env, "go", "run", "."); !strings.Contains(got, "answered: end_turn") {
				t.Errorf("the program says %q", got)
			}
			if list := run(t, dir, env, "go", "list", "-m", "all"); strings.Contains(list, "=>") || !strings.Contains(list, pathOf(m)+" "+version) {
				t.Errorf("the program is built of\n%s", list)
			}
		})
	}
}

// install installs the command as a user does, and runs it.
func install(t *testing.T, dir string, env []string, path, version string) {
	t.Helper()
	env = append(env, "GOBIN="+filepath.Join(dir, "bin"))
	run(t, dir, env, "go", "install", path+"@"+version)
	bin := filepath.Join(dir, "bin", "securebedrock")
	if got := run(t, dir, nil, bin, "version"); !strings.Contains(got, "securebedrock "+version+"\n") || !strings.Contains(got, " "+version+"\ngo ") {
		t.Errorf("the command is built of\n%s", got)
	}
	run(t, dir, nil, bin, "init", "--region", "eu-central-1", "--guardrail", "abc123", "--guardrail-version", "1",
		"--model", "anthropic.claude-3-haiku-20240307-v1:0", "--account", "123456789012")
	run(t, dir, nil, bin, "policies", "-o", "policies")
	if _, err := os.Stat(filepath.Join(dir, "policies", "index.html")); err != nil {
		t.Error(err)
	}
	if got := run(t, dir, nil, bin, "explain", "anthropic.claude-3-haiku-20240307-v1:0"); !strings.Contains(got, "The policies let the call through") {
		t.Errorf("explain says %q", got)
	}
	if got := run(t, dir, nil, bin, "proxy", "--help"); !strings.Contains(got, "securebedrock proxy [flags]") {
		t.Errorf("proxy says %q", got)
	}
}

// restored runs the printed commands that put the replace lines of the command back, and
// compares them with those before the release.
func restored(t *testing.T, origin, printed, before string) {
	t.Helper()
	if text := commandMod(t, origin); strings.Contains(text, "replace") {
		t.Errorf("go install refuses\n%s", text)
	}
	for _, line := range strings.Split(printed, "\n") {
		if args := strings.Fields(line); strings.HasPrefix(line, "go -C ") {
			run(t, origin, []string{"GOWORK=off"}, args[0], args[1:]...)
		}
	}
	if was, is := replaceLines(before), replaceLines(commandMod(t, origin)); !slices.Equal(is, was) || len(was) == 0 {
		t.Errorf("the replace lines were %q and are %q", was, is)
	}
}

func commandMod(t *testing.T, origin string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(origin, "securebedrock", "cmd", "securebedrock", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func replaceLines(mod string) (lines []string) {
	for _, line := range strings.Split(mod, "\n") {
		if strings.Contains(line, "=>") {
			lines = append(lines, strings.TrimSpace(strings.TrimPrefix(line, "replace")))
		}
	}
	return lines
}

// clone is a clone of the repository's last commit.
func clone(t *testing.T, root string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "origin")
	run(t, root, nil, "git", "clone", "-q", "--no-hardlinks", root, dir)
	run(t, dir, nil, "git", "config", "user.email", "release@example.com")
	run(t, dir, nil, "git", "config", "user.name", "release")
	return dir
}

// cache is an empty module cache; its files are read-only.
func cache(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				return os.Chmod(path, 0o700) // or it cannot be removed
			}
			return err
		})
	})
	return dir
}

func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	t.Logf("%.1fs  %s %s", time.Since(began).Seconds(), name, strings.Join(args, " "))
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestReleaseRefuses(t *testing.T) {
	origin := clone(t, root(t))
	try := func(version string) error {
		return release(t.Context(), origin, version, time.Now(), new(strings.Builder))
	}
	for _, version := range []string{"", "0.2.0", "v0.2", "v0.2.0-rc.1", "v2.0.0", "v0.02.0", "v0.0.9"} {
		if try(version) == nil {
			t.Errorf("%q was released", version)
		}
	}
	if err := os.WriteFile(filepath.Join(origin, "new"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := try("v0.9.0"); err == nil || !strings.Contains(err.Error(), "not clean") {
		t.Errorf("a checkout that is not clean: %v", err)
	}
	if err := os.Remove(filepath.Join(origin, "new")); err != nil {
		t.Fatal(err)
	}
	run(t, origin, nil, "git", "tag", "securebedrock/otelbedrock/v0.9.0")
	if err := try("v0.9.0"); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("a tag that is there: %v", err)
	}
	if status := run(t, origin, nil, "git", "status", "--porcelain"); status != "" {
		t.Errorf("a refused release has changed\n%s", status)
	}
}

func TestChangelog(t *testing.T) {
	now := time.Date(2026, 12, 1, 23, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "CHANGELOG.md")
	write := func(text string) error {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return changelog(path, "v0.2.0", now)
	}
	if err := write("# Changelog\n\n## [Unreleased]\n\n- a\n\n## [0.1.0]\n"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n- a\n\n## [0.1.0]\n"; string(text) != want {
		t.Errorf("got %q", text)
	}
	for _, text := range []string{"", "# Changelog\n", "## [Unreleased]\n\n## [0.1.0]\n\n- a\n"} {
		if write(text) == nil {
			t.Errorf("%q says what has changed", text)
		}
	}
}

// TestVersionsNamesEveryModule fails where a module is neither released nor one that
// looks at the library from outside.
func TestVersionsNamesEveryModule(t *testing.T) {
	dir := root(t)
	v, err := readVersions(dir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := modules(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range v.Modules {
		named[m] = true
	}
	for _, m := range all {
		inside := strings.HasPrefix(m, "internal/")
		if named[m] == inside {
			t.Errorf("%s: released %t, of the project's own use %t", m, named[m], inside)
		}
	}
}
