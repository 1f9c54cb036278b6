package bedrocktest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const model = "anthropic.claude-3-haiku-20240307-v1:0"

// transports runs test against a server of each transport.
func transports(t *testing.T, test func(t *testing.T, s *bedrocktest.Server)) {
	t.Helper()
	for name, opts := range map[string][]bedrocktest.Option{
		"HTTP1": {bedrocktest.WithHTTP1()},
		"HTTP2": nil,
		"Plain": {bedrocktest.WithPlainHTTP(), bedrocktest.WithRegion("eu-central-1")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, bedrocktest.NewServer(t, opts...))
		})
	}
}

// client is a plain client that does not retry.
func client(s *bedrocktest.Server) *bedrockruntime.Client {
	return bedrockruntime.NewFromConfig(s.Config(), func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 1 })
}

func user(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

func ask(text string) *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: user(text)}
}

func askStream(text string) *bedrockruntime.ConverseStreamInput {
	return &bedrockruntime.ConverseStreamInput{ModelId: aws.String(model), Messages: user(text)}
}

// onePixel is an image that Bedrock takes: one black pixel.
func onePixel(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// toolsNamed defines tools of any arguments.
func toolsNamed(names ...string) *types.ToolConfiguration {
	config := &types.ToolConfiguration{}
	for _, name := range names {
		config.Tools = append(config.Tools, &types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String(name),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})}}})
	}
	return config
}

// guarded asks under the default guardrail.
func guarded(text string) *bedrockruntime.ConverseInput {
	in := ask(text)
	in.GuardrailConfig = &types.GuardrailConfiguration{
		GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"), Trace: types.GuardrailTraceEnabled,
	}
	return in
}

func textOf(t *testing.T, out *bedrockruntime.ConverseOutput) string {
	t.Helper()
	message, ok := out.Output.(*types.ConverseOutputMemberMessage)
	if !ok || len(message.Value.Content) != 1 {
		t.Fatalf("output is %#v", out.Output)
	}
	return message.Value.Content[0].(*types.ContentBlockMemberText).Value
}

// streamed is what a ConverseStream has brought.
type streamed struct {
	events   int
	text     string
	deltas   int
	tool     string
	stop     types.StopReason
	metadata *types.ConverseStreamMetadataEvent
	err      error
}

func collect(stream *bedrockruntime.ConverseStreamEventStream) streamed {
	var got streamed
	for event := range stream.Events() {
		got.events++
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			got.deltas++
			switch d := e.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				got.text += d.Value
			case *types.ContentBlockDeltaMemberToolUse:
				got.tool += *d.Value.Input
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			got.stop = e.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			got.metadata = &e.Value
		}
	}
	got.err = stream.Err()
	if err := stream.Close(); got.err == nil {
		got.err = err
	}
	return got
}

func stream(t *testing.T, s *bedrocktest.Server, in *bedrockruntime.ConverseStreamInput) streamed {
	t.Helper()
	out, err := client(s).ConverseStream(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return collect(out.GetStream())
}

// wantCode asserts an error of the service, with its code and status.
func wantCode(t *testing.T, err error, status int, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Fatalf("error %v, want %s", err, code)
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != status {
		t.Fatalf("error %v, want status %d", err, status)
	}
	if response.RequestID == "" {
		t.Errorf("error %v has no request ID", err)
	}
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("%q does not contain %q", text, part)
	}
}

// eventually waits for what happens in another goroutine.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) Do(r *http.Request) (*http.Response, error) { return f(r) }

// at is the value at a path such as "choices.0.message.content", as JSON; "" where
// there is none.
func at(t *testing.T, body []byte, path string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[key]
			if !ok {
				return ""
			}
			v = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(in) {
				return ""
			}
			v = in[i]
		default:
			return ""
		}
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func converseWith(ctx context.Context, c *bedrockruntime.Client, id string) error {
	_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: &id, Messages: user("x")})
	return err
}

// messagesBody is a body of Anthropic's that Bedrock takes, with its fields changed;
// nil takes a field out.
func messagesBody(t *testing.T, changes map[string]any) []byte {
	t.Helper()
	body := map[string]any{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100,
		"messages": []any{map[string]any{"role": "user", "content": secret}}}
	for key, v := range changes {
		if body[key] = v; v == nil {
			delete(body, key)
		}
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// refusesWith asserts Bedrock's refusal of a request, which repeats none of it.
func refusesWith(t *testing.T, what string, err error, says string) {
	t.Helper()
	invalid := new(types.ValidationException)
	if !errors.As(err, &invalid) || !strings.Contains(invalid.ErrorMessage(), says) || strings.Contains(err.Error(), secret) {
		t.Errorf("%s: got %v, want a ValidationException with %q", what, err, says)
		return
	}
	wantCode(t, err, http.StatusBadRequest, "ValidationException")
}

func says(role types.ConversationRole, content ...types.ContentBlock) types.Message {
	if content == nil {
		content = []types.ContentBlock{} // the SDK sends no message without content
	}
	return types.Message{Role: role, Content: content}
}

func schemaOf(v any) types.Tool {
	return &types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("t"), InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(v)}}}
}

// sign signs r as the SDK does, at a time of the test's choosing.
func sign(t *testing.T, s *bedrocktest.Server, r *http.Request, body []byte, service string, at time.Time) {
	t.Helper()
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(t.Context(), s.Credentials(), r, hex.EncodeToString(sum[:]), service, s.Region(), at); err != nil {
		t.Fatal(err)
	}
}

func text(s string) types.ContentBlock { return &types.ContentBlockMemberText{Value: s} }

func toolAnswers(id string, content ...types.ToolResultContentBlock) types.ContentBlock {
	if content == nil {
		content = []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: secret}}
	}
	return &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: &id, Content: content}}
}

func usesTool(id, name string) types.ContentBlock {
	return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: &id, Name: &name, Input: document.NewLazyDocument(map[string]any{"of": secret})}}
}

// secret is in every prompt of these tests, and in no message of the server's.
const secret = "Rumpelstiltskin"
