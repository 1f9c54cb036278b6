package wire_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// What the SDK writes is decoded into the same input.
func TestInputsAreDecoded(t *testing.T) {
	const model = "arn:aws:bedrock:us-east-1::foundation-model/a.b-v1:0"
	messages := []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
		&types.ContentBlockMemberText{Value: "héllo \u2028 <&>"},
		&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormatPng, Source: &types.ImageSourceMemberBytes{Value: []byte{0, 255}}}},
	}}}
	system := []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "be brief"}}
	settings := &types.InferenceConfiguration{MaxTokens: aws.Int32(7), Temperature: aws.Float32(0.5), StopSequences: []string{"x", "y"}}
	token := "token-1"
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, want := range []any{
		&bedrockruntime.ConverseInput{
			ModelId: aws.String(model), Messages: messages, System: system, InferenceConfig: settings,
			GuardrailConfig:                   &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("g"), GuardrailVersion: aws.String("1"), Trace: types.GuardrailTraceEnabledFull},
			PerformanceConfig:                 &types.PerformanceConfiguration{Latency: types.PerformanceConfigLatencyOptimized},
			ServiceTier:                       &types.ServiceTier{Type: types.ServiceTierTypeFlex},
			RequestMetadata:                   map[string]string{"a": "b", "c": "d"},
			AdditionalModelResponseFieldPaths: []string{"/stop_sequence"},
			PromptVariables:                   map[string]types.PromptVariableValues{"v": &types.PromptVariableValuesMemberText{Value: "w"}},
		},
		&bedrockruntime.ConverseStreamInput{
			ModelId: aws.String(model), Messages: messages, System: system, InferenceConfig: settings,
			GuardrailConfig: &types.GuardrailStreamConfiguration{
				GuardrailIdentifier: aws.String("g"), GuardrailVersion: aws.String("1"), StreamProcessingMode: types.GuardrailStreamProcessingModeAsync,
			},
		},
		&bedrockruntime.InvokeModelInput{
			ModelId: aws.String(model), Body: []byte(`{"a":1}`), Accept: aws.String("application/json"), ContentType: aws.String("application/json"),
			GuardrailIdentifier: aws.String("g"), GuardrailVersion: aws.String("2"), Trace: types.TraceEnabledFull,
			PerformanceConfigLatency: types.PerformanceConfigLatencyOptimized, ServiceTier: types.ServiceTierTypePriority, RequestMetadata: aws.String(`{"a":"b"}`),
		},
		&bedrockruntime.InvokeModelWithResponseStreamInput{
			ModelId: aws.String(model), Body: []byte(`{"a":1}`), Accept: aws.String("application/json"), ContentType: aws.String("application/json"),
			GuardrailIdentifier: aws.String("g"), GuardrailVersion: aws.String("2"), Trace: types.TraceEnabled,
		},
		&bedrockruntime.CountTokensInput{ModelId: aws.String(model), Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: messages, System: system}}},
		&bedrockruntime.CountTokensInput{ModelId: aws.String(model), Input: &types.CountTokensInputMemberInvokeModel{Value: types.InvokeModelTokensRequest{Body: []byte("{}")}}},
		&bedrockruntime.ApplyGuardrailInput{
			GuardrailIdentifier: aws.String("arn:aws:bedrock:us-east-1:123456789012:guardrail/g"), GuardrailVersion: aws.String("DRAFT"),
			Source: types.GuardrailContentSourceOutput, OutputScope: types.GuardrailOutputScopeFull,
			Content: []types.GuardrailContentBlock{
				&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("x"), Qualifiers: []types.GuardrailContentQualifier{types.GuardrailContentQualifierQuery}}},
				&types.GuardrailContentBlockMemberImage{Value: types.GuardrailImageBlock{Format: types.GuardrailImageFormatPng, Source: &types.GuardrailImageSourceMemberBytes{Value: []byte{1}}}},
			},
		},
		&bedrockruntime.InvokeGuardrailChecksInput{
			Messages: []types.GuardrailChecksMessage{{Role: types.GuardrailChecksRoleUser, Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: "x"}}}},
			Checks: &types.GuardrailChecksConfig{SensitiveInformation: &types.GuardrailChecksSensitiveInformationConfig{
				Entities: []types.GuardrailChecksSensitiveInformationEntityConfig{{Type: "EMAIL"}},
			}},
		},
		&bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String("arn:aws:bedrock:us-east-1:123456789012:async-invoke/x")},
		&bedrockruntime.ListAsyncInvokesInput{
			SortBy: types.SortAsyncInvocationBySubmissionTime, SortOrder: types.SortOrderAscending, StatusEquals: types.AsyncInvokeStatusFailed,
			NextToken: &token, MaxResults: aws.Int32(3), SubmitTimeAfter: &at, SubmitTimeBefore: &at,
		},
	} {
		name, have := received(t, func(ctx context.Context, c *bedrockruntime.Client) error { return callSDK(ctx, c, want) })
		if !reflect.DeepEqual(have, want) {
			t.Errorf("%s: %#v, want %#v", name, have, want)
		}
	}
}

// Documents are decoded, too. They have no equality of their own.
func TestDocumentsAreDecoded(t *testing.T) {
	const body = `{"a":[1,"x",null,{"b":true}]}`
	value := map[string]any{"a": []any{1, "x", nil, map[string]any{"b": true}}}
	for _, in := range []any{
		&bedrockruntime.ConverseInput{ModelId: aws.String("m"), AdditionalModelRequestFields: document.NewLazyDocument(value)},
		&bedrockruntime.StartAsyncInvokeInput{
			ModelId: aws.String("m"), ModelInput: document.NewLazyDocument(value), ClientRequestToken: aws.String("t"),
			OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket")}},
			Tags:             []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
		},
	} {
		_, have := received(t, func(ctx context.Context, c *bedrockruntime.Client) error { return callSDK(ctx, c, in) })
		var doc document.Interface
		switch in := have.(type) {
		case *bedrockruntime.ConverseInput:
			doc = in.AdditionalModelRequestFields
		case *bedrockruntime.StartAsyncInvokeInput:
			doc = in.ModelInput
			if *in.ModelId != "m" || *in.ClientRequestToken != "t" || len(in.Tags) != 1 || *in.Tags[0].Value != "v" {
				t.Errorf("%+v", in)
			}
			if out, ok := in.OutputDataConfig.(*types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig); !ok || *out.Value.S3Uri != "s3://bucket" {
				t.Errorf("%+v", in.OutputDataConfig)
			}
		}
		if doc == nil {
			t.Fatalf("%T has no document", have)
		}
		raw, err := doc.MarshalSmithyDocument()
		if err != nil || string(raw) != body {
			t.Errorf("%T: %s, %v", have, raw, err)
		}
	}
}

// A body that does not decode is refused, and the refusal quotes nothing of it.
func TestMalformedInputs(t *testing.T) {
	for _, op := range wire.Operations() {
		body := []byte(`{"messages":"no-such-value","input":{"converse":"no-such-value"},"content":"no-such-value","modelId":1,"source":1}`)
		_, err := op.Decode(&wire.Request{Method: op.Method, Query: "maxResults=no-such-value", Body: body})
		switch op.Name {
		case "InvokeModel", "InvokeModelWithResponseStream", wire.Bidirectional, "GetAsyncInvoke":
			if err != nil {
				t.Errorf("%s: %v", op.Name, err)
			}
			continue
		}
		refusal, ok := err.(*wire.Error)
		if !ok || refusal.Code != "SerializationException" || refusal.Status != 400 {
			t.Errorf("%s: %v", op.Name, err)
		}
		wantWithout(t, err, "no-such-value")
	}
}
