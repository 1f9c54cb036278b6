package bedrocktest_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func TestConverse(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		out, err := client(s).Converse(t.Context(), ask("What is the capital of France?"))
		if err != nil {
			t.Fatal(err)
		}
		contains(t, textOf(t, out), `You said: "What is the capital of France?"`)
		if out.StopReason != types.StopReasonEndTurn || *out.Usage.InputTokens != 6 || *out.Usage.TotalTokens != 6+*out.Usage.OutputTokens || *out.Metrics.LatencyMs < 1 {
			t.Errorf("%v %+v %+v", out.StopReason, out.Usage, out.Metrics)
		}
		if out.Trace != nil {
			t.Error("a trace without a guardrail")
		}
		call := s.Calls()[0]
		if call.Operation != "Converse" || call.Method != "POST" || call.ModelID != model || call.Status != 200 || call.Region != s.Region() ||
			call.Service != "bedrock" || call.AuthScheme != "AWS4-HMAC-SHA256" || call.AccessKeyID != s.Credentials().AccessKeyID || len(call.Body) == 0 {
			t.Errorf("call %+v", call)
		}
		if want := map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"}[strings.HasSuffix(t.Name(), "HTTP2")]; call.Proto != want {
			t.Errorf("proto %q, want %q", call.Proto, want)
		}
	})
}

// Every member of the request arrives as it was sent.
func TestConverseInput(t *testing.T) {
	s := bedrocktest.NewServer(t)
	in := &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0"),
		Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
			&types.ContentBlockMemberText{Value: "héllo \"wörld\" 🙂"},
			&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormatPng, Source: &types.ImageSourceMemberBytes{Value: onePixel(t)}}},
			&types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("guard me")}}},
		}}},
		System:                            []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "be brief"}},
		InferenceConfig:                   &types.InferenceConfiguration{MaxTokens: aws.Int32(512), Temperature: aws.Float32(0.5), StopSequences: []string{"stop"}},
		PerformanceConfig:                 &types.PerformanceConfiguration{Latency: types.PerformanceConfigLatencyOptimized},
		ServiceTier:                       &types.ServiceTier{Type: types.ServiceTierTypePriority},
		OutputConfig:                      &types.OutputConfig{Effort: aws.String("low")},
		RequestMetadata:                   map[string]string{"team": "blue", "call-id": "7"},
		AdditionalModelResponseFieldPaths: []string{"/a", "/b"},
		PromptVariables:                   map[string]types.PromptVariableValues{"name": &types.PromptVariableValuesMemberText{Value: "Ada"}},
		GuardrailConfig: &types.GuardrailStreamConfiguration{
			GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"),
			Trace: types.GuardrailTraceEnabledFull, StreamProcessingMode: types.GuardrailStreamProcessingModeAsync,
		},
		ToolConfig: &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name: aws.String("weather"), InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})},
		}}}},
		AdditionalModelRequestFields: document.NewLazyDocument(map[string]any{"top_k": 5}),
	}
	if got := stream(t, s, in); got.err != nil || got.metadata == nil || got.metadata.PerformanceConfig == nil || got.metadata.ServiceTier == nil {
		t.Fatalf("%+v", got)
	}
	call := s.Calls()[0]
	got, ok := call.Input.(*bedrockruntime.ConverseStreamInput)
	if !ok {
		t.Fatalf("input is %T", call.Input)
	}
	if call.ModelID != *in.ModelId {
		t.Errorf("model %q", call.ModelID)
	}
	var fields struct {
		TopK int `document:"top_k"`
	}
	if err := got.AdditionalModelRequestFields.UnmarshalSmithyDocument(&fields); err != nil || fields.TopK != 5 {
		t.Errorf("additional fields %+v, %v", fields, err)
	}
	tool := got.ToolConfig.Tools[0].(*types.ToolMemberToolSpec).Value
	if *tool.Name != "weather" {
		t.Errorf("tool %+v", tool)
	}
	// Documents are compared above; the rest is the same value.
	got.AdditionalModelRequestFields, got.ToolConfig = in.AdditionalModelRequestFields, in.ToolConfig
	if !reflect.DeepEqual(got, in) {
		t.Errorf("got  %+v\nwant %+v", got, in)
	}
}

func TestConverseStream(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		unary, err := client(s).Converse(t.Context(), ask("Tell me a story about a fox"))
		if err != nil {
			t.Fatal(err)
		}
		got := stream(t, s, askStream("Tell me a story about a fox"))
		if got.err != nil || got.text != textOf(t, unary) || got.stop != types.StopReasonEndTurn || got.deltas < 4 {
			t.Errorf("%+v (%v)", got, got.err)
		}
		if got.metadata == nil || *got.metadata.Usage.TotalTokens != *unary.Usage.TotalTokens || *got.metadata.Metrics.LatencyMs < 1 {
			t.Errorf("metadata %+v", got.metadata)
		}
	})
}

func TestMaxTokens(t *testing.T) {
	s := bedrocktest.NewServer(t)
	in := ask("a long story")
	in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(4)}
	out, err := client(s).Converse(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if textOf(t, out) != `You said: "a long` || out.StopReason != types.StopReasonMaxTokens || *out.Usage.OutputTokens != 4 {
		t.Errorf("%q %v %v", textOf(t, out), out.StopReason, *out.Usage.OutputTokens)
	}
}

func TestReply(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		s.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			return bedrocktest.Text("Answer from " + *in.ModelId), nil
		})
		out, err := client(s).Converse(t.Context(), ask("hi"))
		if err != nil || textOf(t, out) != "Answer from "+model {
			t.Fatalf("%v, %v", out, err)
		}
		if got := stream(t, s, askStream("hi")); got.text != "Answer from "+model {
			t.Errorf("%+v (%v)", got, got.err)
		}
		s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			return nil, &types.ModelNotReadyException{Message: aws.String("loading")}
		})
		_, err = client(s).Converse(t.Context(), ask("hi"))
		wantCode(t, err, 429, "ModelNotReadyException")
		s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			return nil, errors.New("odd")
		})
		_, err = client(s).ConverseStream(t.Context(), askStream("hi"))
		wantCode(t, err, 424, "ModelErrorException")
		s.Reply(nil)
		out, err = client(s).Converse(t.Context(), ask("hi"))
		if err != nil {
			t.Fatal(err)
		}
		contains(t, textOf(t, out), "You said")
	})
}

func TestToolUse(t *testing.T) {
	s := bedrocktest.NewServer(t)
	s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return &bedrockruntime.ConverseOutput{Output: &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant,
			Content: []types.ContentBlock{&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
				ToolUseId: aws.String("t1"), Name: aws.String("weather"), Input: document.NewLazyDocument(map[string]any{"city": "Kyiv"}),
			}}},
		}}}, nil
	})
	out, err := client(s).Converse(t.Context(), ask("weather?"))
	if err != nil {
		t.Fatal(err)
	}
	use := out.Output.(*types.ConverseOutputMemberMessage).Value.Content[0].(*types.ContentBlockMemberToolUse).Value
	var args struct {
		City string `document:"city"`
	}
	if err := use.Input.UnmarshalSmithyDocument(&args); err != nil || args.City != "Kyiv" || out.StopReason != types.StopReasonToolUse {
		t.Errorf("%+v %v %v", args, err, out.StopReason)
	}
	got := stream(t, s, askStream("weather?"))
	if got.err != nil || got.stop != types.StopReasonToolUse || !json.Valid([]byte(got.tool)) {
		t.Errorf("%+v (%v)", got, got.err)
	}
}

func TestConverseValidation(t *testing.T) {
	s := bedrocktest.NewServer(t)
	for name, change := range map[string]func(*bedrockruntime.ConverseInput){
		"no messages":     func(in *bedrockruntime.ConverseInput) { in.Messages = []types.Message{} },
		"blank text":      func(in *bedrockruntime.ConverseInput) { in.Messages = user("  ") },
		"blank model":     func(in *bedrockruntime.ConverseInput) { in.ModelId = aws.String(" ") },
		"assistant first": func(in *bedrockruntime.ConverseInput) { in.Messages[0].Role = types.ConversationRoleAssistant },
		"empty content":   func(in *bedrockruntime.ConverseInput) { in.Messages[0].Content = []types.ContentBlock{} },
		"unknown guardrail": func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("none"), GuardrailVersion: aws.String("1")}
		},
		"unknown version": func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("9")}
		},
		"no version": func(in *bedrockruntime.ConverseInput) {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := ask("hi")
			change(in)
			_, err := client(s).Converse(t.Context(), in)
			wantCode(t, err, 400, "ValidationException")
		})
	}
}
