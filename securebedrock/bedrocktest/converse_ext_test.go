package bedrocktest_test

import (
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

func TestConverse(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		out, err := probe.Client(s).Converse(t.Context(), probe.Ask("What is the capital of France?"))
		if err != nil {
			t.Fatal(err)
		}
		probe.Contains(t, textOf(t, out), `You said: "What is the capital of France?"`)
		if out.StopReason != types.StopReasonEndTurn || *out.Usage.InputTokens != 6 || *out.Usage.TotalTokens != 6+*out.Usage.OutputTokens || *out.Metrics.LatencyMs < 1 {
			t.Errorf("%v %+v %+v", out.StopReason, out.Usage, out.Metrics)
		}
		if out.Trace != nil {
			t.Error("a trace without a guardrail")
		}
		call := s.Calls()[0]
		if call.Operation != "Converse" || call.Method != "POST" || call.ModelID != probe.Model || call.Status != 200 || call.Region != s.Region() ||
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
			&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormatPng, Source: &types.ImageSourceMemberBytes{Value: probe.OnePixel(t)}}},
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
