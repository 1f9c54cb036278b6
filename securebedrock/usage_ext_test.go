package securebedrock_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

type usage = securebedrock.Usage

// answersWith is a client of a server that answers InvokeModel with a body, or its
// stream with chunks.
func answersWith(t *testing.T, header map[string]string, chunks ...string) (*securebedrock.Client, *recorder) {
	t.Helper()
	r := new(recorder)
	return handled(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		for k, v := range header {
			w.Header().Set(k, v)
		}
		if !strings.HasSuffix(req.URL.Path, "-stream") {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, chunks[0])
			return
		}
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		p := restjson1.New(schemas.AmazonBedrockFrontendService)
		for _, c := range chunks {
			p.SerializeEventMessage(schemas.ResponseStream, schemas.ResponseStream_chunk, &types.PayloadPart{Bytes: []byte(c)}, w)
		}
	}), r.option), r
}

func told(t *testing.T, r *recorder, want usage, stop string) {
	t.Helper()
	want.TotalTokens = want.InputTokens + want.OutputTokens + want.CacheReadTokens + want.CacheWriteTokens
	o := r.one(t).outcome
	if o.Err != nil || o.Usage != want || o.StopReason != stop || o.Counted != (want != usage{}) {
		t.Errorf("got %+v, counted %t, stop %q, error %v\nwant %+v, stop %q", o.Usage, o.Counted, o.StopReason, o.Err, want, stop)
	}
}

// What an InvokeModel answer tells of its usage and its end, in the form of each
// family.
func TestUsageOfInvokeModel(t *testing.T) {
	headers := func(in, out, read, write string) map[string]string {
		h := map[string]string{}
		for k, v := range map[string]string{"Input": in, "Output": out, "Cache-Read-Input": read, "Cache-Write-Input": write} {
			if v != "" {
				h["X-Amzn-Bedrock-"+k+"-Token-Count"] = v
			}
		}
		return h
	}
	const anthropic = `{"stop_reason":"end_turn","usage":{"input_tokens":11,"output_tokens":12,"cache_read_input_tokens":13,"cache_creation_input_tokens":14,"cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":10}}}`
	for _, row := range []struct {
		name   string
		header map[string]string
		body   string
		want   usage
		stop   string
	}{
		{"headers alone, as of embeddings", headers("9", "", "", ""), `{"embedding":[0.5,0.25]}`, usage{InputTokens: 9}, ""},
		{"headers beside a body that is no JSON", headers("9", "3", "", ""), `PNG`, usage{InputTokens: 9, OutputTokens: 3}, ""},
		{"headers of the cache", headers("1", "2", "3", "4"), `{}`, usage{InputTokens: 1, OutputTokens: 2, CacheReadTokens: 3, CacheWriteTokens: 4}, ""},
		{"headers go before the body", headers("1", "2", "3", "14"), anthropic, usage{InputTokens: 1, OutputTokens: 2, CacheReadTokens: 3, CacheWriteTokens: 14, CacheWrite5mTokens: 4, CacheWrite1hTokens: 10}, "end_turn"},
		{"headers without the cache hide no cache", headers("11", "12", "", ""), anthropic, usage{InputTokens: 11, OutputTokens: 12, CacheReadTokens: 13, CacheWriteTokens: 14, CacheWrite5mTokens: 4, CacheWrite1hTokens: 10}, "end_turn"},
		{"headers that are no numbers", headers("x", "-2", "", ""), `{"usage":{"input_tokens":5}}`, usage{InputTokens: 5}, ""},
		{"Anthropic", nil, anthropic, usage{InputTokens: 11, OutputTokens: 12, CacheReadTokens: 13, CacheWriteTokens: 14, CacheWrite5mTokens: 4, CacheWrite1hTokens: 10}, "end_turn"},
		{"Nova", nil, `{"output":{"message":{"role":"assistant"}},"stopReason":"max_tokens","usage":{"inputTokens":5,"outputTokens":6,"totalTokens":11,"cacheReadInputTokenCount":7,"cacheWriteInputTokenCount":8}}`, usage{InputTokens: 5, OutputTokens: 6, CacheReadTokens: 7, CacheWriteTokens: 8}, "max_tokens"},
		{"Converse's form", nil, `{"stopReason":"end_turn","usage":{"inputTokens":5,"outputTokens":6,"cacheReadInputTokens":7,"cacheWriteInputTokens":9,"cacheDetails":[{"ttl":"1h","inputTokens":8},{"ttl":"5m","inputTokens":1}]}}`, usage{InputTokens: 5, OutputTokens: 6, CacheReadTokens: 7, CacheWriteTokens: 9, CacheWrite5mTokens: 1, CacheWrite1hTokens: 8}, "end_turn"},
		{"Titan text", nil, `{"inputTextTokenCount":5,"results":[{"tokenCount":7,"outputText":"a","completionReason":"FINISH"},{"tokenCount":2}]}`, usage{InputTokens: 5, OutputTokens: 9}, "FINISH"},
		{"Titan embeddings", nil, `{"embedding":[0.1],"inputTextTokenCount":5}`, usage{InputTokens: 5}, ""},
		{"Llama", nil, `{"generation":"x","prompt_token_count":5,"generation_token_count":6,"stop_reason":"length"}`, usage{InputTokens: 5, OutputTokens: 6}, "length"},
		{"Mistral text, which does not count", headers("5", "6", "", ""), `{"outputs":[{"text":"x","stop_reason":"stop"}]}`, usage{InputTokens: 5, OutputTokens: 6}, "stop"},
		{"Mistral chat", nil, `{"choices":[{"index":0,"message":{"content":"x"},"stop_reason":"tool_calls"}]}`, usage{}, "tool_calls"},
		{"Cohere Command", headers("5", "6", "", ""), `{"generations":[{"finish_reason":"COMPLETE","text":"x"}],"prompt":"p"}`, usage{InputTokens: 5, OutputTokens: 6}, "COMPLETE"},
		{"Cohere Command R", nil, `{"text":"x","finish_reason":"MAX_TOKENS","meta":{"billed_units":{"input_tokens":5,"output_tokens":6}}}`, usage{InputTokens: 5, OutputTokens: 6}, "MAX_TOKENS"},
		{"Cohere Command R's token_count", nil, `{"finish_reason":"COMPLETE","token_count":{"prompt_tokens":5,"response_tokens":6}}`, usage{InputTokens: 5, OutputTokens: 6}, "COMPLETE"},
		{"AI21 Jurassic", nil, `{"prompt":{"text":"p","tokens":[{},{}]},"completions":[{"data":{"tokens":[{},{},{}]},"finishReason":{"reason":"endoftext"}}]}`, usage{InputTokens: 2, OutputTokens: 3}, "endoftext"},
		{"OpenAI's form: gpt-oss, Qwen, DeepSeek, Jamba, Palmyra", nil, `{"id":"x","choices":[{"finish_reason":"stop","message":{"content":"x"}}],"usage":{"prompt_tokens":5,"completion_tokens":6,"total_tokens":11}}`, usage{InputTokens: 5, OutputTokens: 6}, "stop"},
		{"OpenAI's form with a cache", nil, `{"choices":[{"finish_reason":"length"}],"usage":{"prompt_tokens":105,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":100}}}`, usage{InputTokens: 5, OutputTokens: 6, CacheReadTokens: 100}, "length"},
		{"a header of OpenAI's whole prompt counts no cached token twice", headers("105", "6", "", ""), `{"usage":{"prompt_tokens":105,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":100}}}`, usage{InputTokens: 5, OutputTokens: 6, CacheReadTokens: 100}, ""},
		{"DeepSeek R1", nil, `{"choices":[{"text":"x","stop_reason":"length"}]}`, usage{}, "length"},
		{"TwelveLabs Pegasus", nil, `{"message":"a film","finishReason":"stop"}`, usage{}, "stop"},
		{"a key of another type hides no other", nil, `{"message":7,"delta":"x","results":{},"choices":"none","stop_reason":5,"metadata":[1],"usage":{"input_tokens":"many","output_tokens":6.0,"cache_creation":3}}`, usage{OutputTokens: 6}, ""},
		{"numbers beyond all measure stay below overflow", nil, `{"usage":{"input_tokens":1e300}}`, usage{InputTokens: 1 << 53}, ""},
		{"a usage in an unknown form is none", nil, `{"usage":{"tokens_in":5}}`, usage{}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, r := answersWith(t, row.header, row.body)
			if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(`{}`)}); err != nil {
				t.Fatal(err)
			}
			told(t, r, row.want, row.stop)
		})
	}
}

// The same of a stream's chunks.
func TestUsageOfInvokeModelStream(t *testing.T) {
	const metrics = `"amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":50,"cacheReadInputTokenCount":14486,"cacheWriteInputTokenCount":2238}`
	start := `{"type":"message_start","message":{"stop_reason":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":2238,"cache_read_input_tokens":14486,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":2238},"output_tokens":1}}}`
	text := `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a \"stop_reason\": of tokens"}}`
	for _, row := range []struct {
		name   string
		header map[string]string
		chunks []string
		want   usage
		stop   string
	}{
		{"metrics alone", nil, []string{text, `{"type":"message_stop",` + metrics + `}`}, usage{InputTokens: 3, OutputTokens: 50, CacheReadTokens: 14486, CacheWriteTokens: 2238}, ""},
		{"Anthropic's start and end beside the metrics", nil, []string{start, text, `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":50}}`, `{"type":"message_stop",` + metrics + `}`},
			usage{InputTokens: 3, OutputTokens: 50, CacheReadTokens: 14486, CacheWriteTokens: 2238, CacheWrite1hTokens: 2238}, "end_turn"},
		{"metrics without the cache hide none", nil, []string{start, `{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":50}}`},
			usage{InputTokens: 3, OutputTokens: 50, CacheReadTokens: 14486, CacheWriteTokens: 2238, CacheWrite1hTokens: 2238}, ""},
		{"usage in the chunk of the metrics", nil, []string{`{"usage":{"input_tokens":3,"output_tokens":50,"cache_read_input_tokens":7},"amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":50,"cacheReadInputTokenCount":0}}`},
			usage{InputTokens: 3, OutputTokens: 50, CacheReadTokens: 7}, ""},
		{"a start alone counts", nil, []string{start, text, `{"type":"message_stop"}`}, usage{InputTokens: 3, OutputTokens: 1, CacheReadTokens: 14486, CacheWriteTokens: 2238, CacheWrite1hTokens: 2238}, ""},
		{"Nova", nil, []string{`{"messageStart":{"role":"assistant"}}`, `{"contentBlockDelta":{"delta":{"text":"x"}}}`, `{"messageStop":{"stopReason":"end_turn"}}`,
			`{"metadata":{"usage":{"inputTokens":5,"outputTokens":6,"cacheReadInputTokenCount":7,"cacheWriteInputTokenCount":8},"metrics":{},"trace":{}}}`}, usage{InputTokens: 5, OutputTokens: 6, CacheReadTokens: 7, CacheWriteTokens: 8}, "end_turn"},
		{"OpenAI's form", nil, []string{`{"choices":[{"delta":{"content":"x","reasoning":"y"},"finish_reason":null}],"usage":null}`, `{"choices":[{"delta":{},"finish_reason":"stop"}]}`,
			`{"choices":[],"usage":{"prompt_tokens":105,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":100}}}`}, usage{InputTokens: 5, OutputTokens: 6, CacheReadTokens: 100}, "stop"},
		{"Llama", nil, []string{`{"generation":"a","prompt_token_count":5,"generation_token_count":1,"stop_reason":null}`, `{"generation":"b","prompt_token_count":null,"generation_token_count":2,"stop_reason":null}`,
			`{"generation":"","prompt_token_count":null,"generation_token_count":3,"stop_reason":"stop"}`}, usage{InputTokens: 5, OutputTokens: 3}, "stop"},
		{"Titan", nil, []string{`{"outputText":"a","inputTextTokenCount":5,"totalOutputTextTokenCount":null,"completionReason":null}`, `{"outputText":"","inputTextTokenCount":null,"totalOutputTextTokenCount":6,"completionReason":"FINISH"}`}, usage{InputTokens: 5, OutputTokens: 6}, "FINISH"},
		{"Mistral", nil, []string{`{"outputs":[{"text":"a","stop_reason":null}]}`, `{"outputs":[{"text":"","stop_reason":"length"}],` + metrics + `}`}, usage{InputTokens: 3, OutputTokens: 50, CacheReadTokens: 14486, CacheWriteTokens: 2238}, "length"},
		{"Cohere", nil, []string{`{"is_finished":false,"event_type":"text-generation","text":"a"}`, `{"is_finished":true,"event_type":"stream-end","response":{"meta":{"billed_units":{"input_tokens":5,"output_tokens":6}}},"finish_reason":"COMPLETE"}`}, usage{InputTokens: 5, OutputTokens: 6}, "COMPLETE"},
		{"spaces between key and value", nil, []string{`{ "stop_reason" : "end_turn" , "usage" : { "input_tokens" : 5 } }`}, usage{InputTokens: 5}, "end_turn"},
		{"headers before the first chunk", map[string]string{"X-Amzn-Bedrock-Input-Token-Count": "5"}, []string{text}, usage{InputTokens: 5}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, r := answersWith(t, row.header, row.chunks...)
			out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: []byte(`{}`)})
			if err != nil {
				t.Fatal(err)
			}
			for range out.GetStream().Events() {
			}
			told(t, r, row.want, row.stop)
		})
	}
}

// For how long tokens were cached, and which tier served, is told on each route.
func TestUsageOfTTLAndTier(t *testing.T) {
	const counted = `"usage":{"inputTokens":3,"outputTokens":50,"totalTokens":2291,"cacheWriteInputTokens":2238,"cacheDetails":[{"ttl":"1h","inputTokens":2000},{"ttl":"5m","inputTokens":238}]},"serviceTier":{"type":"flex"}`
	want := usage{InputTokens: 3, OutputTokens: 50, CacheWriteTokens: 2238, CacheWrite5mTokens: 238, CacheWrite1hTokens: 2000, TotalTokens: 2291}
	r := new(recorder)
	c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		if !strings.HasSuffix(req.URL.Path, "-stream") {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","metrics":{"latencyMs":1},`+counted+`}`)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		p := restjson1.New(schemas.AmazonBedrockFrontendService)
		send := func(member *smithy.Schema, v smithy.Serializable) {
			p.SerializeEventMessage(schemas.ConverseStreamOutput, member, v, w)
		}
		send(schemas.ConverseStreamOutput_messageStop, &types.MessageStopEvent{StopReason: types.StopReasonEndTurn})
		send(schemas.ConverseStreamOutput_metadata, &types.ConverseStreamMetadataEvent{ServiceTier: &types.ServiceTier{Type: "flex"}, Usage: &types.TokenUsage{
			InputTokens: aws.Int32(3), OutputTokens: aws.Int32(50), TotalTokens: aws.Int32(2291), CacheWriteInputTokens: aws.Int32(2238),
			CacheDetails: []types.CacheDetail{{Ttl: "1h", InputTokens: aws.Int32(2000)}, {Ttl: "5m", InputTokens: aws.Int32(238)}}}})
	}), r.option)
	if _, err := c.Converse(t.Context(), converse("x")); err != nil {
		t.Fatal(err)
	}
	out, err := c.ConverseStream(t.Context(), converseStream("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(out.GetStream()); err != nil {
		t.Fatal(err)
	}
	settled(t, "two records", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.records) == 2 })
	for _, rec := range r.records {
		if o := rec.outcome; o.Usage != want || !o.Counted || o.ServiceTier != "flex" {
			t.Errorf("%s: %+v, tier %q", rec.call.Operation, o.Usage, o.ServiceTier)
		}
	}
	invoked, r := answersWith(t, map[string]string{"X-Amzn-Bedrock-Service-Tier": "priority"}, `{}`)
	if _, err := invoked.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	if o := r.one(t).outcome; o.ServiceTier != "priority" {
		t.Errorf("InvokeModel: tier %q", o.ServiceTier)
	}
	invoked, r = answersWith(t, map[string]string{"X-Amzn-Bedrock-Service-Tier": "a prompt"}, `{}`)
	if _, err := invoked.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	if o := r.one(t).outcome; o.ServiceTier != "" {
		t.Errorf("what no tier is called is in the outcome: %q", o.ServiceTier)
	}
}

// A speech model counts in events of its own.
func TestUsageOfABidirectionalStream(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, excuseDuplex)
	out, err := c.InvokeModelWithBidirectionalStream(t.Context(), sonic())
	if err != nil {
		t.Fatal(err)
	}
	es := out.GetStream()
	for _, echoed := range []string{
		`{"event":{"usageEvent":{"totalInputTokens":40,"totalOutputTokens":2,"totalTokens":42}}}`,
		`{"event":{"usageEvent":{"totalInputTokens":40,"totalOutputTokens":9,"totalTokens":49}}}`,
		`{"event":{"completionEnd":{"stopReason":"END_TURN"}}}`,
	} {
		if err := es.Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: types.BidirectionalInputPayloadPart{Bytes: []byte(echoed)}}); err != nil {
			t.Fatal(err)
		}
		if ev := <-es.Events(); ev == nil {
			t.Fatalf("no event: %v", es.Err())
		}
	}
	es.Close()
	if o := rec.one(t).outcome; o.Usage != (usage{InputTokens: 40, OutputTokens: 9, TotalTokens: 49}) || o.StopReason != "END_TURN" {
		t.Errorf("%+v, stop %q", o.Usage, o.StopReason)
	}
}
