// Release prepares a version of all modules, which are released together.
//
//	go run -C internal/checks/release . v0.2.0
//
// It sets the version in versions.json, in each requirement of one module of this
// repository by another, and in the changelog, checks that every module builds, and
// prints the commands that commit, tag and publish. It publishes nothing by itself.
//
// The replace lines of a library stay: the go command heeds them in the main module
// alone, so that a checkout builds from itself and a user's build from the tags. A command
// has none in the commit that is tagged: "go install PATH@VERSION" refuses a module with
// replace lines. The printed commands put them back in the next commit.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run -C internal/checks/release . VERSION")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	root, err := output(ctx, "", "git", "rev-parse", "--show-toplevel")
	if err == nil {
		err = release(ctx, root, os.Args[1], time.Now(), os.Stdout)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

const (
	modulePath   = "github.com/securebedrock/securebedrock-go"
	versionsFile = "internal/checks/release/versions.json"
)

// versions is the file that says what is released.
type versions struct {
	Version string   `json:"version"` // the last or the coming one
	Modules []string `json:"modules"` // directories; the root module is "."
}

// release prepares a version in a clean checkout.
func release(ctx context.Context, root, version string, now time.Time, out io.Writer) error {
	v, err := readVersions(root)
	if err != nil {
		return err
	}
	if err := follows(version, v.Version); err != nil {
		return err
	}
	if dirty, err := output(ctx, root, "git", "status", "--porcelain"); err != nil || dirty != "" {
		return errors.Join(err, fmt.Errorf("the checkout is not clean; commit or stash first:\n%s", dirty))
	}
	for _, m := range v.Modules {
		if tag, err := output(ctx, root, "git", "tag", "--list", tagOf(m, version)); err != nil || tag != "" {
			return errors.Join(err, fmt.Errorf("the tag %s is there already; a version that is out never changes", tagOf(m, version)))
		}
	}
	all, err := modules(ctx, root)
	if err != nil {
		return err
	}
	for _, m := range v.Modules {
		if !slices.Contains(all, m) {
			return fmt.Errorf("%s names %s, which has no go.mod", versionsFile, m)
		}
	}
	v.Version = version
	if err := v.write(root); err != nil {
		return err
	}
	for _, m := range all {
		if err := require(ctx, root, m, version); err != nil {
			return err
		}
	}
	if err := changelog(filepath.Join(root, "CHANGELOG.md"), version, now); err != nil {
		return err
	}
	for _, m := range v.Modules {
		fmt.Fprintf(out, "# building %s\n", pathOf(m))
		if _, err := output(ctx, filepath.Join(root, m), "go", "build", "./..."); err != nil {
			return err
		}
	}
	var installed []command
	for _, m := range v.Modules {
		c, err := installable(ctx, root, m)
		if err != nil {
			return err
		}
		installed = append(installed, c...)
	}
	commands(out, v, installed)
	return nil
}

func readVersions(root string) (v versions, err error) {
	text, err := os.ReadFile(filepath.Join(root, versionsFile))
	if err != nil {
		return v, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("%s: %w", versionsFile, err)
	}
	return v, nil
}

func (v versions) write(root string) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, versionsFile), append(text, '\n'), 0o644)
}

// modules are the directories of all modules of the repository.
func modules(ctx context.Context, root string) ([]string, error) {
	list, err := output(ctx, root, "git", "ls-files", "go.mod", "*/go.mod")
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, file := range strings.Fields(list) {
		if !strings.Contains(file, "testdata/") {
			dirs = append(dirs, filepath.ToSlash(filepath.Dir(file)))
		}
	}
	return dirs, nil
}

func pathOf(module string) string {
	if module == "." {
		return modulePath
	}
	return modulePath + "/" + module
}

func tagOf(module, version string) string {
	if module == "." {
		return version
	}
	return module + "/" + version
}

// require sets the version of each module of this repository that a module requires.
func require(ctx context.Context, root, module, version string) error {
	dir := filepath.Join(root, module)
	text, err := output(ctx, dir, "go", "mod", "edit", "-json")
	if err != nil {
		return err
	}
	var mod struct{ Require []struct{ Path string } }
	if err := json.Unmarshal([]byte(text), &mod); err != nil {
		return err
	}
	args := []string{"mod", "edit"}
	for _, r := range mod.Require {
		if r.Path == modulePath || strings.HasPrefix(r.Path, modulePath+"/") {
			args = append(args, "-require="+r.Path+"@"+version)
		}
	}
	if len(args) == 2 {
		return nil
	}
	_, err = output(ctx, dir, "go", args...)
	return err
}

const unreleased = "## [Unreleased]"

// changelog gives what is unreleased the version's name.
func changelog(path, version string, now time.Time) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, after, ok := strings.Cut(string(text), unreleased+"\n")
	if !ok {
		return fmt.Errorf("CHANGELOG.md has no section %q", unreleased)
	}
	section, _, _ := strings.Cut(after, "\n## ")
	if strings.TrimSpace(section) == "" {
		return errors.New("CHANGELOG.md says nothing under [Unreleased]; tell what has changed")
	}
	heading := fmt.Sprintf("## [%s] - %s", strings.TrimPrefix(version, "v"), now.UTC().Format(time.DateOnly))
	return os.WriteFile(path, []byte(before+unreleased+"\n\n"+heading+"\n"+after), 0o644)
}

// commands prints what publishes the version. All tags go out in one push: a module
// that can be got requires others that can be got.
func commands(out io.Writer, v versions, installed []command) {
	fmt.Fprintf(out, "\n# Look at the difference and run ./check. Then:\ngit commit -am 'Release %s'\n", v.Version)
	var tags []string
	for _, m := range v.Modules {
		tag := tagOf(m, v.Version)
		tags = append(tags, tag)
		fmt.Fprintf(out, "git tag -s -m %s %s\n", tag, tag)
	}
	for _, c := range installed {
		fmt.Fprintln(out, c.restore())
	}
	if len(installed) > 0 {
		fmt.Fprintln(out, "git commit -am 'Build the commands from the checkout again'")
	}
	fmt.Fprintf(out, "git push --atomic origin main %s\n", strings.Join(tags, " "))
}

// output runs a command and returns what it prints, without the last newline. Its
// modules are those of the checkout and of no workspace.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) // git and go with arguments of ours
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimRight(stdout.String(), "\n"), nil
}
