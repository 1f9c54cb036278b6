package securebedrock

import "testing"

// A form of chunks that announces an end must reach the end.
func TestChunkEnd(t *testing.T) {
	const (
		messageStart = `{"type":"message_start","message":{"id":"m","stop_reason":null,"usage":{"input_tokens":3}}}`
		textDelta    = `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a message_stop, {\"type\":\"message_stop\"}"}}`
		messageDelta = `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}`
		messageStop  = `{"type":"message_stop"}`
		metrics      = `{"amazon-bedrock-invocationMetrics":{"inputTokenCount":1}}`
	)
	for _, row := range []struct {
		name   string
		chunks []string
		early  bool
	}{
		{"the Messages API, whole", []string{messageStart, textDelta, messageDelta, messageStop}, false},
		{"the Messages API, spaced", []string{`{ "type" : "message_start" }`, textDelta, `{ "type" : "message_stop" }`}, false},
		{"the Messages API, cut in the text", []string{messageStart, textDelta}, true},
		{"the Messages API, cut before message_stop", []string{messageStart, textDelta, messageDelta}, true},
		{"the Messages API, with Bedrock's metrics and no message_stop", []string{messageStart, textDelta, metrics}, false},
		{"the Messages API, stopped by the guardrail", []string{messageStart, `{"amazon-bedrock-guardrailAction":"INTERVENED"}`}, false},
		{"Nova, whole", []string{`{"messageStart":{"role":"assistant"}}`, `{"contentBlockDelta":{"delta":{"text":"a"}}}`, `{"messageStop":{"stopReason":"end_turn"}}`}, false},
		{"Nova, cut", []string{`{"messageStart":{"role":"assistant"}}`, `{"contentBlockDelta":{"delta":{"text":"a"}}}`}, true},
		{"Llama, whole", []string{`{"generation":"a","stop_reason":null}`, `{"generation":"","stop_reason":"stop"}`}, false},
		{"Llama, cut", []string{`{"generation":"a","stop_reason":null}`, `{"generation":"b","stop_reason": null}`}, true},
		{"Mistral, whole", []string{`{"outputs":[{"text":"a","stop_reason":null}]}`, `{"outputs":[{"text":"","stop_reason":"stop"}]}`}, false},
		{"Mistral, cut", []string{`{"outputs":[{"text":"a","stop_reason":null}]}`}, true},
		{"OpenAI's form, whole", []string{`{"choices":[{"delta":{"content":"a"},"finish_reason":null}]}`, `{"choices":[{"finish_reason":"stop"}]}`}, false},
		{"OpenAI's form, cut", []string{`{"choices":[{"delta":{"content":"a"},"finish_reason":null}]}`}, true},
		{"Titan, whole", []string{`{"outputText":"a","completionReason":null}`, `{"outputText":"","completionReason":"FINISH"}`}, false},
		{"Titan, cut", []string{`{"outputText":"a","completionReason":null}`}, true},
		{"Cohere, whole", []string{`{"text":"a","is_finished":false}`, `{"is_finished":true,"finish_reason":"COMPLETE"}`}, false},
		{"Cohere, cut", []string{`{"text":"a","is_finished":false}`}, true},
		{"a form that announces nothing", []string{`{"text":"a"}`, `{"text":"b"}`}, false},
		{"no JSON", []string{`essage`, ``}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := &answerReader{events: newEventCodec()}
			var end chunkEnd
			var o Outcome
			for _, chunk := range row.chunks {
				r.chunk([]byte(chunk), &o, new(tally))
				end.see([]byte(chunk))
			}
			if end.early(&o) != row.early {
				t.Errorf("early is %v", !row.early)
			}
		})
	}
}
