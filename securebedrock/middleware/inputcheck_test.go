package middleware_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

func TestInputCheck(t *testing.T) {
	const denied = "how to build a bomb"
	user := func(blocks ...types.ContentBlock) *bedrockruntime.ConverseInput {
		in := converse("hello")
		in.Messages[0].Content = append(in.Messages[0].Content, blocks...)
		return in
	}
	result := func(b types.ToolResultContentBlock) *bedrockruntime.ConverseInput {
		return user(&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: aws.String("t"), Content: []types.ToolResultContentBlock{b}}})
	}
	doc := func(s types.DocumentSource) *bedrockruntime.ConverseInput {
		return user(&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("d"), Source: s}})
	}
	later := converse(denied)
	later.Messages = append(later.Messages, types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "no"}}}, says("hello")[0])
	withSystem := converse("hello")
	withSystem.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: denied}}
	body := func(text string) []byte {
		return []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"messages":[{"role":"user","content":"` + text + `"}]}`)
	}
	filler := strings.Repeat("lorem ipsum ", 4000)
	for _, row := range []struct {
		name string
		opts middleware.InputCheckOptions
		in   any
		ok   bool
	}{
		{"a harmless prompt passes", middleware.InputCheckOptions{}, converse("hello"), true},
		{"a denied one does not", middleware.InputCheckOptions{}, converse(denied), false},
		{"nor in a stream", middleware.InputCheckOptions{}, converseStream(denied), false},
		{"nor in a system prompt", middleware.InputCheckOptions{}, withSystem, false},
		{"nor in a tool's text", middleware.InputCheckOptions{}, result(&types.ToolResultContentBlockMemberText{Value: denied}), false},
		{"nor in a tool's JSON", middleware.InputCheckOptions{}, result(&types.ToolResultContentBlockMemberJson{Value: document.NewLazyDocument(map[string]any{"a": []any{denied}})}), false},
		{"nor in a document's text", middleware.InputCheckOptions{}, doc(&types.DocumentSourceMemberText{Value: denied}), false},
		{"nor in a search result", middleware.InputCheckOptions{}, user(&types.ContentBlockMemberSearchResult{Value: types.SearchResultBlock{Source: aws.String("s"), Title: aws.String("t"), Content: []types.SearchResultContentBlock{{Text: aws.String(denied)}}}}), false},
		{"nor in a body", middleware.InputCheckOptions{}, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: body(denied)}, false},
		{"nor in an escape of it", middleware.InputCheckOptions{}, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: body(`how to \u0062uild a bomb`)}, false},
		{"a harmless body passes", middleware.InputCheckOptions{}, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: body("hello")}, true},
		{"a phrase at the end of a long text does not", middleware.InputCheckOptions{}, converse(filler + denied), false},
		{"nor one across a cut", middleware.InputCheckOptions{MaxText: 2000}, converse(filler[:1990] + " " + denied + " " + filler), false},
		{"an earlier turn counts", middleware.InputCheckOptions{}, later, false},
		{"but not where the last is asked for", middleware.InputCheckOptions{LastTurn: true}, later, true},
		{"a PDF is refused", middleware.InputCheckOptions{}, doc(&types.DocumentSourceMemberBytes{Value: []byte("%PDF")}), false},
		{"but not with a reason", middleware.InputCheckOptions{AllowUnchecked: "scanned before"}, doc(&types.DocumentSourceMemberBytes{Value: []byte("%PDF")}), true},
		{"a video is refused", middleware.InputCheckOptions{}, user(&types.ContentBlockMemberVideo{Value: types.VideoBlock{Format: "mp4", Source: &types.VideoSourceMemberBytes{Value: []byte("v")}}}), false},
		{"a WebP is refused", middleware.InputCheckOptions{}, user(&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "webp", Source: &types.ImageSourceMemberBytes{Value: []byte("v")}}}), false},
		{"a PNG is sent to the check", middleware.InputCheckOptions{}, user(&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png", Source: &types.ImageSourceMemberBytes{Value: []byte("v")}}}), true},
		{"a guardrail that does not exist refuses", middleware.InputCheckOptions{ID: "abcdefghijkl", Version: "1"}, converse("hello"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			var client *securebedrock.Client
			row.opts.Client = func() middleware.Checker { return client }
			client = newClient(t, server, must(t)(middleware.InputCheck(row.opts)))
			var err error
			switch in := row.in.(type) {
			case *bedrockruntime.ConverseInput:
				_, err = client.Converse(t.Context(), in)
			case *bedrockruntime.ConverseStreamInput:
				_, err = client.ConverseStream(t.Context(), in)
			case *bedrockruntime.InvokeModelInput:
				_, err = client.InvokeModel(t.Context(), in)
			}
			models := len(server.Calls()) - arrived(server, "ApplyGuardrail") - arrived(server, "AssumeRole")
			if row.ok {
				if err != nil || models != 1 || arrived(server, "ApplyGuardrail") == 0 {
					t.Errorf("%v; %d checks, %d model calls", err, arrived(server, "ApplyGuardrail"), models)
				}
				return
			}
			if !errors.Is(err, middleware.ErrInput) || models != 0 || strings.Contains(err.Error(), "bomb") {
				t.Errorf("%v; %d model calls", err, models)
			}
		})
	}
}

func TestInputCheckThatCannotBeMadeRefuses(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ApplyGuardrail", bedrocktest.ServerError(500, 1))
	var client *securebedrock.Client
	client = newClient(t, server, must(t)(middleware.InputCheck(middleware.InputCheckOptions{Client: func() middleware.Checker { return client }})))
	if _, err := client.Converse(t.Context(), converse("hello")); !errors.Is(err, middleware.ErrInput) || arrived(server, "Converse") != 0 {
		t.Errorf("%v, %d model calls", err, arrived(server, "Converse"))
	}
}
