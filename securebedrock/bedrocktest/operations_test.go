package bedrocktest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func invokeStream(t *testing.T, s *bedrocktest.Server, in *bedrockruntime.InvokeModelWithResponseStreamInput) []string {
	t.Helper()
	out, err := client(s).InvokeModelWithResponseStream(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if *out.ContentType != "application/json" {
		t.Errorf("content type %q", *out.ContentType)
	}
	var chunks []string
	for event := range out.GetStream().Events() {
		chunks = append(chunks, string(event.(*types.ResponseStreamMemberChunk).Value.Bytes))
	}
	if err := out.GetStream().Err(); err != nil {
		t.Fatal(err)
	}
	if err := out.GetStream().Close(); err != nil {
		t.Fatal(err)
	}
	return chunks
}

func rawHeader(metadata middleware.Metadata, name string) string {
	if raw, ok := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response); ok {
		return raw.Header.Get(name)
	}
	return ""
}

func TestInvokeModel(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		out, err := client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
			ModelId: aws.String(model), Body: invokeBody(t, "count to three"), ContentType: aws.String("application/json"),
			PerformanceConfigLatency: "optimized", RequestMetadata: aws.String(`{"team":"blue"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		var answer anthropicAnswer
		if err := json.Unmarshal(out.Body, &answer); err != nil {
			t.Fatal(err)
		}
		contains(t, answer.Content[0].Text, "count to three")
		if answer.Type != "message" || answer.Role != "assistant" || answer.ID == "" || *answer.StopReason != "end_turn" || answer.Usage.Input != 3 || answer.Action != nil ||
			*out.ContentType != "application/json" || out.PerformanceConfigLatency != "optimized" {
			t.Errorf("%s", out.Body)
		}
		if rawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Input-Token-Count") != "3" ||
			rawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Output-Token-Count") != fmt.Sprint(answer.Usage.Output) ||
			rawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Invocation-Latency") == "" {
			t.Error("headers are missing")
		}
		in := s.Calls()[0].Input.(*bedrockruntime.InvokeModelInput)
		if *in.RequestMetadata != `{"team":"blue"}` || !bytes.Equal(in.Body, s.Calls()[0].Body) {
			t.Errorf("%+v", in)
		}
	})
}

func TestInvokeModelText(t *testing.T) {
	s := bedrocktest.NewServer(t)
	for model, field := range map[string]string{"amazon.titan-text-express-v1": "inputText", "ai21.j2-mid-v1": "prompt"} {
		out, err := client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
			ModelId: aws.String(model), Body: fmt.Appendf(nil, `{%q:"good day"}`, field),
		})
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			InputTextTokenCount int
			Results             []struct{ OutputText, CompletionReason string }
		}
		if err := json.Unmarshal(out.Body, &answer); err != nil || answer.InputTextTokenCount != 2 || answer.Results[0].CompletionReason != "FINISH" {
			t.Fatalf("%s, %v", out.Body, err)
		}
		contains(t, answer.Results[0].OutputText, "good day")
	}
	chunks := invokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String("amazon.titan-text-express-v1"), Body: []byte(`{"inputText":"good day"}`)})
	contains(t, chunks[len(chunks)-1], `"completionReason":"FINISH"`)
}

func TestInvokeModelWithResponseStream(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		chunks := invokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{
			ModelId: aws.String(model), Body: invokeBody(t, "count to three"), ContentType: aws.String("application/json"), Accept: aws.String("application/json"),
		})
		var kinds []string
		var text string
		for _, chunk := range chunks {
			var c struct {
				Type  string
				Delta struct{ Text string }
			}
			if err := json.Unmarshal([]byte(chunk), &c); err != nil {
				t.Fatal(err)
			}
			text += c.Delta.Text
			if len(kinds) == 0 || kinds[len(kinds)-1] != c.Type {
				kinds = append(kinds, c.Type)
			}
		}
		if got := fmt.Sprint(kinds); got != "[message_start content_block_start content_block_delta content_block_stop message_delta message_stop]" {
			t.Error(got)
		}
		contains(t, text, "count to three")
		contains(t, chunks[len(chunks)-1], `"inputTokenCount":3`)
		if in := s.Calls()[0].Input.(*bedrockruntime.InvokeModelWithResponseStreamInput); *in.Accept != "application/json" {
			t.Errorf("%+v", in)
		}
	})
}

func TestInvokeModelWithBidirectionalStream(t *testing.T) {
	s := bedrocktest.NewServer(t)
	out, err := client(s).InvokeModelWithBidirectionalStream(t.Context(), &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("amazon.nova-sonic-v1:0")})
	if err != nil {
		t.Fatal(err)
	}
	talk := out.GetStream()
	for i := range 5 {
		sent := fmt.Appendf(nil, `{"event":{"n":%d}}`, i)
		if err := talk.Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: types.BidirectionalInputPayloadPart{Bytes: sent}}); err != nil {
			t.Fatal(err)
		}
		event, ok := <-talk.Events()
		if !ok {
			t.Fatal(talk.Err())
		}
		if got := event.(*types.InvokeModelWithBidirectionalStreamOutputMemberChunk).Value.Bytes; !bytes.Equal(got, sent) {
			t.Errorf("%s came back for %s", got, sent)
		}
	}
	if err := talk.Close(); err != nil {
		t.Error(err)
	}
	call := s.Calls()[0]
	if call.Proto != "HTTP/2.0" || call.Status != 200 || len(call.Body) != 5*len(`{"event":{"n":0}}`) || call.ModelID != "amazon.nova-sonic-v1:0" {
		t.Errorf("%+v", call)
	}
}

func TestCountTokens(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		for _, input := range []types.CountTokensInput{
			&types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{
				Messages: user("one two three"), System: []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "four"}},
			}},
			&types.CountTokensInputMemberInvokeModel{Value: types.InvokeModelTokensRequest{Body: invokeBody(t, "one two three four")}},
		} {
			out, err := client(s).CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: aws.String(model), Input: input})
			if err != nil || *out.InputTokens != 4 {
				t.Errorf("%+v, %v", out, err)
			}
		}
	})
}

func TestInvokeGuardrailChecks(t *testing.T) {
	s := bedrocktest.NewServer(t)
	out, err := client(s).InvokeGuardrailChecks(t.Context(), &bedrockruntime.InvokeGuardrailChecksInput{
		Checks: &types.GuardrailChecksConfig{
			ContentFilter:        &types.GuardrailChecksContentFilterConfig{Categories: []types.GuardrailChecksContentFilterCategoryConfig{{Category: "HATE"}}},
			PromptAttack:         &types.GuardrailChecksPromptAttackConfig{Categories: []types.GuardrailChecksPromptAttackCategoryConfig{{Category: "JAILBREAK"}}},
			SensitiveInformation: &types.GuardrailChecksSensitiveInformationConfig{Entities: []types.GuardrailChecksSensitiveInformationEntityConfig{{Type: "EMAIL"}}},
		},
		Messages: []types.GuardrailChecksMessage{{Role: "user", Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: "é ada@example.com"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	found := out.Results.SensitiveInformation.Results
	if len(found) != 1 || *found[0].BeginOffset != 2 || *found[0].EndOffset != 17 || out.Results.ContentFilter.Results[0].Category != "HATE" ||
		*out.Results.PromptAttack.Results[0].SeverityScore != 0 || *out.Usage.ContentFilter.TextUnits != 1 {
		t.Errorf("%+v", out.Results)
	}
	if in := s.Calls()[0].Input.(*bedrockruntime.InvokeGuardrailChecksInput); len(in.Messages) != 1 || in.Checks.PromptAttack == nil {
		t.Errorf("%+v", in)
	}
}

func TestAsyncInvoke(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		c := client(s)
		start := func(token, text string) (*bedrockruntime.StartAsyncInvokeOutput, error) {
			return c.StartAsyncInvoke(t.Context(), &bedrockruntime.StartAsyncInvokeInput{
				ModelId: aws.String("amazon.nova-reel-v1:0"), ClientRequestToken: aws.String(token),
				ModelInput:       document.NewLazyDocument(map[string]any{"text": text}),
				OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/videos")}},
				Tags:             []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
			})
		}
		first, err := start("token-1", "a fox")
		if err != nil {
			t.Fatal(err)
		}
		again, err := start("token-1", "a fox")
		if err != nil || *again.InvocationArn != *first.InvocationArn {
			t.Errorf("%v, %v", again, err)
		}
		_, err = start("token-1", "a hare")
		wantCode(t, err, 400, "ConflictException")
		second, err := start("token-2", "a hare")
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.GetAsyncInvoke(t.Context(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: first.InvocationArn})
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != types.AsyncInvokeStatusCompleted || got.SubmitTime == nil || *got.ClientRequestToken != "token-1" ||
			*got.OutputDataConfig.(*types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig).Value.S3Uri != "s3://bucket/videos" {
			t.Errorf("%+v", got)
		}
		var listed []string
		pages := bedrockruntime.NewListAsyncInvokesPaginator(c, &bedrockruntime.ListAsyncInvokesInput{MaxResults: aws.Int32(1)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, summary := range page.AsyncInvokeSummaries {
				listed = append(listed, *summary.InvocationArn)
			}
		}
		if len(listed) != 2 || listed[0] != *second.InvocationArn {
			t.Errorf("%v", listed)
		}
		in := s.Calls()[0].Input.(*bedrockruntime.StartAsyncInvokeInput)
		var modelInput struct {
			Text string `json:"text"`
		}
		raw, err := in.ModelInput.MarshalSmithyDocument()
		if err != nil || json.Unmarshal(raw, &modelInput) != nil || modelInput.Text != "a fox" || len(in.Tags) != 1 {
			t.Errorf("%s %+v %v", raw, in, err)
		}
		_, err = c.GetAsyncInvoke(t.Context(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String("arn:aws:bedrock:us-east-1:123456789012:async-invoke/none")})
		wantCode(t, err, 400, "ValidationException")
	})
}
