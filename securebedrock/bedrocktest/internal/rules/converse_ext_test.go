package rules_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func file(name string, format types.DocumentFormat, data string) types.ContentBlock {
	return &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: &name, Format: format, Source: &types.DocumentSourceMemberBytes{Value: []byte(data)}}}
}

func picture(format types.ImageFormat, data []byte) types.ContentBlock {
	return &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: format, Source: &types.ImageSourceMemberBytes{Value: data}}}
}

func images(t *testing.T) map[types.ImageFormat][]byte {
	t.Helper()
	var j, g bytes.Buffer
	one := image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.White, color.Black})
	if err := errors.Join(jpeg.Encode(&j, one, nil), gif.Encode(&g, one, nil)); err != nil {
		t.Fatal(err)
	}
	webp, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	return map[types.ImageFormat][]byte{types.ImageFormatPng: probe.OnePixel(t), types.ImageFormatJpeg: j.Bytes(), types.ImageFormatGif: g.Bytes(), types.ImageFormatWebp: webp}
}

// A conversation is refused where Bedrock refuses it, by Converse, by
// ConverseStream and by CountTokens alike, and the message repeats none of it.
func TestBadConversations(t *testing.T) {
	user, assistant := types.ConversationRoleUser, types.ConversationRoleAssistant
	hello := probe.Says(user, probe.Text(probe.Secret))
	var wide bytes.Buffer
	if err := png.Encode(&wide, image.NewGray(image.Rect(0, 0, 8001, 1))); err != nil {
		t.Fatal(err)
	}
	many := func(n int, block func(i int) types.ContentBlock) []types.ContentBlock {
		out := []types.ContentBlock{probe.Text(probe.Secret)}
		for i := range n {
			out = append(out, block(i))
		}
		return out
	}
	rows := []struct {
		name   string
		says   string // in the message
		change func(in *bedrockruntime.ConverseInput)
		// alone: CountTokens has no such field.
		alone bool
	}{
		{"no message", "messages field is empty", func(in *bedrockruntime.ConverseInput) { in.Messages = []types.Message{} }, false},
		{"a message without content", "content field in the Message object at messages.0 is empty", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, []types.ContentBlock{}...)}
		}, false},
		{"an empty text", "is blank", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text(""))}
		}, false},
		{"a blank text", "is blank", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text(" \n\t"))}
		}, false},
		{"a role that is none", "enum value set: [user, assistant, system]", func(in *bedrockruntime.ConverseInput) { in.Messages[0].Role = "model" }, false},
		{"the assistant begins", "must start with a user message", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(assistant, probe.Text("hi")), hello}
		}, false},
		{"two messages of the user", "must alternate between user and assistant", func(in *bedrockruntime.ConverseInput) { in.Messages = []types.Message{hello, hello} }, false},
		{"two messages of the assistant", "must alternate between user and assistant", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.Text("a")), probe.Says(assistant, probe.Text("b")), hello}
		}, false},
		{"a new model is to go on with its own words", "does not support assistant message prefill", func(in *bedrockruntime.ConverseInput) {
			in.ModelId, in.Messages = aws.String("us.anthropic.claude-sonnet-4-6"), []types.Message{hello, probe.Says(assistant, probe.Text("Sure:"))}
		}, false},
		{"words to go on with that end in a space", "trailing whitespace", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.Text("Sure: "))}
		}, false},

		{"a tool's result and no tool", "toolConfig field must be defined", func(in *bedrockruntime.ConverseInput) {
			in.Messages, in.ToolConfig = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("a"))}, nil
		}, false},
		{"a result with another ID", "Expected toolResult blocks at messages.2.content for the following Ids: a", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("b"))}
		}, false},
		{"a result of nothing", "exceeds the number of toolUse blocks", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.ToolAnswers("a"))}
		}, false},
		{"a result too many", "exceeds the number of toolUse blocks", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("a"), probe.ToolAnswers("b"))}
		}, false},
		{"one result for two uses", "Expected toolResult blocks at messages.2.content for the following Ids: b", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t"), probe.UsesTool("b", "t")), probe.Says(user, probe.ToolAnswers("a"))}
		}, false},
		{"a use without a result", "Expected toolResult blocks", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), hello}
		}, false},
		{"a use at the end", "tool_use` ids were found without", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t"))}
		}, false},
		{"a result a turn too late", "exceeds the number", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("a")), probe.Says(assistant, probe.Text("x")), probe.Says(user, probe.ToolAnswers("a"))}
		}, false},
		{"two uses with one ID", "duplicate Ids", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t"), probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("a"))}
		}, false},
		{"a use by the user", "can only be in `assistant` messages", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.UsesTool("a", "t"))}
		}, false},
		{"a result by the assistant", "can only be in `user` messages", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.ToolAnswers("a"))}
		}, false},
		{"arguments that are no object", "toolUse.input is invalid. Provide a json object", func(in *bedrockruntime.ConverseInput) {
			use := &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: aws.String("a"), Name: aws.String("t"), Input: document.NewLazyDocument("x")}}
			in.Messages = []types.Message{hello, probe.Says(assistant, use), probe.Says(user, probe.ToolAnswers("a"))}
		}, false},
		{"a result that is a list", "toolResult.content.0.json is invalid. Provide a json object", func(in *bedrockruntime.ConverseInput) {
			list := &types.ToolResultContentBlockMemberJson{Value: document.NewLazyDocument([]string{probe.Secret})}
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("a", list))}
		}, false},
		{"an error that says nothing", "cannot be empty when status value is error", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, &types.ContentBlockMemberToolResult{
				Value: types.ToolResultBlock{ToolUseId: aws.String("a"), Status: types.ToolResultStatusError, Content: []types.ToolResultContentBlock{}}})}
		}, false},
		{"a result and words for Llama", "cannot be provided in the same turn", func(in *bedrockruntime.ConverseInput) {
			in.ModelId = aws.String("us.meta.llama3-3-70b-instruct-v1:0")
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("a"), probe.Text("and?"))}
		}, false},
		{"an ID with a space", "toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a b", "t")), probe.Says(user, probe.ToolAnswers("a b"))}
		}, false},

		{"a choice of no tool", "tool_choice", func(in *bedrockruntime.ConverseInput) {
			in.ToolConfig.ToolChoice = &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String("other")}}
		}, false},
		{"no tools", "toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1", func(in *bedrockruntime.ConverseInput) { in.ToolConfig.Tools = []types.Tool{} }, false},
		{"two tools of one name", "Tool names must be unique", func(in *bedrockruntime.ConverseInput) { in.ToolConfig = probe.ToolsNamed("t", "u", "t") }, false},
		{"a tool's name with a dot", "toolSpec.name' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) { in.ToolConfig = probe.ToolsNamed("get.weather") }, false},
		{"a tool's name too long", "toolSpec.name' failed to satisfy constraint: Member must have length less than or equal to 64", func(in *bedrockruntime.ConverseInput) { in.ToolConfig = probe.ToolsNamed(strings.Repeat("t", 65)) }, false},
		{"a schema of another type", "inputSchema.json.type must be one of the following: object", func(in *bedrockruntime.ConverseInput) {
			in.ToolConfig.Tools = []types.Tool{probe.SchemaOf(map[string]any{"type": "array"})}
		}, false},
		{"a schema of no type", "inputSchema.json.type must be one of the following: object", func(in *bedrockruntime.ConverseInput) {
			in.ToolConfig.Tools = []types.Tool{probe.SchemaOf(map[string]any{})}
		}, false},
		{"a schema that is a text", "inputSchema.json.type must be one of the following: object", func(in *bedrockruntime.ConverseInput) { in.ToolConfig.Tools = []types.Tool{probe.SchemaOf("object")} }, false},

		{"a document alone", "A text block must be included when using documents", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, file("a", "txt", probe.Secret))}
		}, false},
		{"a document of the assistant's", "only be included if the role is user", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.Text("x"), file("a", "txt", probe.Secret)), hello}
		}, false},
		{"a document's name with a dot", "document file name can only contain", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), file("report.pdf", "txt", probe.Secret))}
		}, false},
		{"a document's name with an underscore", "document file name can only contain", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), file("my_report", "txt", probe.Secret))}
		}, false},
		{"a document's name with two spaces", "document file name can only contain", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), file("my  report", "txt", probe.Secret))}
		}, false},
		{"a document's name of other letters", "document file name can only contain", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), file("résumé", "txt", probe.Secret))}
		}, false},
		{"two documents of one name", "duplicate document names", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), file("a", "txt", probe.Secret), file("a", "md", probe.Secret))}
		}, false},
		{"two documents of one name in two turns", "duplicate document names", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), file("a", "txt", probe.Secret)), probe.Says(assistant, probe.Text("y")), probe.Says(user, probe.Text("x"), file("a", "txt", probe.Secret))}
		}, false},
		{"six documents", "more than 5 documents", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, many(6, func(i int) types.ContentBlock { return file(fmt.Sprint("a", i), "txt", probe.Secret) })...)}
		}, false},
		{"a PDF that is none", "does not match the specified document format", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), file("a", "pdf", probe.Secret))}
		}, false},
		{"a document of no bytes", "source.bytes' failed to satisfy constraint: Member must have length greater than or equal to 1", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), file("a", "txt", ""))}
		}, false},
		{"a format that is none", "enum value set", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), file("a", "odt", probe.Secret))}
		}, false},
		{"a picture that is none", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), picture("png", []byte(probe.Secret)))}
		}, false},
		{"a picture of another format", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), picture("jpeg", probe.OnePixel(t)))}
		}, false},
		{"a picture's beginning", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), picture("png", probe.OnePixel(t)[:12]))}
		}, false},
		{"a WebP that is none", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), picture("webp", []byte("RIFF0000WAVEfmt 0000")))}
		}, false},
		{"a tool's picture that is none", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			block := &types.ToolResultContentBlockMemberImage{Value: types.ImageBlock{Format: "gif", Source: &types.ImageSourceMemberBytes{Value: []byte(probe.Secret)}}}
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("a", block))}
		}, false},
		{"a picture to guard that is none", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			block := &types.GuardrailConverseContentBlockMemberImage{Value: types.GuardrailConverseImageBlock{Format: "png", Source: &types.GuardrailConverseImageSourceMemberBytes{Value: []byte(probe.Secret)}}}
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), &types.ContentBlockMemberGuardContent{Value: block})}
		}, false},
		{"a picture too wide", "image dimensions exceed", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), picture("png", wide.Bytes()))}
		}, false},
		{"a picture too large", "exceeds 3.75 MB", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), picture("png", append(probe.OnePixel(t), make([]byte, 4<<20)...)))}
		}, false},
		{"21 pictures", "more than 20 images", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, many(21, func(int) types.ContentBlock { return picture("png", probe.OnePixel(t)) })...)}
		}, false},
		{"a bucket that is none", "s3Location.uri' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png",
				Source: &types.ImageSourceMemberS3Location{Value: types.S3Location{Uri: aws.String("https://bucket/key")}}}})}
		}, false},
		{"five cache points", "maximum of 4 blocks with cache_control may be provided. Found 5", func(in *bedrockruntime.ConverseInput) {
			point := types.CachePointBlock{Type: types.CachePointTypeDefault}
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "x"}, &types.SystemContentBlockMemberCachePoint{Value: point}}
			in.ToolConfig.Tools = append(in.ToolConfig.Tools, &types.ToolMemberCachePoint{Value: point})
			in.Messages = []types.Message{probe.Says(user, many(3, func(int) types.ContentBlock { return &types.ContentBlockMemberCachePoint{Value: point} })...)}
		}, false},
		{"a cache point of another type", "cachePoint.type' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), &types.ContentBlockMemberCachePoint{Value: types.CachePointBlock{Type: "ephemeral"}})}
		}, false},
		{"a cache point for a day", "cachePoint.ttl' failed to satisfy constraint: Member must satisfy enum value set: [5m, 1h]", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), &types.ContentBlockMemberCachePoint{Value: types.CachePointBlock{Type: "default", Ttl: "24h"}})}
		}, false},
		{"an empty system prompt", "system.1.member.text' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{}}
		}, false},
		{"a model's fields that are a list", "additionalModelRequestFields field is invalid", func(in *bedrockruntime.ConverseInput) {
			in.AdditionalModelRequestFields = document.NewLazyDocument([]string{probe.Secret})
		}, false},

		{"no tokens", "inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1", func(in *bedrockruntime.ConverseInput) {
			in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(0)}
		}, true},
		{"a temperature of 7", "inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1", func(in *bedrockruntime.ConverseInput) {
			in.InferenceConfig = &types.InferenceConfiguration{Temperature: aws.Float32(7)}
		}, true},
		{"a temperature below zero", "inferenceConfig.temperature'", func(in *bedrockruntime.ConverseInput) {
			in.InferenceConfig = &types.InferenceConfiguration{Temperature: aws.Float32(-0.1)}
		}, true},
		{"a topP of 1.1", "inferenceConfig.topP'", func(in *bedrockruntime.ConverseInput) {
			in.InferenceConfig = &types.InferenceConfiguration{TopP: aws.Float32(1.1)}
		}, true},
		{"two faults", "2 validation errors detected: ", func(in *bedrockruntime.ConverseInput) {
			in.InferenceConfig = &types.InferenceConfiguration{TopP: aws.Float32(1.1), MaxTokens: aws.Int32(-1)}
		}, true},
		{"an empty stop sequence", "stopSequences.1.member' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.InferenceConfig = &types.InferenceConfiguration{StopSequences: []string{""}}
		}, true},
		{"a blank stop sequence", "each stop sequence must contain non-whitespace", func(in *bedrockruntime.ConverseInput) {
			in.InferenceConfig = &types.InferenceConfiguration{StopSequences: []string{"\n"}}
		}, true},
		{"17 metadata entries", "requestMetadata' failed to satisfy constraint: Member must have length less than or equal to 16", func(in *bedrockruntime.ConverseInput) {
			in.RequestMetadata = map[string]string{}
			for i := range 17 {
				in.RequestMetadata[fmt.Sprint("key", i)] = "x"
			}
		}, true},
		{"a metadata key with a star", "requestMetadata' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern", func(in *bedrockruntime.ConverseInput) {
			in.RequestMetadata = map[string]string{probe.Secret + "*": "x"}
		}, true},
		{"a metadata value too long", "requestMetadata' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 256", func(in *bedrockruntime.ConverseInput) {
			in.RequestMetadata = map[string]string{probe.Secret: strings.Repeat("x", 257)}
		}, true},
		{"a guardrail without its version", "Both guardrailIdentifier and guardrailVersion must be provided", func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID)}
		}, true},
		{"a version without its guardrail", "Both guardrailIdentifier and guardrailVersion must be provided", func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailVersion: aws.String("1")}
		}, true},
		{"a guardrail's version that is none", "guardrailConfig.guardrailVersion' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("abc"), GuardrailVersion: aws.String("latest")}
		}, true},
		{"a guardrail's name", "guardrailConfig.guardrailIdentifier' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("My-Guardrail"), GuardrailVersion: aws.String("1")}
		}, true},
		{"a trace that is none", "guardrailConfig.trace' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("abc"), GuardrailVersion: aws.String("1"), Trace: "full"}
		}, true},
		{"a tier that is none", "serviceTier.type' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.ServiceTier = &types.ServiceTier{Type: "gold"}
		}, true},
		{"eleven paths", "additionalModelResponseFieldPaths' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.AdditionalModelResponseFieldPaths = strings.Split("/a /b /c /d /e /f /g /h /i /j /k", " ")
		}, true},
		{"a prompt's ARN with a system prompt", "can't be used with a prompt from Prompt management", func(in *bedrockruntime.ConverseInput) {
			in.ModelId, in.ToolConfig = aws.String("arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1"), nil
			in.ToolConfig, in.InferenceConfig = nil, nil
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: probe.Secret}}
		}, true},
	}
	s := bedrocktest.NewServer(t)
	c := probe.Client(s)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			in := &bedrockruntime.ConverseInput{ModelId: aws.String(probe.Model), Messages: []types.Message{hello}, ToolConfig: probe.ToolsNamed("t")}
			row.change(in)
			_, err := c.Converse(t.Context(), in)
			probe.RefusesWith(t, "Converse", err, row.says)
			_, err = c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: in.ModelId, Messages: in.Messages, System: in.System, ToolConfig: in.ToolConfig,
				InferenceConfig: in.InferenceConfig, RequestMetadata: in.RequestMetadata, ServiceTier: in.ServiceTier, AdditionalModelRequestFields: in.AdditionalModelRequestFields,
				AdditionalModelResponseFieldPaths: in.AdditionalModelResponseFieldPaths, GuardrailConfig: streamGuardrail(in.GuardrailConfig)})
			probe.RefusesWith(t, "ConverseStream", err, row.says)
			if row.alone {
				return
			}
			_, err = c.CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: in.ModelId, Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{
				Messages: in.Messages, System: in.System, ToolConfig: in.ToolConfig, AdditionalModelRequestFields: in.AdditionalModelRequestFields}}})
			probe.RefusesWith(t, "CountTokens", err, row.says)
		})
	}
	for _, call := range s.Calls() {
		if call.Status != http.StatusBadRequest || call.Input == nil {
			t.Errorf("%s was answered with %d", call.Operation, call.Status)
		}
	}
}

func streamGuardrail(g *types.GuardrailConfiguration) *types.GuardrailStreamConfiguration {
	if g == nil {
		return nil
	}
	return &types.GuardrailStreamConfiguration{GuardrailIdentifier: g.GuardrailIdentifier, GuardrailVersion: g.GuardrailVersion, Trace: g.Trace}
}

// What Bedrock takes, the server takes: the near misses of what it refuses.
func TestGoodConversations(t *testing.T) {
	user, assistant := types.ConversationRoleUser, types.ConversationRoleAssistant
	hello := probe.Says(user, probe.Text("hello"))
	pictures := images(t)
	rows := map[string]func(in *bedrockruntime.ConverseInput){
		"a use and its result": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.Text("wait"), probe.UsesTool("a", "t"), probe.UsesTool("b", "t")), probe.Says(user, probe.ToolAnswers("b"), probe.ToolAnswers("a"), probe.Text("well?"))}
		},
		"a tool that is no longer offered": func(in *bedrockruntime.ConverseInput) {
			in.Messages, in.ToolConfig = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "gone")), probe.Says(user, probe.ToolAnswers("a"))}, probe.ToolsNamed("other")
		},
		"a result without content": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("a", []types.ToolResultContentBlock{}...))}
		},
		"one ID in two turns": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("a")), probe.Says(assistant, probe.UsesTool("a", "t")), probe.Says(user, probe.ToolAnswers("a"))}
		},
		"a tool of the provider's own": func(in *bedrockruntime.ConverseInput) {
			use := &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: aws.String("s"), Name: aws.String("search"), Type: types.ToolUseTypeServerToolUse, Input: document.NewLazyDocument(map[string]any{})}}
			in.Messages = []types.Message{hello, probe.Says(assistant, use, probe.Text("found")), hello}
		},
		"a prompt of Prompt management, which brings its own messages": func(in *bedrockruntime.ConverseInput) {
			in.ModelId, in.Messages = aws.String("arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1"), nil
			in.ToolConfig, in.InferenceConfig = nil, nil
		},
		"words to go on with": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, probe.Says(assistant, probe.Text("Sure:"))}
		},
		"a system message between": func(in *bedrockruntime.ConverseInput) {
			in.ModelId = aws.String("us.anthropic.claude-opus-4-8")
			in.Messages = []types.Message{hello, probe.Says(types.ConversationRoleSystem, probe.Text("be brief")), probe.Says(assistant, probe.Text("yes")), hello}
		},
		"five documents": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), file("a", "txt", "x"), file("A (2) [final]-x", "pdf", "%PDF-1.7\n"), file("c", "docx", "PK\x03\x04"), file("d", "csv", "a,b"), file("e", "html", "<p>"))}
		},
		"a document beside guarded text": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, &types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("x")}}}, file("a", "txt", "x"))}
		},
		"bounds": func(in *bedrockruntime.ConverseInput) {
			in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(1), Temperature: aws.Float32(1), TopP: aws.Float32(0)}
			in.RequestMetadata = map[string]string{"a b:_@$#=/+,-.": ""}
			in.AdditionalModelRequestFields = document.NewLazyDocument(map[string]any{"top_k": 1})
		},
		"four cache points": func(in *bedrockruntime.ConverseInput) {
			for range 4 {
				in.Messages[0].Content = append(in.Messages[0].Content, probe.Text("x"), &types.ContentBlockMemberCachePoint{Value: types.CachePointBlock{Type: "default", Ttl: "1h"}})
			}
		},
		"a picture in S3": func(in *bedrockruntime.ConverseInput) {
			in.ModelId = aws.String("amazon.nova-lite-v1:0")
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png", Source: &types.ImageSourceMemberS3Location{Value: types.S3Location{Uri: aws.String("s3://bucket/key.png"), BucketOwner: aws.String("123456789012")}}}})}
		},
		"a picture alone": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, picture("png", pictures["png"]))}
		},
	}
	for format, data := range pictures {
		rows["a picture as "+string(format)] = func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{probe.Says(user, probe.Text("x"), picture(format, data))}
		}
	}
	s := bedrocktest.NewServer(t)
	for name, change := range rows {
		in := &bedrockruntime.ConverseInput{ModelId: aws.String(probe.Model), Messages: []types.Message{probe.Says(user, probe.Text("hello"))}, ToolConfig: probe.ToolsNamed("t")}
		change(in)
		if _, err := probe.Client(s).Converse(t.Context(), in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
