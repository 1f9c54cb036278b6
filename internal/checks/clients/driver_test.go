package clients_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// order is what a driver is asked to do: one call of one SDK.
type order struct {
	SDK       string `json:"sdk,omitempty"`
	Do        string `json:"do"`
	Endpoint  string `json:"endpoint,omitempty"` // for SDKs that read none from the environment
	Model     string `json:"model,omitempty"`
	Prompt    string `json:"prompt,omitempty"`
	Guardrail string `json:"guardrail,omitempty"` // the caller's own
	Unsigned  bool   `json:"unsigned,omitempty"`  // the program switches signing off
}

// told is what an SDK told its caller.
type told struct {
	Text      string   `json:"text"`
	Stop      string   `json:"stop"`
	Events    int      `json:"events"`
	Tokens    int      `json:"tokens"`
	RequestID string   `json:"requestId"`
	Tool      *tool    `json:"tool"`
	Error     *failure `json:"error"`
}

type tool struct {
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

// failure is an SDK's error, as a program sees it.
type failure struct {
	Class     string `json:"class"`  // the type of the error
	Name      string `json:"name"`   // its code
	Status    int    `json:"status"` // of HTTP
	Message   string `json:"message"`
	RequestID string `json:"requestId"`
	// RetryAfter is the header of that name, where the error has the answer's headers.
	RetryAfter string `json:"retryAfter"`
}

func (f *failure) String() string {
	if f == nil {
		return "no error"
	}
	return fmt.Sprintf("%s %s %d: %s", f.Class, f.Name, f.Status, f.Message)
}

// driver is a process that runs an SDK's calls, one at a time.
type driver struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// asker runs the calls of an SDK.
type asker interface {
	ask(t testing.TB, o order) told
}

// base is what a process needs to run at all. Nothing of the test's own environment
// reaches an SDK.
func base(t testing.TB) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8",
		// No SDK looks for credentials at the address of the instance's metadata.
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// start starts a process in an environment that holds nothing but env and the base.
func start(t testing.TB, dir string, env []string, command ...string) *driver {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = dir, &lines{t: t, name: command[0]}, 5*time.Second
	cmd.Env = append(base(t), env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &driver{in, bufio.NewReaderSize(out, 1<<20)}
}

// ask runs one call.
func (d *driver) ask(t testing.TB, o order) told {
	t.Helper()
	line, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.in.Write(append(line, '\n')); err != nil {
		t.Fatalf("the driver does not read: %v", err)
	}
	answer, err := d.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("the driver ended in %s: %v", o.Do, err)
	}
	var told told
	if err := json.Unmarshal(answer, &told); err != nil {
		t.Fatalf("the driver wrote %q: %v", answer, err)
	}
	return told
}

// lines writes a process's standard error into the test's log.
type lines struct {
	t    testing.TB
	name string
}

func (l *lines) Write(p []byte) (int, error) {
	l.t.Logf("%s: %s", l.name, strings.TrimSpace(string(p)))
	return len(p), nil
}
