// Package probe holds what the tests of bedrocktest and of its internal packages share:
// inputs that the server takes, and assertions on its answers.
package probe

import (
	"bytes"
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
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Model is the model that the tests ask.
const Model = "anthropic.claude-3-haiku-20240307-v1:0"

// Secret is in every prompt of these tests, and in no message of the server's.
const Secret = "Rumpelstiltskin"

// RoundTripper is an HTTP client of one function.
type RoundTripper func(*http.Request) (*http.Response, error)

// Do implements aws.HTTPClient.
func (f RoundTripper) Do(r *http.Request) (*http.Response, error) { return f(r) }

// Client is a plain client that does not retry.
func Client(s *bedrocktest.Server) *bedrockruntime.Client {
	return bedrockruntime.NewFromConfig(s.Config(), func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 1 })
}

// User is one turn of a user.
func User(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

// Ask is a Converse of one turn.
func Ask(text string) *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{ModelId: aws.String(Model), Messages: User(text)}
}

// AskStream is a ConverseStream of one turn.
func AskStream(text string) *bedrockruntime.ConverseStreamInput {
	return &bedrockruntime.ConverseStreamInput{ModelId: aws.String(Model), Messages: User(text)}
}

// Text is a block of text.
func Text(s string) types.ContentBlock { return &types.ContentBlockMemberText{Value: s} }

// Says is one turn.
func Says(role types.ConversationRole, content ...types.ContentBlock) types.Message {
	if content == nil {
		content = []types.ContentBlock{} // the SDK sends no message without content
	}
	return types.Message{Role: role, Content: content}
}

// UsesTool is the use of a tool.
func UsesTool(id, name string) types.ContentBlock {
	return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: &id, Name: &name, Input: document.NewLazyDocument(map[string]any{"of": Secret})}}
}

// ToolAnswers is the result of a tool.
func ToolAnswers(id string, content ...types.ToolResultContentBlock) types.ContentBlock {
	if content == nil {
		content = []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: Secret}}
	}
	return &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: &id, Content: content}}
}

// SchemaOf is a tool with an input schema.
func SchemaOf(v any) types.Tool {
	return &types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("t"), InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(v)}}}
}

// ToolsNamed defines tools of any arguments.
func ToolsNamed(names ...string) *types.ToolConfiguration {
	config := &types.ToolConfiguration{}
	for _, name := range names {
		config.Tools = append(config.Tools, &types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String(name),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})}}})
	}
	return config
}

// OnePixel is an image that Bedrock takes: one black pixel.
func OnePixel(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// InvokeBody is a body of Anthropic's with one text.
func InvokeBody(t *testing.T, text string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100,
		"messages": []any{map[string]any{"role": "user", "content": []any{map[string]any{"type": "text", "text": text}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// MessagesBody is a body of Anthropic's that Bedrock takes, with its fields changed;
// nil takes a field out.
func MessagesBody(t *testing.T, changes map[string]any) []byte {
	t.Helper()
	body := map[string]any{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100,
		"messages": []any{map[string]any{"role": "user", "content": Secret}}}
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

// InvokeStream reads the chunks of a stream to its end.
func InvokeStream(t *testing.T, s *bedrocktest.Server, in *bedrockruntime.InvokeModelWithResponseStreamInput) []string {
	t.Helper()
	out, err := Client(s).InvokeModelWithResponseStream(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if *out.ContentType != "application/json" {
		t.Errorf("content type %q", *out.ContentType)
	}
	var chunks []string
	for event := range out.GetStream().Events() {
		chunks = append(chunks, string(event.(*types.ResponseStreamMemberChunk).Value.Bytes))
	}
	if err := out.GetStream().Err(); err != nil {
		t.Fatal(err)
	}
	if err := out.GetStream().Close(); err != nil {
		t.Fatal(err)
	}
	return chunks
}

// RawHeader is a header of the answer as the server wrote it.
func RawHeader(metadata middleware.Metadata, name string) string {
	if raw, ok := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response); ok {
		return raw.Header.Get(name)
	}
	return ""
}

// At is the value at a path such as "choices.0.message.content", as JSON; "" where
// there is none.
func At(t *testing.T, body []byte, path string) string {
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

// Sign signs r as the SDK does, at a time of the test's choosing.
func Sign(t *testing.T, s *bedrocktest.Server, r *http.Request, body []byte, service string, at time.Time) {
	t.Helper()
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(t.Context(), s.Credentials(), r, hex.EncodeToString(sum[:]), service, s.Region(), at); err != nil {
		t.Fatal(err)
	}
}

// WantCode asserts an error of the service, with its code and status.
func WantCode(t *testing.T, err error, status int, code string) {
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

// RefusesWith asserts Bedrock's refusal of a request, which repeats none of it.
func RefusesWith(t *testing.T, what string, err error, says string) {
	t.Helper()
	invalid := new(types.ValidationException)
	if !errors.As(err, &invalid) || !strings.Contains(invalid.ErrorMessage(), says) || strings.Contains(err.Error(), Secret) {
		t.Errorf("%s: got %v, want a ValidationException with %q", what, err, says)
		return
	}
	WantCode(t, err, http.StatusBadRequest, "ValidationException")
}

// Contains demands a part of a text.
func Contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("%q does not contain %q", text, part)
	}
}
