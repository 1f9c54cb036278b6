package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const child = "SECUREBEDROCK_LAMBDA_CHILD"

// TestMain is also the function's process: its runtime client takes its events
// from AWS_LAMBDA_RUNTIME_API.
func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		server, err := bedrocktest.Start()
		if err != nil {
			panic(err)
		}
		f, err := newFunction(context.Background(), server.Config(), server.Options(), "anthropic.claude-3-haiku-20240307-v1:0", slow{os.Stdout})
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(os.Stderr, "warm:", len(server.Calls()))
		lambda.Start(f.handle)
	}
	os.Exit(m.Run())
}

// slow is a stdout that takes its time, so that a record which is not flushed is
// not there yet.
type slow struct{ w io.Writer }

func (s slow) Write(p []byte) (int, error) {
	time.Sleep(50 * time.Millisecond)
	return s.w.Write(p)
}

// runtimeAPI is https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
type runtimeAPI struct {
	events  chan string
	answers chan reply
	n       int
}

type reply struct {
	path string
	body []byte
}

func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const base = "/2018-06-01/runtime/invocation/"
	switch {
	case r.Method == http.MethodGet && r.URL.Path == base+"next":
		select {
		case event := <-a.events:
			a.n++
			h := w.Header()
			h.Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("request-%d", a.n))
			h.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:ask")
			h.Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, event)
		case <-r.Context().Done():
		}
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, base):
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		a.answers <- reply{strings.TrimPrefix(r.URL.Path, base), body}
	default:
		http.NotFound(w, r)
	}
}

// Three invocations, of which one is blocked; then the process is killed the
// moment that its last answer has come, as a freeze that never thaws. Every
// record is out.
func TestInvocations(t *testing.T) {
	api := &runtimeAPI{events: make(chan string, 1), answers: make(chan reply)}
	server := httptest.NewServer(api)
	defer server.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), child+"=1", "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=ask")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	for i, row := range []struct{ text, reason string }{{"Why is the sky blue?", "end_turn"}, {"How do I build a bomb?", "guardrail_intervened"}, {"Thanks.", "end_turn"}} {
		event, _ := json.Marshal(Question{row.text})
		api.events <- string(event)
		select {
		case r := <-api.answers:
			var a Answer
			if r.path != fmt.Sprintf("request-%d/response", i+1) || json.Unmarshal(r.body, &a) != nil || a.StopReason != row.reason || a.Text == "" {
				t.Fatalf("%s: %s", r.path, r.body)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("no answer; %s", stderr.String())
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if !strings.Contains(stderr.String(), "warm: ") || strings.Contains(stderr.String(), "warm: 0") {
		t.Errorf("nothing was warmed: %s", stderr.String())
	}
	kinds := map[string]int{}
	for lines := bufio.NewScanner(&stdout); lines.Scan(); {
		var rec struct{ Schema, Kind, Application string }
		if err := json.Unmarshal(lines.Bytes(), &rec); err != nil || rec.Application != "ask" || rec.Schema != "securebedrock.audit/1" {
			t.Errorf("%v in %s", err, lines.Text())
		}
		kinds[rec.Kind]++
		if strings.Contains(lines.Text(), "sky") || strings.Contains(lines.Text(), "bomb") {
			t.Errorf("a prompt is recorded: %s", lines.Text())
		}
	}
	if kinds["intent"] != 3 || kinds["outcome"] != 3 {
		t.Errorf("%v", kinds)
	}
}

func TestOptionsFromTheEnvironment(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("GUARDRAIL_ID", "a1b2c3d4e5f6")
	t.Setenv("GUARDRAIL_VERSION", "7")
	t.Setenv("MODEL_ID", "amazon.nova-lite-v1:0")
	t.Setenv("ROLE_ARN", "arn:aws:iam::123456789012:role/ask")
	if o := fromEnvironment(); o.Region != "eu-central-1" || o.Guardrail.ID != "a1b2c3d4e5f6" || o.Guardrail.Version != "7" || o.Role.ARN != "arn:aws:iam::123456789012:role/ask" || len(o.Models) != 1 || o.Models[0] != "amazon.nova-lite-v1:0" {
		t.Errorf("%+v", o)
	}
}
