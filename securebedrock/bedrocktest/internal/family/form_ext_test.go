package family_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// Tools that a body offers reach Reply, the tool that a Reply asks for goes back in
// the family's form, and its result reaches the next Reply.
func TestInvokeModelTools(t *testing.T) {
	const schema = `{"type":"object","properties":{"city":{"type":"string"}}}`
	chat := `{"tools":[{"type":"function","function":{"name":"weather","description":"d","parameters":` + schema + `}}],"tool_choice":%s,
		"messages":[{"role":"user","content":"how is it?"},
		{"role":"assistant","content":"","tool_calls":[{"id":"t1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Bern\"}"}}]},
		{"role":"tool","tool_call_id":"t1","content":"rain"}]}`
	for _, row := range []struct {
		name, model, body  string
		use, args, stop    string // paths of the tool's name and arguments, and of the stop reason
		word               string
		piece              string // the path of the arguments in a chunk
		choice             types.ToolChoice
		encoded, fromArray bool // the arguments are JSON in a string; Command R has no IDs
	}{
		{"Anthropic", probe.Model, `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"tools":[{"name":"weather","description":"d","input_schema":` + schema + `}],"tool_choice":{"type":"tool","name":"weather"},
			"messages":[{"role":"user","content":"how is it?"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"weather","input":{"city":"Bern"}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"rain"}]}]}`,
			"content.0.name", "content.0.input", "stop_reason", `"tool_use"`, "delta.partial_json", &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String("weather")}}, false, false},
		{"Nova", "amazon.nova-pro-v1:0", `{"toolConfig":{"tools":[{"toolSpec":{"name":"weather","description":"d","inputSchema":{"json":` + schema + `}}}],"toolChoice":{"any":{}}},
			"messages":[{"role":"user","content":[{"text":"how is it?"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"weather","input":{"city":"Bern"}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[{"text":"rain"}]}}]}]}`,
			"output.message.content.0.toolUse.name", "output.message.content.0.toolUse.input", "stopReason", `"tool_use"`, "contentBlockDelta.delta.toolUse.input", &types.ToolChoiceMemberAny{}, false, false},
		{"gpt-oss", "openai.gpt-oss-20b-1:0", fmt.Sprintf(chat, `"required"`), "choices.0.message.tool_calls.0.function.name", "choices.0.message.tool_calls.0.function.arguments", "choices.0.finish_reason", `"tool_calls"`,
			"choices.0.delta.tool_calls.0.function.arguments", &types.ToolChoiceMemberAny{}, true, false},
		{"Mistral", "mistral.mistral-large-2407-v1:0", fmt.Sprintf(chat, `"auto"`), "choices.0.message.tool_calls.0.function.name", "choices.0.message.tool_calls.0.function.arguments", "choices.0.stop_reason", `"tool_calls"`,
			"choices.0.message.tool_calls.0.function.arguments", &types.ToolChoiceMemberAuto{}, true, false},
		{"Command R", "cohere.command-r-v1:0", `{"message":"how is it?","tools":[{"name":"weather","description":"d","parameter_definitions":{"city":{"type":"string","required":true}}}],
			"tool_results":[{"call":{"name":"weather","parameters":{"city":"Bern"}},"outputs":[{"text":"rain"}]}]}`,
			"tool_calls.0.name", "tool_calls.0.parameters", "finish_reason", `"COMPLETE"`, "", nil, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := bedrocktest.NewServer(t)
			var asked *bedrockruntime.ConverseInput
			s.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				asked = in
				return bedrocktest.ToolUse("t2", "weather", map[string]string{"city": "Zürich"}), nil
			})
			out, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: &row.model, Body: []byte(row.body)})
			if err != nil {
				t.Fatal(err)
			}
			spec := asked.ToolConfig.Tools[0].(*types.ToolMemberToolSpec).Value
			offered, err := spec.InputSchema.(*types.ToolInputSchemaMemberJson).Value.MarshalSmithyDocument()
			if err != nil || *spec.Name != "weather" || *spec.Description != "d" || probe.At(t, offered, "properties.city.type") != `"string"` {
				t.Errorf("tool %+v %s %v", spec, offered, err)
			}
			if fmt.Sprintf("%T", asked.ToolConfig.ToolChoice) != fmt.Sprintf("%T", row.choice) {
				t.Errorf("choice %T", asked.ToolConfig.ToolChoice)
			}
			if len(asked.Messages) != 3 {
				t.Fatalf("%d messages", len(asked.Messages))
			}
			use := asked.Messages[1].Content[0].(*types.ContentBlockMemberToolUse).Value
			given, err := use.Input.MarshalSmithyDocument()
			if err != nil || *use.Name != "weather" || probe.At(t, given, "city") != `"Bern"` {
				t.Errorf("use %+v %s %v", use, given, err)
			}
			result := asked.Messages[2].Content[0].(*types.ContentBlockMemberToolResult).Value
			if *result.ToolUseId != *use.ToolUseId || !row.fromArray && result.Content[0].(*types.ToolResultContentBlockMemberText).Value != "rain" {
				t.Errorf("result %+v", result)
			}
			if probe.At(t, out.Body, row.use) != `"weather"` || probe.At(t, out.Body, row.stop) != row.word {
				t.Errorf("%s", out.Body)
			}
			args := []byte(probe.At(t, out.Body, row.args))
			if row.encoded {
				var text string
				if err := json.Unmarshal(args, &text); err != nil {
					t.Fatal(err)
				}
				args = []byte(text)
			}
			if probe.At(t, args, "city") != `"Zürich"` {
				t.Errorf("arguments %s", args)
			}
			if row.piece == "" {
				return
			}
			var streamed strings.Builder
			for _, chunk := range probe.InvokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &row.model, Body: []byte(row.body)}) {
				if piece := probe.At(t, []byte(chunk), row.piece); piece != "" {
					var text string
					if err := json.Unmarshal([]byte(piece), &text); err != nil {
						t.Fatal(err)
					}
					streamed.WriteString(text)
				}
			}
			if streamed.String() != `{"city":"Zürich"}` {
				t.Errorf("streamed %q", streamed.String())
			}
		})
	}
}

// Reasoning and citations go back in the families that have a form for them, and a
// Reply with content that a family has no form for is told.
func TestInvokeModelReasoning(t *testing.T) {
	s := bedrocktest.NewServer(t)
	thought := &types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{
		Value: types.ReasoningTextBlock{Text: aws.String("let me think"), Signature: aws.String("sig")},
	}}
	s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return bedrocktest.Content(thought,
			&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: []byte("hi")}},
			&types.ContentBlockMemberCitationsContent{Value: types.CitationsContentBlock{
				Content: []types.CitationGeneratedContent{&types.CitationGeneratedContentMemberText{Value: "so it is"}},
				Citations: []types.Citation{{
					Title: aws.String("report"), SourceContent: []types.CitationSourceContent{&types.CitationSourceContentMemberText{Value: "it is so"}},
					Location: &types.CitationLocationMemberDocumentPage{Value: types.DocumentPageLocation{DocumentIndex: aws.Int32(0), Start: aws.Int32(2), End: aws.Int32(3)}},
				}},
			}}), nil
	})
	out, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(probe.Model), Body: probe.InvokeBody(t, "hi")})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"content.0.type": `"thinking"`, "content.0.thinking": `"let me think"`, "content.0.signature": `"sig"`,
		"content.1.type": `"redacted_thinking"`, "content.1.data": `"aGk="`,
		"content.2.text": `"so it is"`, "content.2.citations.0.type": `"page_location"`, "content.2.citations.0.start_page_number": "2", "content.2.citations.0.cited_text": `"it is so"`,
	} {
		if got := probe.At(t, out.Body, path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	all := strings.Join(probe.InvokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(probe.Model), Body: probe.InvokeBody(t, "hi")}), "\n")
	for _, part := range []string{"thinking_delta", "signature_delta", "redacted_thinking", "citations_delta"} {
		probe.Contains(t, all, part)
	}
	s.Reply(bedrocktest.Script(bedrocktest.Content(thought, &types.ContentBlockMemberText{Value: "yes"})))
	out, err = probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("openai.gpt-oss-20b-1:0"), Body: []byte(`{"messages":[{"role":"user","content":"hi"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if got := probe.At(t, out.Body, "choices.0.message.content"); got != `"\u003creasoning\u003elet me think\u003c/reasoning\u003eyes"` {
		t.Error(got)
	}
}
