package main

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// record makes calls with a log under the keys that the command has made.
func record(t *testing.T, log string, calls int) {
	t.Helper()
	keys, err := audit.LoadKeys("keys.json")
	if err != nil {
		t.Fatal(err)
	}
	sink, err := audit.Open(log, keys, audit.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	middleware, err := audit.Middleware(sink, audit.Options{Application: "test"})
	if err != nil {
		t.Fatal(err)
	}
	server := bedrocktest.NewServer(t)
	opts := server.Options()
	opts.Middleware = []securebedrock.Middleware{middleware}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		t.Fatal(err)
	}
	for range calls {
		if _, err := client.InvokeModelSafely(t.Context(), "anthropic.claude-3-haiku-20240307-v1:0", []types.Message{{
			Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hello!"}},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAudit(t *testing.T) {
	t.Chdir(t.TempDir())
	code, stdout, stderr := call("", "audit", "keys")
	if code != exitOK || stderr != "" || !strings.Contains(stdout, "keys.json is written") {
		t.Fatalf("%d %q %q", code, stdout, stderr)
	}
	made, err := os.ReadFile("keys.json")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat("keys.json"); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v %v", info.Mode(), err)
	}
	if code, _, stderr := call("", "audit", "keys"); code != exitFault || !strings.Contains(stderr, "keys never overwrites a file") {
		t.Errorf("a second time: %d %s", code, stderr)
	}
	if again, _ := os.ReadFile("keys.json"); !bytes.Equal(again, made) {
		t.Error("the keys are overwritten")
	}
	record(t, "audit.log", 3)
	code, stdout, stderr = call("", "audit", "verify", "audit.log")
	if code != exitOK || stderr != "" || !strings.HasPrefix(stdout, "audit.log verifies: 7 records, 1 checkpoint, 1 chain\n") {
		t.Fatalf("%d %q %q", code, stdout, stderr)
	}
	whole, err := os.ReadFile("audit.log")
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	verify := func(text []byte, args ...string) (int, string, string) {
		if err := os.WriteFile("audit.log", text, 0o600); err != nil {
			t.Fatal(err)
		}
		return call("", append([]string{"audit", "verify", "audit.log"}, args...)...)
	}
	without := bytes.Join(append(append([][]byte{}, lines[:2]...), lines[3:]...), nil)
	if code, stdout, stderr := verify(without); code != exitFinding || stderr != "" || !strings.Contains(stdout, "finding: line 3: removed") || !strings.Contains(stdout, "audit.log does not verify: ") {
		t.Errorf("a line taken out: %d %q %q", code, stdout, stderr)
	}
	cut := bytes.Join(lines[:4], nil)
	if code, stdout, _ := verify(cut, "--open"); code != exitFinding || !strings.Contains(stdout, "finding: ") {
		t.Errorf("a log that was cut, with its checkpoints: %d %q", code, stdout)
	}
	if code, stdout, _ := verify(cut, "--open", "--without-checkpoints"); code != exitOK || !strings.Contains(stdout, "note: ") {
		t.Errorf("a log that is still being written: %d %q", code, stdout)
	}
	if code, _, _ := verify(cut, "--without-checkpoints"); code != exitFinding {
		t.Errorf("a log without its end: %d", code)
	}
	if err := os.Rename("audit.log.checkpoints", "kept"); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := verify(whole, "--checkpoints", "kept"); code != exitOK {
		t.Errorf("checkpoints kept elsewhere: %d %q %q", code, stdout, stderr)
	}
	if code, stdout, _ := verify(cut, "--open", "--checkpoints", "kept"); code != exitFinding {
		t.Errorf("a log that was cut, with checkpoints kept elsewhere: %d %q", code, stdout)
	}
	if code, stdout, _ := verify(whole, "--checkpoints", "kept", "--stream", "another"); code != exitFinding {
		t.Errorf("a chain that is not there: %d %q", code, stdout)
	}
	if code, _, stderr := verify(whole); code != exitFault || !strings.Contains(stderr, "give the checkpoints with --checkpoints") {
		t.Errorf("no checkpoints: %d %s", code, stderr)
	}
	if err := os.WriteFile("none", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := verify(whole, "--checkpoints", "none"); code != exitFault || !strings.Contains(stderr, "none has no checkpoint") {
		t.Errorf("an empty file of checkpoints: %d %s", code, stderr)
	}
	if code, _, stderr := verify(whole, "--keys", "none"); code != exitFault || stderr == "" {
		t.Errorf("no keys: %d %s", code, stderr)
	}
	if code, _, stderr := call("", "audit", "verify", "another.log"); code != exitFault || !strings.Contains(stderr, "another.log") {
		t.Errorf("no log: %d %s", code, stderr)
	}
	if code, _, _ := call("", "audit", "keys", "-o", "other.json"); code != exitOK {
		t.Fatal(code)
	}
	if code, stdout, _ := verify(whole, "--keys", "other.json", "--checkpoints", "kept"); code != exitFinding {
		t.Errorf("other keys: %d %q", code, stdout)
	}
}
