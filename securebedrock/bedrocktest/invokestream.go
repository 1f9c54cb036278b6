package bedrocktest

import (
	"encoding/json"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

func (s *Server) invokeModelStream(w http.ResponseWriter, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.InvokeModelWithResponseStreamInput)
	done, err := s.invoke(&bedrockruntime.InvokeModelInput{
		ModelId:                  in.ModelId,
		Body:                     in.Body,
		ContentType:              in.ContentType,
		GuardrailIdentifier:      in.GuardrailIdentifier,
		GuardrailVersion:         in.GuardrailVersion,
		Trace:                    in.Trace,
		PerformanceConfigLatency: in.PerformanceConfigLatency,
		ServiceTier:              in.ServiceTier,
	})
	if err != nil {
		return err
	}
	chunks, err := done.chunks()
	if err != nil {
		return err
	}
	var events []event
	for _, chunk := range chunks {
		// What is in a chunk was made of strings, numbers and raw JSON.
		body, err := json.Marshal(chunk)
		if err != nil {
			return err
		}
		events = append(events, event{schemas.ResponseStream_chunk, &types.ResponseStreamMemberChunk{Value: types.PayloadPart{Bytes: body}}})
	}
	header, _, err := encode(&bedrockruntime.InvokeModelWithResponseStreamOutput{
		ContentType:              aws.String("application/json"),
		PerformanceConfigLatency: in.PerformanceConfigLatency,
		ServiceTier:              done.tier(),
	})
	if err != nil {
		return err
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	s.openStream(w, r, schemas.ResponseStream).writeAll(events)
	return nil
}

// chunks is the answer in pieces; the last has the metrics and what the
// guardrail did.
func (x *invocation) chunks() ([]map[string]any, error) {
	content := x.streamed(x.async)
	var chunks []map[string]any
	if x.anthropic {
		var err error
		if chunks, err = x.anthropicChunks(content); err != nil {
			return nil, err
		}
	} else {
		for _, piece := range split(plainText(content), wordsPerDelta) {
			chunks = append(chunks, map[string]any{
				"outputText": piece, "index": 0, "totalOutputTextTokenCount": nil, "completionReason": nil,
				"inputTextTokenCount": x.out.Usage.InputTokens,
			})
		}
		chunks = append(chunks, map[string]any{
			"outputText": "", "index": 0, "totalOutputTextTokenCount": x.out.Usage.OutputTokens, "completionReason": x.stopReason(),
			"inputTextTokenCount": nil,
		})
	}
	last := chunks[len(chunks)-1]
	last["amazon-bedrock-invocationMetrics"] = x.metrics()
	return chunks, x.addGuardrail(last)
}

func (x *invocation) anthropicChunks(content []types.ContentBlock) ([]map[string]any, error) {
	begun := 1
	if x.input.isBlocked() { // no model has answered
		begun = 0
	}
	chunks := []map[string]any{{"type": "message_start", "message": map[string]any{
		"id": "msg_bdrk_" + newID(), "type": "message", "role": "assistant", "model": aws.ToString(x.in.ModelId),
		"content": []any{}, "stop_reason": nil, "stop_sequence": nil,
		"usage": x.anthropicUsage(begun),
	}}}
	index := 0
	add := func(start, deltas map[string]any, field string, pieces []string) {
		chunks = append(chunks, map[string]any{"type": "content_block_start", "index": index, "content_block": start})
		for _, piece := range pieces {
			delta := map[string]any{"type": deltas["type"], field: piece}
			chunks = append(chunks, map[string]any{"type": "content_block_delta", "index": index, "delta": delta})
		}
		chunks = append(chunks, map[string]any{"type": "content_block_stop", "index": index})
		index++
	}
	for _, block := range content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			add(map[string]any{"type": "text", "text": ""}, map[string]any{"type": "text_delta"}, "text", split(b.Value, wordsPerDelta))
		case *types.ContentBlockMemberToolUse:
			input, err := toolInput(b.Value)
			if err != nil {
				return nil, err
			}
			add(map[string]any{"type": "tool_use", "id": b.Value.ToolUseId, "name": b.Value.Name, "input": map[string]any{}},
				map[string]any{"type": "input_json_delta"}, "partial_json", []string{input[:len(input)/2], input[len(input)/2:]})
		}
	}
	return append(chunks,
		map[string]any{"type": "message_delta", "delta": map[string]any{"stop_reason": x.stopReason(), "stop_sequence": stopField(x.stop)}, "usage": map[string]any{"output_tokens": x.out.Usage.OutputTokens}},
		map[string]any{"type": "message_stop"},
	), nil
}
