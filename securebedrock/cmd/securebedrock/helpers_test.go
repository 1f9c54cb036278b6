package main

import (
	"os"
	"testing"
)

const sound = `region: eu-central-1
residency: [eu-north-1, eu-west-1, eu-west-3, eu-south-1, eu-south-2]
guardrail: {id: abc123, version: "1"}
models:
  - anthropic.claude-3-haiku-20240307-v1:0
  - eu.anthropic.claude-3-haiku-20240307-v1:0
  - cohere.command-text-v14
account:
  id: "123456789012"
`

func writeConfig(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// asCommand makes the test binary the command itself, so that tests can run it as a
// process and send it signals.
const asCommand = "SECUREBEDROCK_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		limitFiles(os.Getenv(fileLimit))
		main()
	}
	os.Exit(m.Run())
}
