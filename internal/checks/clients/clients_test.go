package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// client is an SDK, and how a test runs it.
type client struct {
	name    string // for the tests' names
	sdk     string // what the driver calls it
	does    []string
	version func() string
	// need skips the test where the machine lacks the client.
	need func(t testing.TB)
	// begin prepares calls in an environment.
	begin func(t testing.TB, e environment) asker
	// explicit: the SDK reads no endpoint from the environment.
	explicit bool
	// models: the client is older than Bedrock. It needs AWS's model of the API beside its
	// own, and knows no AWS_BEARER_TOKEN_BEDROCK.
	models func() bool
	// noFile: the SDK reads no shared credentials file.
	noFile bool
	// noBearer: the SDK knows no AWS_BEARER_TOKEN_BEDROCK.
	noBearer bool
	// unsigns: a program can switch signing off.
	unsigns bool
	// once: the SDK sends nothing again by itself.
	once bool
	// kinds say which error each result is.
	kinds map[result]kind
}

// kind is an error as a program sees it.
type kind struct {
	class, name string
	status      int
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

func (c *client) start(t testing.TB, e environment) asker {
	t.Helper()
	if c.models != nil && c.models() {
		e.more = append(slices.Clone(e.more), "AWS_DATA_PATH="+dataPath(t))
	}
	return c.begin(t, e)
}

// environment is what a client's process has.
type environment struct {
	endpoint, region string
	file, profile    string // the shared credentials file
	id, secret       string // keys in variables, which come before the file
	more             []string
}

func (e environment) variables() []string {
	vars := []string{
		"AWS_ENDPOINT_URL_BEDROCK_RUNTIME=" + e.endpoint, "ANTHROPIC_BEDROCK_BASE_URL=" + e.endpoint,
		"AWS_REGION=" + e.region, "AWS_DEFAULT_REGION=" + e.region,
		"AWS_MAX_ATTEMPTS=2",
	}
	if e.file != "" {
		vars = append(vars, "AWS_SHARED_CREDENTIALS_FILE="+e.file, "AWS_PROFILE="+e.profile)
	}
	if e.id != "" {
		vars = append(vars, "AWS_ACCESS_KEY_ID="+e.id, "AWS_SECRET_ACCESS_KEY="+e.secret)
	}
	return append(vars, e.more...)
}

// clients are the SDKs. A machine may have two versions of boto3 and of the AWS CLI. Each
// call of the latter is a process, so that the second version makes fewer.
var clients = sync.OnceValue(func() []*client {
	chat := []string{"unary", "tools", "stream", "tools-stream"}
	others := []string{"invoke", "invoke-stream", "count-tokens", "apply-guardrail", "list-async", "start-async"}
	all := slices.Concat(chat, others)
	list := []*client{
		npm(&client{
			name: "aws-sdk-js", sdk: "aws", does: slices.Concat(all, []string{"duplex"}), unsigns: true,
			kinds: map[result]kind{
				refused:    {"AccessDeniedException", "AccessDeniedException", 403},
				throttled:  {"ThrottlingException", "ThrottlingException", 429},
				cutOff:     {"ModelStreamErrorException", "ModelStreamErrorException", 0},
				badSecret:  {"BedrockRuntimeServiceException", "InvalidSignatureException", 403},
				unknownKey: {"BedrockRuntimeServiceException", "UnrecognizedClientException", 403},
				unsigned:   {"BedrockRuntimeServiceException", "MissingAuthenticationTokenException", 403},
				noKey:      {"CredentialsProviderError", "CredentialsProviderError", 0},
			},
		}, "@aws-sdk/client-bedrock-runtime"),
		npm(&client{
			name: "anthropic-js", sdk: "anthropic", does: slices.Concat(chat, []string{"raw-stream"}), unsigns: true,
			kinds: map[result]kind{
				refused:    {"PermissionDeniedError", "PermissionDeniedError", 403},
				throttled:  {"RateLimitError", "RateLimitError", 429},
				cutOff:     {"APIError", "APIError", 0},
				badSecret:  {"PermissionDeniedError", "PermissionDeniedError", 403},
				unknownKey: {"PermissionDeniedError", "PermissionDeniedError", 403},
				unsigned:   {"PermissionDeniedError", "PermissionDeniedError", 403},
				noKey:      {"APIConnectionError", "APIConnectionError", 0},
			},
		}, "@anthropic-ai/bedrock-sdk"),
		npm(&client{
			name: "ai-sdk", sdk: "ai", does: chat, noFile: true,
			kinds: map[result]kind{
				refused:    {"APICallError", "AI_APICallError", 403},
				throttled:  {"APICallError", "AI_APICallError", 429},
				cutOff:     {"StreamProviderError", "AI_StreamProviderError", 424},
				badSecret:  {"APICallError", "AI_APICallError", 403},
				unknownKey: {"APICallError", "AI_APICallError", 403},
				noKey:      {"Error", "Error", 0},
			},
		}, "@ai-sdk/amazon-bedrock"),
		golang(&client{
			name: "anthropic-go", sdk: "anthropic", does: chat,
			kinds: map[result]kind{
				refused:    {"*anthropic.Error", "", 403},
				throttled:  {"*anthropic.Error", "", 429},
				cutOff:     {"*anthropic.Error", "modelStreamErrorException", 200},
				badSecret:  {"*anthropic.Error", "", 403},
				unknownKey: {"*anthropic.Error", "", 403},
				noKey:      {"*fmt.wrapError", "", 0},
			},
		}, "github.com/anthropics/anthropic-sdk-go"),
		golang(&client{
			name: "fantasy", sdk: "fantasy", does: chat, once: true,
			kinds: map[result]kind{
				refused:    {"*fantasy.ProviderError", "forbidden", 403},
				throttled:  {"*fantasy.ProviderError", "too many requests", 429},
				cutOff:     {"*fantasy.ProviderError", "ok", 200},
				badSecret:  {"*fantasy.ProviderError", "forbidden", 403},
				unknownKey: {"*fantasy.ProviderError", "forbidden", 403},
				noKey:      {"*fantasy.ProviderError", "authentication error", 0},
			},
		}, "charm.land/fantasy"),
	}
	var titles []string
	for _, c := range []*client{
		boto3("/usr/bin/python3", all), boto3("python3", all),
		awscli("/usr/bin/aws", "unary", "tools", "invoke", "count-tokens", "apply-guardrail", "list-async", "start-async"),
		awscli("aws", "unary"),
	} {
		if title := c.title(); !slices.Contains(titles, title) {
			titles = append(titles, title)
			list = append(list, c)
		}
	}
	return list
})

// npm adds how a client of node/driver.mjs runs. name is its package.
func npm(c *client, name string) *client {
	c.version = func() string { return pinned(filepath.Join("node", "package.json"), `"`+name+`": "`) }
	c.need = func(t testing.TB) {
		_, err := node()
		have(t, c.name, err)
	}
	c.begin = func(t testing.TB, e environment) asker {
		program, err := node()
		if err != nil {
			t.Fatal(err)
		}
		dir, err := filepath.Abs("node")
		if err != nil {
			t.Fatal(err)
		}
		return start(t, dir, e.variables(), program, "--no-warnings", "driver.mjs")
	}
	return c
}

// godriver builds the program that runs the Go SDKs.
var godriver = sync.OnceValues(func() (string, error) {
	dir, source := tempDir(), filepath.Join("testdata", "godriver")
	list := exec.Command("go", "list", "-m")
	list.Dir, list.Env = source, noWorkspace()
	if out, err := list.CombinedOutput(); err != nil {
		return "", missing("install a newer Go: " + string(out))
	}
	return build(source, filepath.Join(dir, "godriver"))
})

// golang adds how a client of testdata/godriver runs. path is its module.
func golang(c *client, path string) *client {
	c.explicit = true
	c.version = func() string { return pinned(filepath.Join("testdata", "godriver", "go.mod"), path+" v") }
	c.need = func(t testing.TB) {
		_, err := godriver()
		have(t, c.name, err)
	}
	c.begin = func(t testing.TB, e environment) asker {
		program, err := godriver()
		if err != nil {
			t.Fatal(err)
		}
		return start(t, ".", e.variables(), program)
	}
	return c
}

// pinned is the version that follows a text in a file of requirements.
func pinned(file, text string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	_, rest, _ := strings.Cut(string(data), text)
	return regexp.MustCompile(`^[0-9.]*`).FindString(rest)
}
