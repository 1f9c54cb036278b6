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
)

// secret is in every prompt of these tests, and in no message of the server's.
const secret = "Rumpelstiltskin"

func says(role types.ConversationRole, content ...types.ContentBlock) types.Message {
	if content == nil {
		content = []types.ContentBlock{} // the SDK sends no message without content
	}
	return types.Message{Role: role, Content: content}
}

func text(s string) types.ContentBlock { return &types.ContentBlockMemberText{Value: s} }

func usesTool(id, name string) types.ContentBlock {
	return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: &id, Name: &name, Input: document.NewLazyDocument(map[string]any{"of": secret})}}
}

func toolAnswers(id string, content ...types.ToolResultContentBlock) types.ContentBlock {
	if content == nil {
		content = []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: secret}}
	}
	return &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: &id, Content: content}}
}

func file(name string, format types.DocumentFormat, data string) types.ContentBlock {
	return &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: &name, Format: format, Source: &types.DocumentSourceMemberBytes{Value: []byte(data)}}}
}

func picture(format types.ImageFormat, data []byte) types.ContentBlock {
	return &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: format, Source: &types.ImageSourceMemberBytes{Value: data}}}
}

func schemaOf(v any) types.Tool {
	return &types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("t"), InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(v)}}}
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
	return map[types.ImageFormat][]byte{types.ImageFormatPng: onePixel(t), types.ImageFormatJpeg: j.Bytes(), types.ImageFormatGif: g.Bytes(), types.ImageFormatWebp: webp}
}

// A conversation is refused where Bedrock refuses it, by Converse, by
// ConverseStream and by CountTokens alike, and the message repeats none of it.
func TestBadConversations(t *testing.T) {
	user, assistant := types.ConversationRoleUser, types.ConversationRoleAssistant
	hello := says(user, text(secret))
	var wide bytes.Buffer
	if err := png.Encode(&wide, image.NewGray(image.Rect(0, 0, 8001, 1))); err != nil {
		t.Fatal(err)
	}
	many := func(n int, block func(i int) types.ContentBlock) []types.ContentBlock {
		out := []types.ContentBlock{text(secret)}
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
			in.Messages = []types.Message{says(user, []types.ContentBlock{}...)}
		}, false},
		{"an empty text", "is blank", func(in *bedrockruntime.ConverseInput) { in.Messages = []types.Message{says(user, text(""))} }, false},
		{"a blank text", "is blank", func(in *bedrockruntime.ConverseInput) { in.Messages = []types.Message{says(user, text(" \n\t"))} }, false},
		{"a role that is none", "enum value set: [user, assistant, system]", func(in *bedrockruntime.ConverseInput) { in.Messages[0].Role = "model" }, false},
		{"the assistant begins", "must start with a user message", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(assistant, text("hi")), hello}
		}, false},
		{"two messages of the user", "must alternate between user and assistant", func(in *bedrockruntime.ConverseInput) { in.Messages = []types.Message{hello, hello} }, false},
		{"two messages of the assistant", "must alternate between user and assistant", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, text("a")), says(assistant, text("b")), hello}
		}, false},
		{"a new model is to go on with its own words", "does not support assistant message prefill", func(in *bedrockruntime.ConverseInput) {
			in.ModelId, in.Messages = aws.String("us.anthropic.claude-sonnet-4-6"), []types.Message{hello, says(assistant, text("Sure:"))}
		}, false},
		{"words to go on with that end in a space", "trailing whitespace", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, text("Sure: "))}
		}, false},

		{"a tool's result and no tool", "toolConfig field must be defined", func(in *bedrockruntime.ConverseInput) {
			in.Messages, in.ToolConfig = []types.Message{hello, says(assistant, usesTool("a", "t")), says(user, toolAnswers("a"))}, nil
		}, false},
		{"a result with another ID", "Expected toolResult blocks at messages.2.content for the following Ids: a", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t")), says(user, toolAnswers("b"))}
		}, false},
		{"a result of nothing", "exceeds the number of toolUse blocks", func(in *bedrockruntime.ConverseInput) { in.Messages = []types.Message{says(user, toolAnswers("a"))} }, false},
		{"a result too many", "exceeds the number of toolUse blocks", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t")), says(user, toolAnswers("a"), toolAnswers("b"))}
		}, false},
		{"one result for two uses", "Expected toolResult blocks at messages.2.content for the following Ids: b", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t"), usesTool("b", "t")), says(user, toolAnswers("a"))}
		}, false},
		{"a use without a result", "Expected toolResult blocks", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t")), hello}
		}, false},
		{"a use at the end", "tool_use` ids were found without", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t"))}
		}, false},
		{"a result a turn too late", "exceeds the number", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t")), says(user, toolAnswers("a")), says(assistant, text("x")), says(user, toolAnswers("a"))}
		}, false},
		{"two uses with one ID", "duplicate Ids", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t"), usesTool("a", "t")), says(user, toolAnswers("a"))}
		}, false},
		{"a use by the user", "can only be in `assistant` messages", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, usesTool("a", "t"))}
		}, false},
		{"a result by the assistant", "can only be in `user` messages", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, toolAnswers("a"))}
		}, false},
		{"arguments that are no object", "toolUse.input is invalid. Provide a json object", func(in *bedrockruntime.ConverseInput) {
			use := &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: aws.String("a"), Name: aws.String("t"), Input: document.NewLazyDocument("x")}}
			in.Messages = []types.Message{hello, says(assistant, use), says(user, toolAnswers("a"))}
		}, false},
		{"a result that is a list", "toolResult.content.0.json is invalid. Provide a json object", func(in *bedrockruntime.ConverseInput) {
			list := &types.ToolResultContentBlockMemberJson{Value: document.NewLazyDocument([]string{secret})}
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t")), says(user, toolAnswers("a", list))}
		}, false},
		{"an error that says nothing", "cannot be empty when status value is error", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t")), says(user, &types.ContentBlockMemberToolResult{
				Value: types.ToolResultBlock{ToolUseId: aws.String("a"), Status: types.ToolResultStatusError, Content: []types.ToolResultContentBlock{}}})}
		}, false},
		{"a result and words for Llama", "cannot be provided in the same turn", func(in *bedrockruntime.ConverseInput) {
			in.ModelId = aws.String("us.meta.llama3-3-70b-instruct-v1:0")
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t")), says(user, toolAnswers("a"), text("and?"))}
		}, false},
		{"an ID with a space", "toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a b", "t")), says(user, toolAnswers("a b"))}
		}, false},

		{"a choice of no tool", "tool_choice", func(in *bedrockruntime.ConverseInput) {
			in.ToolConfig.ToolChoice = &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String("other")}}
		}, false},
		{"no tools", "toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1", func(in *bedrockruntime.ConverseInput) { in.ToolConfig.Tools = []types.Tool{} }, false},
		{"two tools of one name", "Tool names must be unique", func(in *bedrockruntime.ConverseInput) { in.ToolConfig = toolsNamed("t", "u", "t") }, false},
		{"a tool's name with a dot", "toolSpec.name' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) { in.ToolConfig = toolsNamed("get.weather") }, false},
		{"a tool's name too long", "toolSpec.name' failed to satisfy constraint: Member must have length less than or equal to 64", func(in *bedrockruntime.ConverseInput) { in.ToolConfig = toolsNamed(strings.Repeat("t", 65)) }, false},
		{"a schema of another type", "inputSchema.json.type must be one of the following: object", func(in *bedrockruntime.ConverseInput) {
			in.ToolConfig.Tools = []types.Tool{schemaOf(map[string]any{"type": "array"})}
		}, false},
		{"a schema of no type", "inputSchema.json.type must be one of the following: object", func(in *bedrockruntime.ConverseInput) { in.ToolConfig.Tools = []types.Tool{schemaOf(map[string]any{})} }, false},
		{"a schema that is a text", "inputSchema.json.type must be one of the following: object", func(in *bedrockruntime.ConverseInput) { in.ToolConfig.Tools = []types.Tool{schemaOf("object")} }, false},

		{"a document alone", "A text block must be included when using documents", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, file("a", "txt", secret))}
		}, false},
		{"a document of the assistant's", "only be included if the role is user", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, text("x"), file("a", "txt", secret)), hello}
		}, false},
		{"a document's name with a dot", "document file name can only contain", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), file("report.pdf", "txt", secret))}
		}, false},
		{"a document's name with an underscore", "document file name can only contain", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), file("my_report", "txt", secret))}
		}, false},
		{"a document's name with two spaces", "document file name can only contain", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), file("my  report", "txt", secret))}
		}, false},
		{"a document's name of other letters", "document file name can only contain", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), file("résumé", "txt", secret))}
		}, false},
		{"two documents of one name", "duplicate document names", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), file("a", "txt", secret), file("a", "md", secret))}
		}, false},
		{"two documents of one name in two turns", "duplicate document names", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), file("a", "txt", secret)), says(assistant, text("y")), says(user, text("x"), file("a", "txt", secret))}
		}, false},
		{"six documents", "more than 5 documents", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, many(6, func(i int) types.ContentBlock { return file(fmt.Sprint("a", i), "txt", secret) })...)}
		}, false},
		{"a PDF that is none", "does not match the specified document format", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), file("a", "pdf", secret))}
		}, false},
		{"a document of no bytes", "source.bytes' failed to satisfy constraint: Member must have length greater than or equal to 1", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), file("a", "txt", ""))}
		}, false},
		{"a format that is none", "enum value set", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), file("a", "odt", secret))}
		}, false},
		{"a picture that is none", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), picture("png", []byte(secret)))}
		}, false},
		{"a picture of another format", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), picture("jpeg", onePixel(t)))}
		}, false},
		{"a picture's beginning", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), picture("png", onePixel(t)[:12]))}
		}, false},
		{"a WebP that is none", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), picture("webp", []byte("RIFF0000WAVEfmt 0000")))}
		}, false},
		{"a tool's picture that is none", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			block := &types.ToolResultContentBlockMemberImage{Value: types.ImageBlock{Format: "gif", Source: &types.ImageSourceMemberBytes{Value: []byte(secret)}}}
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t")), says(user, toolAnswers("a", block))}
		}, false},
		{"a picture to guard that is none", "does not match the specified image format", func(in *bedrockruntime.ConverseInput) {
			block := &types.GuardrailConverseContentBlockMemberImage{Value: types.GuardrailConverseImageBlock{Format: "png", Source: &types.GuardrailConverseImageSourceMemberBytes{Value: []byte(secret)}}}
			in.Messages = []types.Message{says(user, text("x"), &types.ContentBlockMemberGuardContent{Value: block})}
		}, false},
		{"a picture too wide", "image dimensions exceed", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), picture("png", wide.Bytes()))}
		}, false},
		{"a picture too large", "exceeds 3.75 MB", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), picture("png", append(onePixel(t), make([]byte, 4<<20)...)))}
		}, false},
		{"21 pictures", "more than 20 images", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, many(21, func(int) types.ContentBlock { return picture("png", onePixel(t)) })...)}
		}, false},
		{"a bucket that is none", "s3Location.uri' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png",
				Source: &types.ImageSourceMemberS3Location{Value: types.S3Location{Uri: aws.String("https://bucket/key")}}}})}
		}, false},
		{"five cache points", "maximum of 4 blocks with cache_control may be provided. Found 5", func(in *bedrockruntime.ConverseInput) {
			point := types.CachePointBlock{Type: types.CachePointTypeDefault}
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "x"}, &types.SystemContentBlockMemberCachePoint{Value: point}}
			in.ToolConfig.Tools = append(in.ToolConfig.Tools, &types.ToolMemberCachePoint{Value: point})
			in.Messages = []types.Message{says(user, many(3, func(int) types.ContentBlock { return &types.ContentBlockMemberCachePoint{Value: point} })...)}
		}, false},
		{"a cache point of another type", "cachePoint.type' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), &types.ContentBlockMemberCachePoint{Value: types.CachePointBlock{Type: "ephemeral"}})}
		}, false},
		{"a cache point for a day", "cachePoint.ttl' failed to satisfy constraint: Member must satisfy enum value set: [5m, 1h]", func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), &types.ContentBlockMemberCachePoint{Value: types.CachePointBlock{Type: "default", Ttl: "24h"}})}
		}, false},
		{"an empty system prompt", "system.1.member.text' failed to satisfy constraint", func(in *bedrockruntime.ConverseInput) {
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{}}
		}, false},
		{"a model's fields that are a list", "additionalModelRequestFields field is invalid", func(in *bedrockruntime.ConverseInput) {
			in.AdditionalModelRequestFields = document.NewLazyDocument([]string{secret})
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
			in.RequestMetadata = map[string]string{secret + "*": "x"}
		}, true},
		{"a metadata value too long", "requestMetadata' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 256", func(in *bedrockruntime.ConverseInput) {
			in.RequestMetadata = map[string]string{secret: strings.Repeat("x", 257)}
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
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: secret}}
		}, true},
	}
	s := bedrocktest.NewServer(t)
	c := client(s)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			in := &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: []types.Message{hello}, ToolConfig: toolsNamed("t")}
			row.change(in)
			_, err := c.Converse(t.Context(), in)
			refusesWith(t, "Converse", err, row.says)
			_, err = c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: in.ModelId, Messages: in.Messages, System: in.System, ToolConfig: in.ToolConfig,
				InferenceConfig: in.InferenceConfig, RequestMetadata: in.RequestMetadata, ServiceTier: in.ServiceTier, AdditionalModelRequestFields: in.AdditionalModelRequestFields,
				AdditionalModelResponseFieldPaths: in.AdditionalModelResponseFieldPaths, GuardrailConfig: streamGuardrail(in.GuardrailConfig)})
			refusesWith(t, "ConverseStream", err, row.says)
			if row.alone {
				return
			}
			_, err = c.CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: in.ModelId, Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{
				Messages: in.Messages, System: in.System, ToolConfig: in.ToolConfig, AdditionalModelRequestFields: in.AdditionalModelRequestFields}}})
			refusesWith(t, "CountTokens", err, row.says)
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

// What Bedrock takes, the server takes: the near misses of what it refuses.
func TestGoodConversations(t *testing.T) {
	user, assistant := types.ConversationRoleUser, types.ConversationRoleAssistant
	hello := says(user, text("hello"))
	pictures := images(t)
	rows := map[string]func(in *bedrockruntime.ConverseInput){
		"a use and its result": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, text("wait"), usesTool("a", "t"), usesTool("b", "t")), says(user, toolAnswers("b"), toolAnswers("a"), text("well?"))}
		},
		"a tool that is no longer offered": func(in *bedrockruntime.ConverseInput) {
			in.Messages, in.ToolConfig = []types.Message{hello, says(assistant, usesTool("a", "gone")), says(user, toolAnswers("a"))}, toolsNamed("other")
		},
		"a result without content": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t")), says(user, toolAnswers("a", []types.ToolResultContentBlock{}...))}
		},
		"one ID in two turns": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, usesTool("a", "t")), says(user, toolAnswers("a")), says(assistant, usesTool("a", "t")), says(user, toolAnswers("a"))}
		},
		"a tool of the provider's own": func(in *bedrockruntime.ConverseInput) {
			use := &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: aws.String("s"), Name: aws.String("search"), Type: types.ToolUseTypeServerToolUse, Input: document.NewLazyDocument(map[string]any{})}}
			in.Messages = []types.Message{hello, says(assistant, use, text("found")), hello}
		},
		"a prompt of Prompt management, which brings its own messages": func(in *bedrockruntime.ConverseInput) {
			in.ModelId, in.Messages = aws.String("arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1"), nil
			in.ToolConfig, in.InferenceConfig = nil, nil
		},
		"words to go on with": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{hello, says(assistant, text("Sure:"))}
		},
		"a system message between": func(in *bedrockruntime.ConverseInput) {
			in.ModelId = aws.String("us.anthropic.claude-opus-4-8")
			in.Messages = []types.Message{hello, says(types.ConversationRoleSystem, text("be brief")), says(assistant, text("yes")), hello}
		},
		"five documents": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), file("a", "txt", "x"), file("A (2) [final]-x", "pdf", "%PDF-1.7\n"), file("c", "docx", "PK\x03\x04"), file("d", "csv", "a,b"), file("e", "html", "<p>"))}
		},
		"a document beside guarded text": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, &types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("x")}}}, file("a", "txt", "x"))}
		},
		"bounds": func(in *bedrockruntime.ConverseInput) {
			in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(1), Temperature: aws.Float32(1), TopP: aws.Float32(0)}
			in.RequestMetadata = map[string]string{"a b:_@$#=/+,-.": ""}
			in.AdditionalModelRequestFields = document.NewLazyDocument(map[string]any{"top_k": 1})
		},
		"four cache points": func(in *bedrockruntime.ConverseInput) {
			for range 4 {
				in.Messages[0].Content = append(in.Messages[0].Content, text("x"), &types.ContentBlockMemberCachePoint{Value: types.CachePointBlock{Type: "default", Ttl: "1h"}})
			}
		},
		"a picture in S3": func(in *bedrockruntime.ConverseInput) {
			in.ModelId = aws.String("amazon.nova-lite-v1:0")
			in.Messages = []types.Message{says(user, text("x"), &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png", Source: &types.ImageSourceMemberS3Location{Value: types.S3Location{Uri: aws.String("s3://bucket/key.png"), BucketOwner: aws.String("123456789012")}}}})}
		},
		"a picture alone": func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, picture("png", pictures["png"]))}
		},
	}
	for format, data := range pictures {
		rows["a picture as "+string(format)] = func(in *bedrockruntime.ConverseInput) {
			in.Messages = []types.Message{says(user, text("x"), picture(format, data))}
		}
	}
	s := bedrocktest.NewServer(t)
	for name, change := range rows {
		in := &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: []types.Message{says(user, text("hello"))}, ToolConfig: toolsNamed("t")}
		change(in)
		if _, err := client(s).Converse(t.Context(), in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
