package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds the folder of the golden files, since tests change the folder.
func golden(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// call runs the command with an input and returns what it says.
func call(input string, args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = run(args, strings.NewReader(input), &out, &errs)
	return code, out.String(), errs.String()
}

// compare holds a text against a golden file.
func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != got {
		t.Errorf("%v: %s differs; got\n%s", err, filepath.Base(path), got)
	}
}

// everyCommand is the root and all that is under it.
func everyCommand() []*cobra.Command {
	all := []*cobra.Command{newRoot()}
	for i := 0; i < len(all); i++ {
		all = append(all, all[i].Commands()...)
	}
	return all
}

// TestHelp keeps the help of every command, which has an example and says what each flag is.
func TestHelp(t *testing.T) {
	for _, c := range everyCommand() {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		args := strings.Fields(c.CommandPath())[1:]
		code, stdout, stderr := call("", append(args, "--help")...)
		if code != exitOK || stderr != "" {
			t.Errorf("%s --help: %d %s", c.CommandPath(), code, stderr)
		}
		compare(t, golden(t, filepath.Join("help", name+".golden")), stdout)
		if _, again, _ := call("", append([]string{"help"}, args...)...); again != stdout {
			t.Errorf("help %v says something else:\n%s", args, again)
		}
		if c.Name() != "help" && c.Name() != "version" && c.Name() != "audit" && c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, line := range strings.Split(c.Long+"\n"+c.Example, "\n") {
			if len(line) > 95 {
				t.Errorf("%s: the line is longer than 95 characters: %s", c.CommandPath(), line)
			}
		}
	}
}

// TestExamplesOfTheHelpParse runs each example of the help, in order, in a folder that has
// what they name, and demands that the command line is right.
func TestExamplesOfTheHelpParse(t *testing.T) {
	for _, c := range everyCommand() {
		text := strings.ReplaceAll(c.Example, "\\\n", " ")
		for _, line := range strings.Split(text, "\n") {
			line, _, _ = strings.Cut(line, "#")
			line, _, _ = strings.Cut(line, "&&")
			line, _, _ = strings.Cut(line, ">")
			line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "source <("), ")")
			args := strings.Fields(line)
			if len(args) < 2 || args[0] != "securebedrock" || len(args) == 2 && args[1] == "init" {
				continue
			}
			t.Run(line, func(t *testing.T) {
				t.Chdir(t.TempDir())
				if code, _, stderr := call("", args[1:]...); code == exitUsage {
					t.Errorf("the example is no command line: %s", stderr)
				}
			})
		}
	}
}

func TestUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, row := range []struct{ line, want string }{
		{"", "name a command: audit, completion, explain, init, policies, proxy, version\nRun 'securebedrock --help' for usage.\n"},
		{"polices", `"polices" is no command; did you mean policies?`},
		{"fly", `"fly" is no command; name one of audit, completion, explain, init, policies, proxy, version`},
		{"--fly", "unknown flag: --fly\nRun 'securebedrock --help' for usage."},
		{"policies --fly", "unknown flag: --fly\nRun 'securebedrock policies --help' for usage."},
		{"policies", "name the folder: -o DIR"},
		{"policies -o", "flag needs an argument"},
		{"policies -o a b", `securebedrock policies takes no argument, and "b" is one`},
		{"init x", `securebedrock init takes no argument, and "x" is one`},
		{"init", "a region is needed, and a guardrail or the reason for having none"},
		{"init --region eu-central-1", "a region is needed, and a guardrail"},
		{"init --region mars --unguarded x", "region: \"mars\" is not the name of a region"},
		{"init --region eu-central-1 --guardrail abc", "guardrail.version: "},
		{"init --region eu-central-1 --guardrail abc --guardrail-version DRAFT", "guardrail.version: DRAFT changes with every edit"},
		{"init --region eu-central-1 --guardrail abc --guardrail-version 1 --account 12", "account.id: \"12\" is not an account's twelve digits"},
		{"init --region eu-central-1 --unguarded ${WHY}", "the value has ${"},
		{"audit", "name a command: keys, verify\nRun 'securebedrock audit --help' for usage."},
		{"audit very", `"very" is no command; did you mean verify?`},
		{"audit verify", "name a log, such as audit.log"},
		{"audit verify a b", `name one argument, a log; "b" is another`},
		{"audit verify a --checkpoints b --without-checkpoints", "exclude each other"},
		{"audit keys x", "takes no argument"},
		{"completion", "name a shell, such as bash"},
		{"completion tcsh", `"tcsh" is no shell that is known`},
		{"help fly", `"fly" is no command`},
		{"help audit fly", `"fly" is no command; name one of keys, verify`},
		{"version 2", "takes no argument"},
	} {
		code, stdout, stderr := call("", strings.Fields(row.line)...)
		if code != exitUsage || !strings.Contains(stderr, row.want) || stdout != "" {
			t.Errorf("%q: code %d, stdout %q, stderr %q", row.line, code, stdout, stderr)
		}
		if !strings.HasPrefix(stderr, "securebedrock: ") || strings.Count(stderr, "Run 'securebedrock") != 1 {
			t.Errorf("%q: stderr %q", row.line, stderr)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("a wrong command line has written %v %v", left, err)
	}
}

// brokenWriter is a full disk.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestOutputThatFailsIsAFault(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, line := range []string{"version", "--help", "init --example", "completion bash", "audit keys"} {
		var errs strings.Builder
		if code := run(strings.Fields(line), strings.NewReader(""), brokenWriter{}, &errs); code != exitFault || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("%s: code %d, %s", line, code, errs.String())
		}
	}
}

func TestCompletion(t *testing.T) {
	for shell, want := range map[string]string{"bash": "__start_securebedrock", "fish": "complete -c securebedrock", "powershell": "Register-ArgumentCompleter", "zsh": "#compdef securebedrock"} {
		code, stdout, stderr := call("", "completion", shell)
		if code != exitOK || !strings.Contains(stdout, want) || stderr != "" {
			t.Errorf("%s: %d %q", shell, code, stderr)
		}
	}
	if _, stdout, _ := call("", "__complete", "audit", ""); !strings.Contains(stdout, "keys\t") || !strings.Contains(stdout, "verify\t") {
		t.Errorf("audit completes to %q", stdout)
	}
}

// TestEnvironmentChangesNothing sets every variable that a program over AWS could heed.
func TestEnvironmentChangesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	writeConfig(t, "securebedrock.yaml", sound)
	lines := []string{"policies -o out", "explain anthropic.claude-3-haiku-20240307-v1:0", "--help"}
	all := func() string {
		var b strings.Builder
		for _, line := range lines {
			code, stdout, stderr := call("", strings.Fields(line)...)
			fmt.Fprintln(&b, code, stdout, stderr)
		}
		return b.String()
	}
	want := all()
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_BEARER_TOKEN_BEDROCK", "AWS_LAMBDA_FUNCTION_NAME",
		"SECUREBEDROCK_CONFIG", "SECUREBEDROCK_REGION", "SECUREBEDROCK_ACTIVE_HELP", "REGION", "HOME"} {
		t.Setenv(name, "us-east-1")
	}
	if got := all(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
