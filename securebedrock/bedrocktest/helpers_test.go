package bedrocktest_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
