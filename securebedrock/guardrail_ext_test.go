package securebedrock_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func guardText(text string, qualifiers ...types.GuardrailConverseContentQualifier) *types.GuardrailConverseContentBlockMemberText {
	return &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String(text), Qualifiers: qualifiers}}
}

// Contextual grounding as AWS's page writes it (guardrails-contextual-grounding-check)
// is refused for what it lacks; with that it passes.
func TestContextualGrounding(t *testing.T) {
	const source, query, guard = types.GuardrailConverseContentQualifierGroundingSource, types.GuardrailConverseContentQualifierQuery, types.GuardrailConverseContentQualifierGuardContent
	content := func(s, q []types.GuardrailConverseContentQualifier) []types.ContentBlock {
		return []types.ContentBlock{
			&types.ContentBlockMemberGuardContent{Value: guardText("London is the capital of the United Kingdom.", s...)},
			&types.ContentBlockMemberGuardContent{Value: guardText("What is the capital of the United Kingdom?", q...)},
		}
	}
	type list = []types.GuardrailConverseContentQualifier
	for _, row := range []struct {
		name    string
		content []types.ContentBlock
		system  []types.SystemContentBlock
		says    string // empty: it passes
	}{
		{"AWS's own form", content(list{source}, list{query}), nil, "add the qualifier guard_content"},
		{"a query alone", content(list{source, guard}, list{query}), nil, "add the qualifier guard_content"},
		{"a source in the system prompt", content(nil, nil), []types.SystemContentBlock{&types.SystemContentBlockMemberGuardContent{Value: guardText("x", source)}}, "add the qualifier guard_content"},
		{"with guard_content", content(list{source, guard}, list{query, guard}), nil, ""},
		{"without qualifiers", content(nil, nil), nil, ""},
		{"text beside it", append(content(list{source, guard}, list{query, guard}), &types.ContentBlockMemberText{Value: "x"}), nil, "put all of it or none of it in them"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			for _, partial := range []bool{false, true} {
				c := newClient(t, server, func(o *opts) { o.Guardrail.AllowPartial = partial })
				_, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), System: row.system,
					Messages: []types.Message{{Role: types.ConversationRoleUser, Content: row.content}}})
				if row.says == "" || partial {
					if err != nil {
						t.Error(err)
					}
					continue
				}
				refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
				if other := "put all of it or none of it"; !strings.Contains(err.Error(), row.says) || !strings.Contains(row.says, other) && strings.Contains(err.Error(), other) {
					t.Errorf("the reason is another: %v", err)
				}
			}
		})
	}
}

// A blocked turn that stays in the history blocks the next call; without it, the
// conversation goes on.
func TestConversationAfterABlock(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	say := func(history []types.Message) types.StopReason {
		t.Helper()
		out, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), Messages: history})
		if err != nil {
			t.Fatal(err)
		}
		return out.StopReason
	}
	blocked := userSays("how do I build a bomb")
	if got := say(blocked); got != types.StopReasonGuardrailIntervened {
		t.Fatal(got)
	}
	answer := types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Sorry."}}}
	if got := say(append(append(blocked, answer), userSays("hello")...)); got != types.StopReasonGuardrailIntervened {
		t.Errorf("with the blocked turn: %s", got)
	}
	if got := say(userSays("hello")); got != types.StopReasonEndTurn {
		t.Errorf("without it: %s", got)
	}
}

// changing is a document whose encoding is the caller's code, which runs between the
// rules and the wire.
type changing struct {
	document.Interface
	change func()
}

func (d changing) MarshalSmithyDocument() ([]byte, error) { d.change(); return []byte(`{}`), nil }

// What the coverage rule has looked at is what is sent, whatever becomes of the
// caller's blocks meanwhile.
func TestCoverageOfBlocksThatChange(t *testing.T) {
	text := &types.ContentBlockMemberText{}
	system := &types.SystemContentBlockMemberText{}
	guard := guardText("a question", types.GuardrailConverseContentQualifierGuardContent)
	covered := &types.ContentBlockMemberGuardContent{Value: guardText("a question")}
	systemCovered := &types.SystemContentBlockMemberGuardContent{Value: guardText("a rule")}
	for name, row := range map[string]struct {
		content []types.ContentBlock
		system  []types.SystemContentBlock
		change  func()
	}{
		"an empty text is filled":        {[]types.ContentBlock{text}, nil, func() { text.Value = "UNSCANNED" }},
		"an empty system text is filled": {nil, []types.SystemContentBlock{system}, func() { system.Value = "UNSCANNED" }},
		"a qualifier is exchanged": {[]types.ContentBlock{&types.ContentBlockMemberGuardContent{Value: guard}}, nil, func() {
			guard.Value.Qualifiers[0] = types.GuardrailConverseContentQualifierQuery
		}},
		"a block is exchanged": {[]types.ContentBlock{covered}, nil, func() {
			covered.Value = guardText("UNSCANNED", types.GuardrailConverseContentQualifierQuery)
		}},
		"a system block is exchanged": {nil, []types.SystemContentBlock{systemCovered}, func() {
			systemCovered.Value = guardText("UNSCANNED", types.GuardrailConverseContentQualifierQuery)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			cfg.APIOptions = nil
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			result := &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: aws.String("t1"), Content: []types.ToolResultContentBlock{
				&types.ToolResultContentBlockMemberJson{Value: changing{document.NewLazyDocument(map[string]any{}), row.change}},
			}}}
			content := append([]types.ContentBlock{result, &types.ContentBlockMemberGuardContent{Value: guardText("first")}}, row.content...)
			use := &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Name: aws.String("x"), ToolUseId: aws.String("t1"), Input: document.NewLazyDocument(map[string]any{})}}
			messages := append(userSays("hello"), types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{use}},
				types.Message{Role: types.ConversationRoleUser, Content: content})
			_, err = c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), System: row.system, Messages: messages,
				ToolConfig: &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("x"),
					InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})}}}}}})
			if err != nil {
				refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
			}
			for _, call := range calls(server, "Converse") {
				if body := string(call.Body); strings.Contains(body, "UNSCANNED") || strings.Contains(body, `"query"`) {
					t.Errorf("sent %s", body)
				}
			}
		})
	}
}
