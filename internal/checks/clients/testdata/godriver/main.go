// Command godriver runs one SDK call for each line of stdin, a JSON object {sdk, do, ...},
// and writes one JSON line with what the SDK told its caller. It ends with its input.
//
// It is a module of its own: fantasy needs a newer Go than this repository, and neither
// SDK's requirements reach another module. It stands under testdata, so that no check
// builds it but the test that runs it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
)

type order struct {
	SDK       string `json:"sdk"`
	Do        string `json:"do"`
	Endpoint  string `json:"endpoint"`
	Model     string `json:"model"`
	Prompt    string `json:"prompt"`
	Guardrail string `json:"guardrail"`
}

type told struct {
	Text      string   `json:"text"`
	Stop      string   `json:"stop"`
	Events    int      `json:"events"`
	Tokens    int64    `json:"tokens"`
	RequestID string   `json:"requestId"`
	Tool      *tool    `json:"tool,omitempty"`
	Error     *failure `json:"error,omitempty"`
}

type tool struct {
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

type failure struct {
	Class      string `json:"class"`
	Name       string `json:"name"`
	Status     int    `json:"status"`
	Message    string `json:"message"`
	RequestID  string `json:"requestId"`
	RetryAfter string `json:"retryAfter"`
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	sdks := map[string]func(context.Context, order, *told) error{"anthropic": runAnthropic, "fantasy": runFantasy}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var o order
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			return err
		}
		t := &told{}
		if err := sdks[o.SDK](ctx, o, t); err != nil {
			t.Error = describe(err)
		}
		if err := out.Encode(t); err != nil {
			return err
		}
	}
	return in.Err()
}
