package middleware_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// A conversation whose parts hold SYS, USR, ASK, TOL, DOC and FLD.
func conversation() *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{ModelId: aws.String(haiku),
		System: []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "SYS"}},
		Messages: []types.Message{
			{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "USR"}}},
			{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberToolUse{
				Value: types.ToolUseBlock{Name: aws.String("x"), ToolUseId: aws.String("t"), Input: document1("ASK")}}}},
			{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: aws.String("t"),
				Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "TOL"}}}},
				&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("d"), Source: &types.DocumentSourceMemberText{Value: "DOC"}}}}},
		},
		AdditionalModelRequestFields: document1("FLD"),
	}
}

const (
	anthropicBody = `{"anthropic_version":"FLD","system":[{"type":"text","text":"SYS"}],"messages":[{"role":"user","content":"USR"},
		{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"x","input":{"type":"tool_result","content":"ASK"}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"TOL"}]},{"type":"document","source":{"type":"text","data":"DOC"}}]}]}`
	novaBody = `{"x":"FLD","system":[{"text":"SYS"}],"messages":[{"role":"user","content":[{"text":"USR"}]},{"role":"assistant","content":[{"toolUse":{"input":{"a":"ASK"}}}]},
		{"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"text":"TOL"}]}},{"document":{"name":"d","source":{"bytes":"DOC"}}}]}]}`
	openBody = `{"x":"FLD","messages":[{"role":"system","content":"SYS"},{"role":"user","content":[["USR"],"DOC"]},{"content":null,"tool_calls":[{"function":{"arguments":"ASK"}}],"role":"assistant"},
		{"content":"TOL","role":"tool"}]}`
	cohereBody = `{"x":"FLD","preamble":"SYS","chat_history":[{"role":"CHATBOT","message":"ASK"}],"message":"USR","documents":[{"title":"DOC"}],"tool_results":[{"outputs":[{"a":"TOL"}]}]}`
)

// Of every form of conversation, what is asked about is what is wanted.
func TestInputCheckOfParts(t *testing.T) {
	words := []string{"SYS", "USR", "ASK", "TOL", "DOC", "FLD"}
	for _, row := range []struct {
		name  string
		parts middleware.Part
		want  string
	}{
		{"nothing said is everything", 0, "SYS USR ASK TOL DOC FLD"},
		{"everything", middleware.AllParts, "SYS USR ASK TOL DOC FLD"},
		{"all but the program's own prompt", middleware.AllParts &^ middleware.PartSystem, "USR ASK TOL DOC FLD"},
		{"tool results alone", middleware.PartToolResults, "TOL"},
		{"the user alone", middleware.PartUser, "USR DOC"},
		{"the model's earlier turns", middleware.PartAssistant, "ASK"},
		{"the system prompt alone", middleware.PartSystem, "SYS"},
		{"the model's own fields", middleware.PartFields, "FLD"},
	} {
		for form, in := range map[string]any{"Converse": conversation(), "Anthropic": anthropicBody, "Nova": novaBody, "OpenAI": openBody, "Cohere": cohereBody} {
			t.Run(row.name+", of "+form, func(t *testing.T) {
				if got := askedAbout(t, in, row.parts, words); got != row.want {
					t.Errorf("asked about %s, want %s", got, row.want)
				}
			})
		}
	}
}

// A body that cannot be taken apart for certain is checked whole.
func TestInputCheckOfPartsThatCannotBeTold(t *testing.T) {
	for name, body := range map[string]string{
		"one prompt with all turns in it": `{"prompt":"SYS USR TOL"}`,
		"a role that is not known":        `{"messages":[{"role":"observer","content":"USR"}],"system":"SYS"}`,
		"no role":                         `{"messages":[{"content":"USR"}],"system":"SYS"}`,
		"a role that stands twice":        `{"messages":[{"role":"system","content":"USR","role":"user"}],"system":"SYS"}`,
		"a list that is none":             `{"messages":{"USR":{"role":"system","content":"USR"}},"system":"SYS"}`,
		"messages that stand twice":       `{"messages":[{"role":"user","content":"x"}],"messages":[{"role":"system","content":"USR"}],"system":"SYS"}`,
		"an array":                        `["SYS","USR"]`,
	} {
		if got := askedAbout(t, body, middleware.PartToolResults, []string{"SYS", "USR"}); got != "SYS USR" {
			t.Errorf("%s: asked about %q", name, got)
		}
	}
}

// A part that is left out does not count, and an unknown part is a fault.
func TestInputCheckLeavesPartsOut(t *testing.T) {
	in := user(&types.ContentBlockMemberVideo{Value: types.VideoBlock{Format: "mp4", Source: &types.VideoSourceMemberBytes{Value: []byte("v")}}})
	if got := askedAbout(t, in, middleware.PartToolResults, []string{"hello"}); got != "" {
		t.Errorf("asked about %q", got)
	}
	_, err := middleware.InputCheck(middleware.InputCheckOptions{Client: func() middleware.Checker { return nil }, Parts: 1 << 7})
	if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "Parts") {
		t.Errorf("%v", err)
	}
}

// askedAbout makes a call of in, a Converse or a body, and returns those of the
// words that the guardrail was asked about. The call must be sent.
func askedAbout(t *testing.T, in any, parts middleware.Part, words []string) string {
	t.Helper()
	asked, sent := "", false
	check := must(t)(middleware.InputCheck(middleware.InputCheckOptions{Parts: parts, Client: func() middleware.Checker {
		return checker(func(in *bedrockruntime.ApplyGuardrailInput) (*bedrockruntime.ApplyGuardrailOutput, error) {
			for _, b := range in.Content {
				asked += aws.ToString(b.(*types.GuardrailContentBlockMemberText).Value.Text)
			}
			return &bedrockruntime.ApplyGuardrailOutput{Action: types.GuardrailActionNone}, nil
		})
	}}))
	client := newClient(t, bedrocktest.NewServer(t), check, inner(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
		sent = true
		return nil, errSent
	}))
	var err error
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		_, err = client.Converse(t.Context(), in)
	case string:
		_, err = client.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(in)})
	}
	if !sent {
		t.Fatalf("not sent: %v", err)
	}
	return strings.Join(slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.Contains(asked, w) }), " ")
}

// Bytes that are no characters are checked and sent as any other text.
func TestInputCheckOfBytesThatAreNoText(t *testing.T) {
	for name, text := range map[string]string{
		"continuation bytes":        strings.Repeat("\x80", 30_000),
		"continuation bytes behind": "hello " + strings.Repeat("\xbf", 60_000),
		"beginnings of characters":  strings.Repeat("\xf0", 30_000),
		"zero bytes":                strings.Repeat("\x00", 30_000),
	} {
		size := 0
		out, err := ask(t, converse(text), middleware.InputCheckOptions{MaxText: 1024, MaxRequests: 200}, checker(func(in *bedrockruntime.ApplyGuardrailInput) (*bedrockruntime.ApplyGuardrailOutput, error) {
			for _, b := range in.Content {
				size += len(aws.ToString(b.(*types.GuardrailContentBlockMemberText).Value.Text))
			}
			return &bedrockruntime.ApplyGuardrailOutput{Action: types.GuardrailActionNone}, nil
		}))
		if err != nil || !out || size < len(text) {
			t.Errorf("%s: %d bytes of %d were checked, %v", name, size, len(text), err)
		}
	}
}
