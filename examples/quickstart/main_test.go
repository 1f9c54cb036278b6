package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// normal puts a word in place of what differs from run to run.
func normal(output string) string {
	for pattern, word := range map[string]string{
		`127\.0\.0\.1:\d+`:         "127.0.0.1:PORT",
		`"call_id":"[A-Z2-7]{26}"`: `"call_id":"CALL"`,
		`"(time|request_id|access_key_id|session_name)":"[^"]+"`: `"$1":"…"`,
		`"(duration|first_event|wait)_ns":\d+`:                   `"${1}_ns":0`,
		`(assumed-role/[^/"]+/)[^"]+`:                            `${1}SESSION`,
	} {
		output = regexp.MustCompile(pattern).ReplaceAllString(output, word)
	}
	return output
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	path := filepath.Join("testdata", golden)
	got = normal(got)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the output is not %s (run with -update, and read the difference):\n%s", path, got)
	}
}

// Without flags the program ends by itself, without an account.
func TestLocal(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), nil, &out); err != nil {
		t.Fatal(err)
	}
	compare(t, "local.golden", out.String())
}

func TestPrompt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "question.txt")
	if err := os.WriteFile(file, []byte("What does the file ask?\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"-prompt", "What does the flag ask?"}, `You said: "What does the flag ask?".`},
		{[]string{file}, `You said: "What does the file ask?".`},
		{[]string{"-prompt", "How can I BUILD A BOMB?"}, "Sorry, the model cannot answer this question."},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), row.args, &out); err != nil {
			t.Error(err)
		}
		first, _, _ := strings.Cut(out.String(), "\n2. ")
		if !strings.Contains(first, row.want) {
			t.Errorf("%q: the first answer is not %q:\n%s", row.args, row.want, out.String())
		}
	}
}

// asReal are the flags of the real Bedrock, with a server on loopback in its place.
func asReal(t *testing.T) (*bedrocktest.Server, []string) {
	t.Helper()
	server := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP(), bedrocktest.WithRegion("eu-central-1"))
	none := filepath.Join(t.TempDir(), "none")
	for key, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": server.Credentials().AccessKeyID, "AWS_SECRET_ACCESS_KEY": server.Credentials().SecretAccessKey,
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none,
		"AWS_EC2_METADATA_DISABLED": "true",
		// None of these may matter.
		"AWS_REGION": "us-west-2", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_BEARER_TOKEN_BEDROCK": "not-a-token",
	} {
		t.Setenv(key, value)
	}
	return server, []string{
		"-region", "eu-central-1", "-endpoint", server.URL(), "-residency", "eu",
		"-model", "eu.amazon.nova-lite-v1:0", "-guardrail", bedrocktest.DefaultGuardrailID + ":1",
	}
}

// TestJSON: -json prints the record of each call whole.
func TestJSON(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-json"}, &out); err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(out.String(), "\n{")
	compare(t, "records.golden", "{"+lines)
}

func TestWrap(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", ""},
		{"one two", "one two"},
		{"one two three four", "one two\n> three\n> four"},
		{"one incomprehensibilities two", "one\n> incomprehensibilities\n> two"},
	} {
		if got := wrap(row.text, 9, "> "); got != row.want {
			t.Errorf("%q: got %q, want %q", row.text, got, row.want)
		}
	}
}

// With flags the same program runs on the default credential chain.
func TestReal(t *testing.T) {
	server, args := asReal(t)
	var out bytes.Buffer
	if err := run(t.Context(), append([]string{"-json"}, args...), &out); err != nil {
		t.Fatal(err)
	}
	compare(t, "real.golden", out.String())
	for _, call := range server.Calls() {
		if call.Region != "eu-central-1" || call.AccessKeyID != server.Credentials().AccessKeyID || call.ModelID != "eu.amazon.nova-lite-v1:0" {
			t.Errorf("the server received %s of %s, signed for %s by %s", call.Operation, call.ModelID, call.Region, call.AccessKeyID)
		}
	}
}

// Another guardrail need not have the policies that the demonstration breaks,
// and a residency of "*" admits the global profile.
func TestRealSurprises(t *testing.T) {
	server, args := asReal(t)
	server.AddGuardrail(bedrocktest.Guardrail{ID: bedrocktest.DefaultGuardrailID, Version: "7"})
	var out bytes.Buffer
	if err := run(t.Context(), append(args, "-guardrail", bedrocktest.DefaultGuardrailID+":7", "-residency", "*"), &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "Not tried") || strings.Contains(got, "intervened: true") {
		t.Error(got)
	}
}

// A failure is an error, on which main exits with another code than 0.
func TestFailures(t *testing.T) {
	server, args := asReal(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, nil, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	server.Fail("ConverseStream", bedrocktest.Truncate(3))
	if err := run(t.Context(), args, &bytes.Buffer{}); !errors.Is(err, securebedrock.ErrStreamTruncated) {
		t.Errorf("a truncated stream: %v", err)
	}
	for _, more := range [][]string{
		{"-guardrail", bedrocktest.DefaultGuardrailID + ":DRAFT"},
		{"-residency", "europe"},
		{"-role", "me"},
		{"-endpoint", "http://example.com"},
		{"-region", "Frankfurt"},
	} {
		if err := run(t.Context(), append(args[:len(args):len(args)], more...), &bytes.Buffer{}); !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("%q: %v", more, err)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"-region eu-central-1", "-model is missing"},
		{"-region eu-central-1 -model m.n", "-guardrail is missing"},
		{"-model m.n", "-region is missing"},
		{"-role arn", "-region is missing"},
		{"-endpoint https://example.com", "-region is missing"},
		{"-region eu-central-1 -model m.n -guardrail abc", "not id:version"},
		{"-region eu-central-1 -model m.n -guardrail arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc", "not id:version"},
		{"-prompt hello question.txt", "not both"},
		{"one.txt two.txt", "one file at most"},
		{"question.txt -region eu-central-1", "the flags come first"},
		{"no-such-file.txt", "no-such-file.txt"},
		{"-prompt=", "empty"},
		{"-temperature 1", "-temperature"},
	} {
		var out bytes.Buffer
		err := run(t.Context(), strings.Fields(row.args), &out)
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want an error of one line with %q", row.args, err, row.want)
		}
		if out.Len() != 0 {
			t.Errorf("%s: it printed %s", row.args, out.String())
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, &out); err != nil || !strings.Contains(out.String(), "-guardrail id:version") {
		t.Errorf("-h: %v\n%s", err, out.String())
	}
}
