package securebedrock

import (
	"encoding/base64"
	"encoding/json"
	"testing"
)

// Whatever a body, or a frame around it, holds: counts are not negative and sums do
// not run over.
func FuzzInvokeUsage(f *testing.F) {
	for _, s := range []string{
		`{"usage":{"input_tokens":3,"cache_creation":{"ephemeral_1h_input_tokens":4}},"stop_reason":"end_turn"}`,
		`{"metadata":{"usage":{"inputTokens":1,"cacheReadInputTokenCount":2}}}`, `{"messageStop":{"stopReason":"x"}}`,
		`{"choices":[{"finish_reason":null},{"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":10}}}`,
		`{"amazon-bedrock-invocationMetrics":{"inputTokenCount":1e300,"cacheWriteInputTokenCount":-1}}`,
		`{"results":[{"tokenCount":9007199254740992},{"tokenCount":9007199254740992}],"inputTextTokenCount":"x"}`,
		`{"completions":[{"data":{"tokens":[1,2]},"finishReason":{"reason":"endoftext"}}],"prompt":{"tokens":[1]}}`,
		`{"event":{"usageEvent":{"totalInputTokens":4}}}`, `{"stop_reason" :null , "usage":null}`, `{"message":7,"delta":[],"usage":0}`, `[]`, ``, `{"usage":`,
	} {
		f.Add([]byte(s))
	}
	r := &answerReader{events: newEventCodec()}
	f.Fuzz(func(t *testing.T, body []byte) {
		var o Outcome
		var gathered tally
		tellsMore(body)
		frame := append(make([]byte, 12), `{"bytes":"`+base64.StdEncoding.EncodeToString(body)+`"}0000`...)
		r.chunk(chunkBody(frame), &Outcome{}, new(tally))
		new(chunkEnd).see(chunkBody(frame))
		r.body(body, &o, &gathered)
		r.body(body, &o, &gathered) // a stream says the same again
		u := o.Usage
		for _, n := range []int64{u.InputTokens, u.OutputTokens, u.CacheReadTokens, u.CacheWriteTokens, u.CacheWrite5mTokens, u.CacheWrite1hTokens, u.TotalTokens} {
			if n < 0 {
				t.Fatalf("%+v of %s", u, body)
			}
		}
		if u.CacheWriteTokens < u.CacheWrite5mTokens+u.CacheWrite1hTokens || u.TotalTokens != u.InputTokens+u.OutputTokens+u.CacheReadTokens+u.CacheWriteTokens {
			t.Fatalf("%+v of %s", u, body)
		}
		if !json.Valid(body) && (o.Counted || o.StopReason != "") {
			t.Fatalf("%s tells something", body)
		}
	})
}
