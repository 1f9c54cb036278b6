package clients_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// awscli is the AWS CLI of a name. It has no command for a stream: newer versions leave
// the streaming operations out, and Debian's prints the name of a Python object.
func awscli(name string, does ...string) *client {
	found := sync.OnceValues(func() (string, error) {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", missing("install the AWS CLI as " + name + ": the Debian package is awscli")
		}
		out, err := exec.Command(path, "--version").Output()
		m := regexp.MustCompile(`aws-cli/(\S+)`).FindSubmatch(out)
		if err != nil || m == nil {
			return "", missing("install an AWS CLI that starts: " + name + " --version fails")
		}
		return string(m[1]), nil
	})
	unknown := sync.OnceValue(func() bool {
		out, _ := exec.Command(name, "bedrock-runtime", "converse").CombinedOutput()
		return bytes.Contains(out, []byte("Invalid choice"))
	})
	return &client{
		name: "aws-cli", does: does,
		explicit: true,
		version: func() string {
			version, err := found()
			if err != nil {
				return name
			}
			return version
		},
		need: func(t testing.TB) {
			_, err := found()
			have(t, "AWS CLI "+name, err)
		},
		begin: func(t testing.TB, e environment) asker {
			return &cli{name, append(base(t), e.variables()...), t.TempDir()}
		},
		models: unknown, unsigns: true, kinds: kindsOfCLI(name),
	}
}

// kindsOfCLI are the exit statuses and the names of errors.
func kindsOfCLI(name string) map[result]kind {
	status, none := "exit status 254", "exit status 253"
	if out, err := exec.Command(name, "--version").Output(); err == nil && bytes.HasPrefix(out, []byte("aws-cli/1.")) {
		status, none = "exit status 255", "exit status 255"
	}
	return map[result]kind{
		refused:    {status, "AccessDeniedException", 0},
		throttled:  {status, "ThrottlingException", 0},
		badSecret:  {status, "InvalidSignatureException", 0},
		unknownKey: {status, "UnrecognizedClientException", 0},
		unsigned:   {status, "MissingAuthenticationTokenException", 0},
		noKey:      {none, "", 0},
	}
}

// cli runs one process a call.
type cli struct {
	name string
	env  []string
	dir  string
}

const weather = `{"tools":[{"toolSpec":{"name":"weather","description":"The weather of a city","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}}],"toolChoice":{"tool":{"name":"weather"}}}`

func (c *cli) ask(t testing.TB, o order) told {
	t.Helper()
	quote := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	messages := quote([]any{map[string]any{"role": "user", "content": []any{map[string]any{"text": o.Prompt}}}})
	body := filepath.Join(c.dir, "answer.json")
	var args []string
	switch o.Do {
	case "unary", "tools":
		args = []string{"converse", "--model-id", o.Model, "--messages", messages}
		if o.Do == "tools" {
			args = append(args, "--tool-config", weather)
		}
		if o.Guardrail != "" {
			args = append(args, "--guardrail-config", quote(map[string]string{"guardrailIdentifier": o.Guardrail, "guardrailVersion": "1"}))
		}
	case "invoke":
		request := filepath.Join(c.dir, "request.json")
		text := quote(map[string]any{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": []any{map[string]any{"role": "user", "content": o.Prompt}}})
		if err := os.WriteFile(request, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = []string{"invoke-model", "--model-id", o.Model, "--content-type", "application/json", "--body", "fileb://" + request, body}
		if o.Guardrail != "" {
			args = append(args, "--guardrail-identifier", o.Guardrail, "--guardrail-version", "1")
		}
	case "count-tokens":
		args = []string{"count-tokens", "--model-id", o.Model, "--input", `{"converse":{"messages":` + messages + `}}`}
	case "apply-guardrail":
		args = []string{"apply-guardrail", "--guardrail-identifier", o.Guardrail, "--guardrail-version", "1", "--source", "INPUT", "--content", quote([]any{map[string]any{"text": map[string]any{"text": o.Prompt}}})}
	case "list-async":
		args = []string{"list-async-invokes", "--max-results", "5"}
	case "start-async":
		args = []string{"start-async-invoke", "--model-id", o.Model, "--model-input", quote(map[string]any{"text": o.Prompt}), "--output-data-config", `{"s3OutputDataConfig":{"s3Uri":"s3://example"}}`}
	default:
		t.Fatalf("the AWS CLI cannot %s", o.Do)
	}
	if o.Unsigned {
		args = append(args, "--no-sign-request")
	}
	cmd := exec.CommandContext(t.Context(), c.name, append([]string{"bedrock-runtime", "--endpoint-url", o.Endpoint, "--output", "json"}, args...)...)
	cmd.Env = c.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return told{Error: cliFailure(t, err, stderr.String())}
	}
	if o.Do == "invoke" {
		if out, err = os.ReadFile(body); err != nil {
			t.Fatal(err)
		}
	}
	return readCLI(t, out)
}

// cliFailure reads what the AWS CLI tells a person. Its class is the exit status.
func cliFailure(t testing.TB, err error, text string) *failure {
	t.Helper()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	f := &failure{Class: exit.String(), Message: strings.TrimSpace(text)}
	if m := regexp.MustCompile(`An error occurred \((\w+)\)`).FindStringSubmatch(text); m != nil {
		f.Name = m[1]
	}
	return f
}

// readCLI reads an answer of any of the operations.
func readCLI(t testing.TB, text []byte) told {
	t.Helper()
	type block struct {
		Text    string
		ToolUse *tool
	}
	var answer struct {
		Output  struct{ Message struct{ Content []block } }
		Outputs []block
		Content []block

		StopReason, Action, InvocationArn string
		Stop                              string `json:"stop_reason"`
		InputTokens                       int
		Usage                             struct{ TotalTokens int }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("the AWS CLI wrote %q: %v", text, err)
	}
	read := told{
		Text: answer.InvocationArn, Stop: answer.StopReason + answer.Stop + answer.Action,
		Tokens: answer.InputTokens + answer.Usage.TotalTokens,
	}
	for _, b := range append(append(answer.Output.Message.Content, answer.Outputs...), answer.Content...) {
		read.Text += b.Text
		if b.ToolUse != nil {
			read.Tool = b.ToolUse
		}
	}
	return read
}
