package middleware_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

func TestEstimate(t *testing.T) {
	long := strings.Repeat("abc", 1000)
	for _, row := range []struct {
		name     string
		in       any
		in_, out int64
	}{
		{"text", converse(long), 1000 + 2, 1024},
		{"an image", &bedrockruntime.ConverseInput{Messages: []types.Message{{Content: []types.ContentBlock{&types.ContentBlockMemberImage{Value: types.ImageBlock{Source: &types.ImageSourceMemberBytes{Value: make([]byte, 1<<20)}}}}}}}, 2000, 1024},
		{"a variable", &bedrockruntime.ConverseInput{PromptVariables: map[string]types.PromptVariableValues{"abc": &types.PromptVariableValuesMemberText{Value: long}}}, 1001, 1024},
		{"a bound", &bedrockruntime.ConverseStreamInput{InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(77)}}, 0, 77},
		{"a bound below zero", &bedrockruntime.ConverseStreamInput{InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(-77)}}, 0, 0},
		{"a body", &bedrockruntime.InvokeModelInput{Body: []byte(`{"max_tokens":50}`)}, 6, 50},
		{"a body with a fraction", &bedrockruntime.InvokeModelInput{Body: []byte(`{"max_tokens":50.0,"maxTokens":""}`)}, 12, 50},
		{"another model's body", &bedrockruntime.InvokeModelInput{Body: []byte(`{"textGenerationConfig":{"maxTokenCount":9}}`)}, 15, 9},
	} {
		if u := middleware.EstimateTokens(&securebedrock.Call{Input: row.in}); u.InputTokens != row.in_ || u.OutputTokens != row.out {
			t.Errorf("%s: %+v, want %d and %d", row.name, u, row.in_, row.out)
		}
	}
}

// The largest answer that a call may have, under every name and in every place.
func TestEstimateOfOutput(t *testing.T) {
	names := []string{"max_tokens", "maxTokens", "max_completion_tokens", "max_gen_len", "max_tokens_to_sample", "maxTokenCount", "max_new_tokens", "maxNewTokens", "max_output_tokens", "maxOutputTokens", "maxCompletionTokens"}
	estimate := func(in any) int64 { return middleware.EstimateTokens(&securebedrock.Call{Input: in}).OutputTokens }
	for _, name := range names {
		for _, form := range []string{`{"%s":5000}`, `{"%s":50.0,"inferenceConfig":{"%[1]s":5000}}`, `{"textGenerationConfig":{"%s":5000}}`, `{"parameters":{"%s":5000}}`, `{"%s":5000,"%[1]s":1}`, `{"%s":5000,"thinking":"on","n":"many"}`} {
			raw := fmt.Sprintf(form, name)
			for route, in := range map[string]any{
				"InvokeModel":                   &bedrockruntime.InvokeModelInput{Body: []byte(raw)},
				"InvokeModelWithResponseStream": &bedrockruntime.InvokeModelWithResponseStreamInput{Body: []byte(raw)},
			} {
				if n := estimate(in); n != 5000 {
					t.Errorf("%s with %s: %d", route, raw, n)
				}
			}
		}
		own := lazy(map[string]any{name: 5000})
		if n := estimate(&bedrockruntime.ConverseInput{AdditionalModelRequestFields: own}); n != 5000 {
			t.Errorf("Converse with %s: %d", name, n)
		}
		if n := estimate(&bedrockruntime.ConverseStreamInput{AdditionalModelRequestFields: lazy(map[string]any{"inferenceConfig": map[string]any{name: 5000}}), InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(100)}}); n != 5000 {
			t.Errorf("ConverseStream with %s: %d", name, n)
		}
	}
	for _, row := range []struct {
		name string
		in   any
		want int64
	}{
		{"a thinking budget and no bound", &bedrockruntime.ConverseInput{AdditionalModelRequestFields: lazy(map[string]any{"thinking": map[string]any{"type": "enabled", "budget_tokens": 4000}})}, 4000 + 1024},
		{"a thinking budget within a bound", &bedrockruntime.ConverseInput{InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(6000)}, AdditionalModelRequestFields: lazy(map[string]any{"reasoning_config": map[string]any{"budget_tokens": 4000}})}, 6000},
		{"a thinking budget over the bound", &bedrockruntime.InvokeModelInput{Body: []byte(`{"max_tokens":100,"thinking":{"budget_tokens":4000}}`)}, 4000},
		{"several answers", &bedrockruntime.InvokeModelInput{Body: []byte(`{"max_tokens":100,"n":5}`)}, 500},
		{"a bound in a tool's schema is none", &bedrockruntime.InvokeModelInput{Body: []byte(`{"tools":[{"max_tokens":9}],"messages":[{"max_tokens":9}]}`)}, 1024},
	} {
		if n := estimate(row.in); n != row.want {
			t.Errorf("%s: %d, want %d", row.name, n, row.want)
		}
	}
	for _, model := range []string{titanEmbed, "cohere.embed-multilingual-v3", "arn:aws:bedrock:us-east-1::foundation-model/" + titanEmbed} {
		c := call(model)
		c.Input = &bedrockruntime.InvokeModelInput{Body: []byte(`{"inputText":"abc"}`)}
		if u := middleware.EstimateTokens(c); u.OutputTokens != 0 || u.InputTokens != 7 {
			t.Errorf("%s: %+v", model, u)
		}
	}
}

// What is booked for content that is no text, and for content that is not there.
func TestEstimateOfMedia(t *testing.T) {
	s3 := types.S3Location{Uri: aws.String("s3://bucket/key")}
	for _, row := range []struct {
		name  string
		block types.ContentBlock
		want  int64
	}{
		{"an image in S3", &types.ContentBlockMemberImage{Value: types.ImageBlock{Source: &types.ImageSourceMemberS3Location{Value: s3}}}, 2000},
		{"an image in S3 in a tool's result", &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{Content: []types.ToolResultContentBlock{
			&types.ToolResultContentBlockMemberImage{Value: types.ImageBlock{Source: &types.ImageSourceMemberS3Location{Value: s3}}}}}}, 2000},
		{"a document in S3", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Source: &types.DocumentSourceMemberS3Location{Value: s3}}}, 20_000},
		{"a video in S3", &types.ContentBlockMemberVideo{Value: types.VideoBlock{Source: &types.VideoSourceMemberS3Location{Value: s3}}}, 20_000},
		{"a recording in S3", &types.ContentBlockMemberAudio{Value: types.AudioBlock{Source: &types.AudioSourceMemberS3Location{Value: s3}}}, 20_000},
		{"a short PDF", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Format: "pdf", Source: &types.DocumentSourceMemberBytes{Value: make([]byte, 100)}}}, 2000},
		{"a long PDF", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Format: "pdf", Source: &types.DocumentSourceMemberBytes{Value: make([]byte, 3_000_000)}}}, 100_000},
		{"a text as a document", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Format: "txt", Source: &types.DocumentSourceMemberBytes{Value: make([]byte, 3_000_000)}}}, 1_000_000},
		{"a long video", &types.ContentBlockMemberVideo{Value: types.VideoBlock{Source: &types.VideoSourceMemberBytes{Value: make([]byte, 4_000_000)}}}, 10_000},
		{"an image", &types.ContentBlockMemberImage{Value: types.ImageBlock{Source: &types.ImageSourceMemberBytes{Value: make([]byte, 1<<20)}}}, 2000},
	} {
		in := &bedrockruntime.ConverseInput{Messages: []types.Message{{Content: []types.ContentBlock{row.block}}}}
		if n := middleware.EstimateTokens(&securebedrock.Call{Input: in}).InputTokens; n < row.want || n > row.want+10 {
			t.Errorf("%s: %d, want %d", row.name, n, row.want)
		}
	}
	for _, raw := range []string{`{"image":{"source":{"s3Location":{"uri":"s3://bucket/key"}}}}`, `{"uri":"s3:\/\/bucket\/key"}`} {
		if n := middleware.EstimateTokens(&securebedrock.Call{Input: &bedrockruntime.InvokeModelInput{Body: []byte(raw)}}).InputTokens; n < 20_000 || n > 20_100 {
			t.Errorf("%s: %d", raw, n)
		}
	}
}
