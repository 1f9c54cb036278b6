package family_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// client is a plain client that does not retry.
func client(s *bedrocktest.Server) *bedrockruntime.Client {
	return bedrockruntime.NewFromConfig(s.Config(), func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 1 })
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("%q does not contain %q", text, part)
	}
}

func invokeBody(t *testing.T, text string) []byte {
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

func invokeStream(t *testing.T, s *bedrocktest.Server, in *bedrockruntime.InvokeModelWithResponseStreamInput) []string {
	t.Helper()
	out, err := client(s).InvokeModelWithResponseStream(t.Context(), in)
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

const model = "anthropic.claude-3-haiku-20240307-v1:0"

func rawHeader(metadata middleware.Metadata, name string) string {
	if raw, ok := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response); ok {
		return raw.Header.Get(name)
	}
	return ""
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
