package clients_test

import (
	"path/filepath"
	"testing"
)

// client is an SDK, and how a test runs it.
type client struct {
	name string // for the tests' names
	sdk  string // what the driver calls it
	does []string
	// need skips the test where the machine lacks the client.
	need func(t testing.TB)
	// command starts the driver.
	command func(t testing.TB) (dir string, command []string)
	version func() string
	// explicit: the SDK reads no endpoint from the environment.
	explicit bool
	// models: the client needs AWS's model of the API beside its own.
	models func() bool
}

func (c *client) order(do, endpoint string) order {
	o := order{SDK: c.sdk, Do: do, Model: haiku, Prompt: hello}
	if c.explicit {
		o.Endpoint = endpoint
	}
	return o
}

// title names the client and its version, for tests and for golden files.
func (c *client) title() string { return c.name + "-" + c.version() }

func (c *client) start(t testing.TB, e environment) *driver {
	t.Helper()
	dir, command := c.command(t)
	if c.models != nil && c.models() {
		e.more = append(e.more, "AWS_DATA_PATH="+dataPath(t))
	}
	return start(t, dir, e.variables(), command...)
}

// environment is what a client's process has.
type environment struct {
	endpoint, region, id, secret string
	more                         []string
}

func (e environment) variables() []string {
	return append([]string{
		"AWS_ENDPOINT_URL_BEDROCK_RUNTIME=" + e.endpoint, "ANTHROPIC_BEDROCK_BASE_URL=" + e.endpoint,
		"AWS_REGION=" + e.region, "AWS_DEFAULT_REGION=" + e.region,
		"AWS_ACCESS_KEY_ID=" + e.id, "AWS_SECRET_ACCESS_KEY=" + e.secret,
		"AWS_MAX_ATTEMPTS=2",
	}, e.more...)
}

var (
	chat   = []string{"unary", "tools", "stream", "tools-stream"}
	others = []string{"invoke", "invoke-stream", "count-tokens", "apply-guardrail", "list-async", "start-async"}
)

var clients = []*client{
	npm("aws-sdk-js", "aws", "3.1164.0", append(append(chat[:4:4], others...), "duplex")),
	npm("anthropic-js", "anthropic", "1.1.3", append(chat[:4:4], "raw-stream")),
	npm("ai-sdk", "ai", "5.0.101", chat),
	boto3("/usr/bin/python3"),
	boto3("python3"),
}

func npm(name, sdk, version string, does []string) *client {
	return &client{
		name: name, sdk: sdk, does: does,
		version: func() string { return version },
		need: func(t testing.TB) {
			_, err := node()
			have(t, name, err)
		},
		command: func(t testing.TB) (string, []string) {
			program, err := node()
			if err != nil {
				t.Fatal(err)
			}
			dir, err := filepath.Abs("node")
			if err != nil {
				t.Fatal(err)
			}
			return dir, []string{program, "driver.mjs"}
		},
	}
}
