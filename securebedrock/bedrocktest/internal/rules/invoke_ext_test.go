package rules_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func turn(role string, content any) any { return map[string]any{"role": role, "content": content} }

type fields = map[string]any

// A body is refused where Bedrock refuses it, by InvokeModel, by its stream and by
// CountTokens alike, and the message repeats none of it.
func TestBadBodies(t *testing.T) {
	hello := turn("user", probe.Secret)
	use := func(id string) any { return fields{"type": "tool_use", "id": id, "name": "t", "input": fields{}} }
	result := func(id string) any { return fields{"type": "tool_result", "tool_use_id": id, "content": probe.Secret} }
	tool := fields{"name": "t", "input_schema": fields{"type": "object"}}
	cached := fields{"type": "text", "text": probe.Secret, "cache_control": fields{"type": "ephemeral"}}
	pic := func(media string, data []byte) any {
		return fields{"type": "image", "source": fields{"type": "base64", "media_type": media, "data": base64.StdEncoding.EncodeToString(data)}}
	}
	type change = map[string]any
	s := bedrocktest.NewServer(t)
	check := func(name, model string, body []byte, says string) {
		t.Helper()
		_, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: &model, Body: body})
		probe.RefusesWith(t, name, err, says)
		_, err = probe.Client(s).InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &model, Body: body})
		probe.RefusesWith(t, name+", streamed", err, says)
		_, err = probe.Client(s).CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: &model, Input: &types.CountTokensInputMemberInvokeModel{Value: types.InvokeModelTokensRequest{Body: body}}})
		probe.RefusesWith(t, name+", counted", err, says)
	}
	for _, row := range []struct {
		name, says string
		change     change
	}{
		{"no version", "anthropic_version: Field required", change{"anthropic_version": nil}},
		{"another version", "anthropic_version: Input should be", change{"anthropic_version": "bedrock-2024-05-31"}},
		{"no max_tokens", "max_tokens: Field required", change{"max_tokens": nil}},
		{"no tokens", "max_tokens: Input should be", change{"max_tokens": 0}},
		{"half a token", "max_tokens: Input should be", change{"max_tokens": 0.5}},
		{"no messages", "messages: Field required", change{"messages": nil}},
		{"an empty list of messages", "at least one message is required", change{"messages": []any{}}},
		{"the assistant begins", `first message must use the "user" role`, change{"messages": []any{turn("assistant", "x"), hello}}},
		{"a role that is none", "role: Input should be", change{"messages": []any{hello, turn("system", "x")}}},
		{"a message without content", "must have non-empty content", change{"messages": []any{turn("user", "")}}},
		{"a blank text", "non-whitespace", change{"messages": []any{turn("user", []any{fields{"type": "text", "text": " "}})}}},
		{"a block without a type", "messages.0.content: Input should be", change{"messages": []any{turn("user", []any{fields{"text": probe.Secret}})}}},
		{"a temperature of 7", "temperature: range", change{"temperature": 7}},
		{"a top_p of 2", "top_p: range", change{"top_p": 2}},
		{"a top_k below zero", "top_k", change{"top_k": -1}},
		{"a blank stop sequence", "stop_sequences: each stop sequence must contain non-whitespace", change{"stop_sequences": []string{"\n"}}},
		{"the model in the body", "extraneous key [model] is not permitted", change{"model": "claude"}},
		{"a stream in the body", "extraneous key [stream] is not permitted", change{"stream": true}},
		{"a number for a list", "Malformed input request", change{"tools": 5}},
		{"a result with another ID", "tool_use` ids were found without", change{"tools": []any{tool}, "messages": []any{hello, turn("assistant", []any{use("a")}), turn("user", []any{result("b")})}}},
		{"a result of nothing", "unexpected `tool_use_id`", change{"tools": []any{tool}, "messages": []any{turn("user", []any{result("b")})}}},
		{"a use without a result", "tool_use` ids were found without", change{"tools": []any{tool}, "messages": []any{hello, turn("assistant", []any{use("a")}), hello}}},
		{"a use at the end", "tool_use` ids were found without", change{"tools": []any{tool}, "messages": []any{hello, turn("assistant", []any{use("a")})}}},
		{"a use without tools", "must define tools", change{"messages": []any{hello, turn("assistant", []any{use("a")}), turn("user", []any{result("a")})}}},
		{"a use by the user", "can only be in `assistant` messages", change{"tools": []any{tool}, "messages": []any{turn("user", []any{use("a")})}}},
		{"a result by the assistant", "can only be in `user` messages", change{"tools": []any{tool}, "messages": []any{hello, turn("assistant", []any{result("a")})}}},
		{"a choice of no tool", "tool_choice", change{"tools": []any{tool}, "tool_choice": fields{"type": "tool", "name": "other"}}},
		{"a choice without tools", "tool_choice", change{"tool_choice": fields{"type": "any"}}},
		{"a choice that is none", "tool_choice", change{"tools": []any{tool}, "tool_choice": fields{"type": "required"}}},
		{"two tools of one name", "Tool names must be unique", change{"tools": []any{tool, tool}}},
		{"a tool's name with a dot", "tools.0.custom.name", change{"tools": []any{fields{"name": "a.b", "input_schema": fields{"type": "object"}}}}},
		{"a tool without a schema", "input_schema.type: Field required", change{"tools": []any{fields{"name": "a"}}}},
		{"a schema of another type", "input_schema.type: Input should be 'object'", change{"tools": []any{fields{"name": "a", "input_schema": fields{"type": "array"}}}}},
		{"a picture that is none", "does not match the specified image format", change{"messages": []any{turn("user", []any{pic("image/png", []byte(probe.Secret))})}}},
		{"a picture of another format", "does not match the specified image format", change{"messages": []any{turn("user", []any{pic("image/jpeg", probe.OnePixel(t))})}}},
		{"a TIFF", "media_type: Input should be", change{"messages": []any{turn("user", []any{pic("image/tiff", probe.OnePixel(t))})}}},
		{"five cache marks", "maximum of 4 blocks", change{"system": []any{cached}, "messages": []any{turn("user", []any{cached, cached, cached, cached})}}},
		{"a prompt for a new model", "Please use the Messages API instead", change{"messages": nil, "prompt": "\n\nHuman: hi\n\nAssistant:"}},
	} {
		check(row.name, probe.Model, probe.MessagesBody(t, row.change), row.says)
	}
	check("a new model is to go on with its own words", "us.anthropic.claude-opus-4-8", probe.MessagesBody(t, change{"messages": []any{hello, turn("assistant", "Sure:")}}), "assistant message prefill")
	for _, row := range []struct{ name, model, body, says string }{
		{"Claude 2 without Human", "anthropic.claude-v2", `{"prompt":"` + probe.Secret + `","max_tokens_to_sample":5}`, "prompt must start with"},
		{"Claude 2 without a maximum", "anthropic.claude-v2", `{"prompt":"\n\nHuman: hi\n\nAssistant:"}`, "max_tokens_to_sample"},
		{"Titan without a text", "amazon.titan-text-express-v1", `{"prompt":"` + probe.Secret + `"}`, "required key [inputText] not found"},
		{"Titan with an empty text", "amazon.titan-text-express-v1", `{"inputText":""}`, "minLength"},
		{"Titan with a temperature of 7", "amazon.titan-text-express-v1", `{"inputText":"x","textGenerationConfig":{"temperature":7}}`, "textGenerationConfig.temperature"},
		{"Titan's embeddings without a text", "amazon.titan-embed-text-v2:0", `{"texts":["` + probe.Secret + `"]}`, "required key [inputText] not found"},
		{"Cohere's embeddings without their type", "cohere.embed-english-v3", `{"texts":["` + probe.Secret + `"]}`, "required key [input_type] not found"},
		{"Cohere's embeddings without a text", "cohere.embed-english-v3", `{"input_type":"search_query"}`, "required key [texts] not found"},
		{"Nova without messages", "us.amazon.nova-lite-v1:0", `{"inputText":"` + probe.Secret + `"}`, "required key [messages] not found"},
		{"Llama without a prompt", "meta.llama3-8b-instruct-v1:0", `{"inputText":"` + probe.Secret + `"}`, "required key [prompt] not found"},
	} {
		check(row.name, row.model, []byte(row.body), row.says)
	}
}

// What Bedrock takes, the server takes.
func TestGoodBodies(t *testing.T) {
	hello := turn("user", "hello")
	s := bedrocktest.NewServer(t)
	for name, change := range map[string]map[string]any{
		"plain":                        {},
		"two of the user":              {"messages": []any{hello, hello}},
		"words to go on with":          {"messages": []any{hello, turn("assistant", "Sure:")}},
		"bounds":                       {"max_tokens": 1, "temperature": 1, "top_p": 0, "top_k": 0, "system": "be brief", "stop_sequences": []string{"\n\nHuman:"}},
		"a null":                       {"messages": []any{hello}, "system": json.RawMessage("null"), "model": json.RawMessage("null")},
		"a tool of the provider's own": {"tools": []any{fields{"type": "bash_20250124", "name": "bash"}}},
		"tools": {"tools": []any{fields{"name": "t", "input_schema": fields{"type": "object"}}}, "tool_choice": fields{"type": "auto"}, "messages": []any{
			hello, turn("assistant", []any{fields{"type": "tool_use", "id": "a", "name": "t", "input": fields{}}}), turn("user", []any{fields{"type": "tool_result", "tool_use_id": "a"}})}},
		"a new field":             {"context_management": fields{}},
		"Anthropic's own version": {"anthropic_version": "2026-10-21"},
	} {
		if _, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(probe.Model), Body: probe.MessagesBody(t, change)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("anthropic.claude-v2"), Body: []byte(`{"prompt":"\n\nHuman: hi\n\nAssistant:","max_tokens_to_sample":5}`)}); err != nil {
		t.Error(err)
	}
}

// The types of an InvokeModel's content, its headers and its size are bounded.
func TestBadInvocations(t *testing.T) {
	s := bedrocktest.NewServer(t)
	for _, row := range []struct {
		name, says string
		change     func(in *bedrockruntime.InvokeModelInput)
	}{
		{"a text", "The provided Content Type is invalid or not supported for this model", func(in *bedrockruntime.InvokeModelInput) { in.ContentType = aws.String("text/plain") }},
		{"an answer in XML", "The provided Accept Type is invalid or not supported for this model", func(in *bedrockruntime.InvokeModelInput) { in.Accept = aws.String("application/xml") }},
		{"a body of 25 MB and a byte", "'body' failed to satisfy constraint: Member must have length less than or equal to 25000000", func(in *bedrockruntime.InvokeModelInput) {
			in.Body = append(in.Body, make([]byte, 25_000_001-len(in.Body))...)
		}},
		{"a guardrail's name", "'guardrailIdentifier' failed to satisfy constraint", func(in *bedrockruntime.InvokeModelInput) {
			in.GuardrailIdentifier, in.GuardrailVersion = aws.String("My-Guardrail"), aws.String("1")
		}},
		{"a guardrail without its version", "Both guardrailIdentifier and guardrailVersion must be provided", func(in *bedrockruntime.InvokeModelInput) {
			in.GuardrailIdentifier = aws.String(bedrocktest.DefaultGuardrailID)
		}},
		{"a trace that is none", "'trace' failed to satisfy constraint", func(in *bedrockruntime.InvokeModelInput) { in.Trace = "enabled" }},
		{"a latency that is none", "'performanceConfigLatency' failed to satisfy constraint", func(in *bedrockruntime.InvokeModelInput) { in.PerformanceConfigLatency = "fast" }},
		{"a tier that is none", "'serviceTier' failed to satisfy constraint", func(in *bedrockruntime.InvokeModelInput) { in.ServiceTier = "gold" }},
		{"metadata too long", "'requestMetadata' failed to satisfy constraint", func(in *bedrockruntime.InvokeModelInput) {
			in.RequestMetadata = aws.String(`{"a":"` + strings.Repeat("x", 8500) + `"}`)
		}},
	} {
		in := &bedrockruntime.InvokeModelInput{ModelId: aws.String(probe.Model), Body: probe.MessagesBody(t, nil)}
		row.change(in)
		_, err := probe.Client(s).InvokeModel(t.Context(), in)
		probe.RefusesWith(t, row.name, err, row.says)
	}
	for _, accept := range []string{"", "*/*", "application/json", "application/json, text/plain;q=0.1", "application/octet-stream"} {
		if _, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(probe.Model), Body: probe.MessagesBody(t, nil), Accept: &accept}); err != nil {
			t.Errorf("%q: %v", accept, err)
		}
	}
}

// An asynchronous invocation names a bucket, a key's ARN and a token of the API's
// form, and an evaluation a picture that is one.
func TestBadAsyncAndGuardrailRequests(t *testing.T) {
	s := bedrocktest.NewServer(t)
	type s3 = types.AsyncInvokeS3OutputDataConfig
	for _, row := range []struct {
		name, says string
		token      string
		out        s3
	}{
		{"a host", "s3Uri", "t", s3{S3Uri: aws.String("https://bucket.s3.amazonaws.com/x")}},
		{"a bucket with capitals", "s3Uri", "t", s3{S3Uri: aws.String("s3://Bucket/x")}},
		{"an owner that is none", "bucketOwner", "t", s3{S3Uri: aws.String("s3://bucket/x"), BucketOwner: aws.String("me")}},
		{"a key's ID", "kmsKeyId", "t", s3{S3Uri: aws.String("s3://bucket/x"), KmsKeyId: aws.String("alias/mine")}},
		{"a token with a space", "clientRequestToken", "a b", s3{S3Uri: aws.String("s3://bucket/x")}},
		{"a token too long", "clientRequestToken", strings.Repeat("t", 257), s3{S3Uri: aws.String("s3://bucket/x")}},
	} {
		_, err := probe.Client(s).StartAsyncInvoke(t.Context(), &bedrockruntime.StartAsyncInvokeInput{ModelId: aws.String("amazon.nova-reel-v1:0"), ClientRequestToken: &row.token,
			ModelInput: document.NewLazyDocument(map[string]any{"prompt": probe.Secret}), OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: row.out}})
		probe.RefusesWith(t, row.name, err, row.says+"' failed to satisfy constraint")
	}
	_, err := probe.Client(s).ApplyGuardrail(t.Context(), &bedrockruntime.ApplyGuardrailInput{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"),
		Source: types.GuardrailContentSourceInput, Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberImage{
			Value: types.GuardrailImageBlock{Format: "png", Source: &types.GuardrailImageSourceMemberBytes{Value: []byte(probe.Secret)}}}}})
	probe.RefusesWith(t, "a picture that is none", err, "does not match the specified image format")
}
