package bedrocktest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// Families have several messages where a Converse has one: two results of tools, two
// texts of a user.
func TestInvokeModelMergesTurns(t *testing.T) {
	s := bedrocktest.NewServer(t)
	var asked *bedrockruntime.ConverseInput
	s.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		asked = in
		return nil, nil
	})
	_, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("openai.gpt-oss-20b-1:0"), Body: []byte(`{"messages":[
		{"role":"user","content":"one"},{"role":"developer","content":"be brief"},{"role":"user","content":[{"type":"text","text":"two"}]},
		{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}],
		"tools":[{"type":"function","function":{"name":"f"}}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	var turns []string
	for _, m := range asked.Messages {
		turns = append(turns, fmt.Sprint(m.Role, len(m.Content)))
	}
	if fmt.Sprint(turns) != "[user2 assistant2 user2]" || len(asked.System) != 1 {
		t.Errorf("%v, %d system blocks", turns, len(asked.System))
	}
}

func TestInvokeModel(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		out, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
			ModelId: aws.String(probe.Model), Body: probe.InvokeBody(t, "count to three"), ContentType: aws.String("application/json"),
			PerformanceConfigLatency: "optimized", RequestMetadata: aws.String(`{"team":"blue"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		var answer anthropicAnswer
		if err := json.Unmarshal(out.Body, &answer); err != nil {
			t.Fatal(err)
		}
		probe.Contains(t, answer.Content[0].Text, "count to three")
		if answer.Type != "message" || answer.Role != "assistant" || answer.ID == "" || *answer.StopReason != "end_turn" || answer.Usage.Input != 3 || answer.Action != nil ||
			*out.ContentType != "application/json" || out.PerformanceConfigLatency != "optimized" {
			t.Errorf("%s", out.Body)
		}
		if probe.RawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Input-Token-Count") != "3" ||
			probe.RawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Output-Token-Count") != fmt.Sprint(answer.Usage.Output) ||
			probe.RawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Invocation-Latency") == "" {
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
	out, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
		ModelId: aws.String("amazon.titan-text-express-v1"), Body: []byte(`{"inputText":"good day"}`),
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
	probe.Contains(t, answer.Results[0].OutputText, "good day")
	_, err = probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
		ModelId: aws.String("amazon.titan-text-express-v1"), Body: []byte(`{"prompt":"good day"}`),
	})
	probe.WantCode(t, err, 400, "ValidationException")
	chunks := probe.InvokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String("amazon.titan-text-express-v1"), Body: []byte(`{"inputText":"good day"}`)})
	probe.Contains(t, chunks[len(chunks)-1], `"completionReason":"FINISH"`)
}
