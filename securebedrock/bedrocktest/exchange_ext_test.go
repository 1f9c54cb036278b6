package bedrocktest_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// A Reply's own trace is sent as it is by every operation, with a guardrail in the
// request and without one: an enforced guardrail needs no request.
func TestOwnTrace(t *testing.T) {
	own := &types.ConverseTrace{
		Guardrail: &types.GuardrailTraceAssessment{
			ActionReason:    aws.String("Guardrail blocked."),
			InputAssessment: map[string]types.GuardrailAssessment{"enforced": {AppliedGuardrailDetails: &types.AppliedGuardrailDetails{GuardrailOrigin: []types.GuardrailOrigin{types.GuardrailOriginAccountEnforced}}}},
		},
		PromptRouter: &types.PromptRouterTrace{InvokedModelId: aws.String(probe.Model)},
	}
	for _, guarded := range []bool{false, true} {
		s := bedrocktest.NewServer(t)
		s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			out := bedrocktest.Text("no")
			out.StopReason, out.Trace = types.StopReasonGuardrailIntervened, own
			return out, nil
		})
		in, streamed := probe.Ask("hi"), probe.AskStream("hi")
		invoked := &bedrockruntime.InvokeModelInput{ModelId: aws.String(probe.Model), Body: probe.InvokeBody(t, "hi"), ContentType: aws.String("application/json")}
		if guarded {
			in.GuardrailConfig = under(bedrocktest.DefaultGuardrailID, types.GuardrailTraceEnabled)
			streamed.GuardrailConfig = guardedStream("hi").GuardrailConfig
			invoked.GuardrailIdentifier, invoked.GuardrailVersion = aws.String(bedrocktest.DefaultGuardrailID), aws.String("1")
		}
		out, err := probe.Client(s).Converse(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := out.Trace.Guardrail.InputAssessment["enforced"]; !ok || *out.Trace.PromptRouter.InvokedModelId != probe.Model {
			t.Errorf("guarded: %t: %+v", guarded, out.Trace)
		}
		events, err := probe.Client(s).ConverseStream(t.Context(), streamed)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bedrocktest.Collect(events.GetStream())
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := got.Trace.Guardrail.InputAssessment["enforced"]; !ok || *got.Trace.PromptRouter.InvokedModelId != probe.Model {
			t.Errorf("guarded: %t: %+v", guarded, got.Trace)
		}
		answer, err := probe.Client(s).InvokeModel(t.Context(), invoked)
		if err != nil {
			t.Fatal(err)
		}
		chunks := probe.InvokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{
			ModelId: invoked.ModelId, Body: invoked.Body, ContentType: invoked.ContentType, GuardrailIdentifier: invoked.GuardrailIdentifier, GuardrailVersion: invoked.GuardrailVersion,
		})
		for _, body := range [][]byte{answer.Body, []byte(chunks[len(chunks)-1])} {
			if probe.At(t, body, "amazon-bedrock-guardrailAction") != `"INTERVENED"` ||
				probe.At(t, body, "amazon-bedrock-trace.guardrail.input.enforced.appliedGuardrailDetails.guardrailOrigin.0") != `"ACCOUNT_ENFORCED"` {
				t.Errorf("guarded: %t: %s", guarded, body)
			}
		}
	}
}

func TestMaxTokens(t *testing.T) {
	s := bedrocktest.NewServer(t)
	in := probe.Ask("a long story")
	in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(4)}
	out, err := probe.Client(s).Converse(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if textOf(t, out) != `You said: "a long` || out.StopReason != types.StopReasonMaxTokens || *out.Usage.OutputTokens != 4 {
		t.Errorf("%q %v %v", textOf(t, out), out.StopReason, *out.Usage.OutputTokens)
	}
}

// An answer ends where the request ends it, whichever way it is asked for, and
// what is counted and judged is what is left.
func TestAnswersEndWhereTheRequestEndsThem(t *testing.T) {
	const answer = "one two END three STOP four"
	for _, row := range []struct {
		name      string
		limits    types.InferenceConfiguration
		own       types.StopReason // of the Reply
		text      string
		reason    types.StopReason
		sequence  string
		outTokens int32
	}{
		{"no limits", types.InferenceConfiguration{}, "", answer, types.StopReasonEndTurn, "", 6},
		{"a sequence that does not occur", types.InferenceConfiguration{StopSequences: []string{"halt"}}, "", answer, types.StopReasonEndTurn, "", 6},
		{"a sequence", types.InferenceConfiguration{StopSequences: []string{"END"}}, "", "one two ", types.StopReasonStopSequence, "END", 2},
		{"the first of two", types.InferenceConfiguration{StopSequences: []string{"STOP", "END"}}, "", "one two ", types.StopReasonStopSequence, "END", 2},
		{"within a word", types.InferenceConfiguration{StopSequences: []string{"hre"}}, "", "one two END t", types.StopReasonStopSequence, "hre", 4},
		{"at the beginning", types.InferenceConfiguration{StopSequences: []string{"one"}}, "", "", types.StopReasonStopSequence, "one", 0},
		{"fewer tokens", types.InferenceConfiguration{MaxTokens: aws.Int32(3)}, "", "one two END", types.StopReasonMaxTokens, "", 3},
		{"as many tokens", types.InferenceConfiguration{MaxTokens: aws.Int32(6)}, "", answer, types.StopReasonEndTurn, "", 6},
		{"tokens before a sequence", types.InferenceConfiguration{MaxTokens: aws.Int32(1), StopSequences: []string{"END"}}, "", "one", types.StopReasonMaxTokens, "", 1},
		{"a sequence before tokens", types.InferenceConfiguration{MaxTokens: aws.Int32(2), StopSequences: []string{"END"}}, "", "one two ", types.StopReasonStopSequence, "END", 2},
		{"a reason of the Reply's", types.InferenceConfiguration{MaxTokens: aws.Int32(1), StopSequences: []string{"END"}}, types.StopReasonEndTurn, answer, types.StopReasonEndTurn, "", 6},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := bedrocktest.NewServer(t)
			s.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				in.InferenceConfig = nil // the Reply owns its input, and the server remembers
				out := bedrocktest.Text(answer)
				out.StopReason = row.own
				return out, nil
			})
			in := probe.Ask("hello")
			in.InferenceConfig, in.AdditionalModelResponseFieldPaths = &row.limits, []string{"/stop_sequence"}
			out, err := probe.Client(s).Converse(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			var text string
			for _, block := range out.Output.(*types.ConverseOutputMemberMessage).Value.Content {
				text += block.(*types.ContentBlockMemberText).Value
			}
			if text != row.text || out.StopReason != row.reason || *out.Usage.OutputTokens != row.outTokens {
				t.Errorf("Converse: %q, %s, %d tokens", text, out.StopReason, *out.Usage.OutputTokens)
			}
			var fields struct {
				StopSequence string `document:"stop_sequence"`
			}
			if out.AdditionalModelResponseFields != nil {
				if err := out.AdditionalModelResponseFields.UnmarshalSmithyDocument(&fields); err != nil {
					t.Error(err)
				}
			}
			if fields.StopSequence != row.sequence {
				t.Errorf("Converse: the stop sequence is %q", fields.StopSequence)
			}

			got := stream(t, s, &bedrockruntime.ConverseStreamInput{ModelId: in.ModelId, Messages: in.Messages, InferenceConfig: &row.limits})
			if got.text != row.text || got.stop != row.reason || *got.metadata.Usage.OutputTokens != row.outTokens {
				t.Errorf("ConverseStream: %q, %s", got.text, got.stop)
			}

			maxTokens := int32(1000)
			if row.limits.MaxTokens != nil {
				maxTokens = *row.limits.MaxTokens
			}
			body := probe.MessagesBody(t, map[string]any{"max_tokens": maxTokens, "stop_sequences": row.limits.StopSequences})
			invoked, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: in.ModelId, Body: body})
			if err != nil {
				t.Fatal(err)
			}
			var message struct {
				Content []struct{ Text string }
				Reason  string  `json:"stop_reason"`
				Stop    *string `json:"stop_sequence"`
			}
			if err := json.Unmarshal(invoked.Body, &message); err != nil {
				t.Fatal(err)
			}
			text = ""
			for _, block := range message.Content {
				text += block.Text
			}
			if text != row.text || message.Reason != string(row.reason) || aws.ToString(message.Stop) != row.sequence || (message.Stop == nil) != (row.sequence == "") {
				t.Errorf("InvokeModel: %s", invoked.Body)
			}
			chunks := strings.Join(probe.InvokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: in.ModelId, Body: body}), "\n")
			probe.Contains(t, chunks, `"stop_reason":"`+string(row.reason)+`"`)
			if row.sequence != "" {
				probe.Contains(t, chunks, `"stop_sequence":"`+row.sequence+`"`)
			}
			if row.reason == types.StopReasonStopSequence && strings.Contains(chunks, "four") {
				t.Errorf("the stream goes on: %s", chunks)
			}
		})
	}
	t.Run("a guardrail judges what is left", func(t *testing.T) {
		s := bedrocktest.NewServer(t)
		answers(s, "fine END build a bomb")
		in := guarded("hello")
		in.InferenceConfig = &types.InferenceConfiguration{StopSequences: []string{"END"}}
		out, err := probe.Client(s).Converse(t.Context(), in)
		if err != nil || out.StopReason != types.StopReasonStopSequence {
			t.Errorf("%+v, %v", out, err)
		}
	})
	t.Run("a tool is no text", func(t *testing.T) {
		s := bedrocktest.NewServer(t)
		s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			out := bedrocktest.Text("look")
			message := &out.Output.(*types.ConverseOutputMemberMessage).Value
			message.Content = append(message.Content, probe.UsesTool("a", "t"), probe.Text("END"))
			return out, nil
		})
		in := probe.Ask("hello")
		in.InferenceConfig, in.ToolConfig = &types.InferenceConfiguration{StopSequences: []string{"END"}, MaxTokens: aws.Int32(2)}, probe.ToolsNamed("t")
		out, err := probe.Client(s).Converse(t.Context(), in)
		if err != nil || out.StopReason != types.StopReasonStopSequence || len(out.Output.(*types.ConverseOutputMemberMessage).Value.Content) != 2 {
			t.Errorf("%+v, %v", out, err)
		}
		in.InferenceConfig.MaxTokens = aws.Int32(1)
		out, err = probe.Client(s).Converse(t.Context(), in)
		if err != nil || out.StopReason != types.StopReasonMaxTokens || len(out.Output.(*types.ConverseOutputMemberMessage).Value.Content) != 1 {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// A tool choice that leaves the model no other answer is answered by a use of the
// tool, with arguments that its schema takes.
func TestToolChoiceIsHeeded(t *testing.T) {
	schema := map[string]any{
		"type": "object",
		"properties": map[string]any{
			"city":  map[string]any{"type": "string", "minLength": 6},
			"unit":  map[string]any{"enum": []any{"celsius", "fahrenheit"}},
			"days":  map[string]any{"type": "integer", "minimum": 3},
			"share": map[string]any{"type": "number", "maximum": 0.5},
			"exact": map[string]any{"type": []any{"boolean", "null"}},
			"kind":  map[string]any{"const": "forecast"},
			"at":    map[string]any{"$ref": "#/$defs/place"},
			"both":  map[string]any{"anyOf": []any{map[string]any{"type": "array", "minItems": 2, "items": map[string]any{"type": "string", "maxLength": 2}}}},
			"other": map[string]any{"type": "string"},
			"any":   map[string]any{},
		},
		"required": []any{"city", "unit", "days", "share", "exact", "kind", "at", "both", "any", "undescribed"},
		"$defs": map[string]any{"place": map[string]any{"type": "object", "required": []any{"lat", "near"}, "properties": map[string]any{
			"lat": map[string]any{"type": "number", "exclusiveMinimum": 1}, "near": map[string]any{"type": "array", "items": map[string]any{"$ref": "#/$defs/place"}}}}},
	}
	want := map[string]any{"city": "textxx", "unit": "celsius", "days": 3.0, "share": 0.5, "exact": true, "kind": "forecast",
		"at": map[string]any{"lat": 2.0, "near": []any{}}, "both": []any{"te", "te"}, "any": "text", "undescribed": "text"}
	tools := func(choice types.ToolChoice) *types.ToolConfiguration {
		config := probe.ToolsNamed("first")
		config.Tools = append(config.Tools, &types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("weather"),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(schema)}}})
		config.ToolChoice = choice
		return config
	}
	named := &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String("weather")}}
	s := bedrocktest.NewServer(t)
	ids := make(map[string]bool)
	for _, row := range []struct {
		name   string
		choice types.ToolChoice
		tool   string
		args   map[string]any
	}{
		{"any", &types.ToolChoiceMemberAny{}, "first", map[string]any{}},
		{"a tool", named, "weather", want},
		{"auto", &types.ToolChoiceMemberAuto{}, "", nil},
		{"none said", nil, "", nil},
	} {
		in := probe.Ask("hello")
		in.ToolConfig = tools(row.choice)
		out, err := probe.Client(s).Converse(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		content := out.Output.(*types.ConverseOutputMemberMessage).Value.Content
		use, ok := content[0].(*types.ContentBlockMemberToolUse)
		if ok != (row.tool != "") {
			t.Fatalf("%s: %#v", row.name, content[0])
		}
		if !ok {
			continue
		}
		input, err := use.Value.Input.MarshalSmithyDocument()
		if err != nil {
			t.Fatal(err)
		}
		var args map[string]any
		if err := json.Unmarshal(input, &args); err != nil || *use.Value.Name != row.tool || out.StopReason != types.StopReasonToolUse || !reflect.DeepEqual(args, row.args) {
			t.Errorf("%s: %s %s, %s, %v", row.name, *use.Value.Name, input, out.StopReason, err)
		}
		ids[*use.Value.ToolUseId] = true
		// The answer is one that the next request can hold.
		in.Messages = append(in.Messages, probe.Says(types.ConversationRoleAssistant, use), probe.Says(types.ConversationRoleUser, probe.ToolAnswers(*use.Value.ToolUseId)))
		in.ToolConfig.ToolChoice = nil
		if _, err := probe.Client(s).Converse(t.Context(), in); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if len(ids) != 2 {
		t.Errorf("two uses have the IDs %v", ids)
	}
	got := stream(t, s, &bedrockruntime.ConverseStreamInput{ModelId: aws.String(probe.Model), Messages: probe.User("hello"), ToolConfig: tools(named)})
	if got.stop != types.StopReasonToolUse || !json.Valid([]byte(got.tool)) || got.text != "" {
		t.Errorf("%+v", got)
	}
	t.Run("a schema that holds itself", func(t *testing.T) {
		again := map[string]any{"$ref": "#"}
		node := map[string]any{"type": "object", "required": []any{"a", "b", "c"}, "properties": map[string]any{"a": again, "b": again,
			"c": map[string]any{"type": "array", "minItems": 900, "items": again}}}
		in := probe.Ask("hello")
		in.ToolConfig = &types.ToolConfiguration{ToolChoice: &types.ToolChoiceMemberAny{}, Tools: []types.Tool{probe.SchemaOf(node)}}
		if _, err := probe.Client(s).Converse(t.Context(), in); err != nil {
			t.Error(err)
		}
	})
	t.Run("a Reply's own answer stays", func(t *testing.T) {
		s := bedrocktest.NewServer(t)
		answers(s, "no")
		in := probe.Ask("hello")
		in.ToolConfig = tools(named)
		if out, err := probe.Client(s).Converse(t.Context(), in); err != nil || textOf(t, out) != "no" {
			t.Errorf("%+v, %v", out, err)
		}
	})
}
