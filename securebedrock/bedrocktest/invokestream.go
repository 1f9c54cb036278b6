package bedrocktest

import (
	"encoding/json"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/family"
)

func (s *chats) invokeModelStream(w *responder, r *request) error {
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
	}, true)
	if err != nil {
		return err
	}
	chunks, err := done.chunks()
	if err != nil {
		return err
	}
	var events []wire.Event
	for _, body := range chunks {
		events = append(events, &types.ResponseStreamMemberChunk{Value: types.PayloadPart{Bytes: body}})
	}
	header, _, err := wire.Encode(&bedrockruntime.InvokeModelWithResponseStreamOutput{
		ContentType:              aws.String("application/json"),
		PerformanceConfigLatency: in.PerformanceConfigLatency,
		ServiceTier:              done.tier(),
	})
	if err != nil {
		return err
	}
	maps.Copy(w.Header(), header)
	openStream(w).writeAll(events)
	return nil
}

// chunks returns the answer in pieces. The last one has the metrics and the
// guardrail's result.
func (x *invocation) chunks() ([][]byte, error) {
	var chunks [][]byte
	if x.raw != nil {
		chunks = family.Chunks(x.raw)
	} else {
		objects, err := x.family.Chunks(x.answer(), x.state, x.streamed(x.async))
		if err != nil {
			return nil, err
		}
		for _, object := range objects {
			// The objects hold strings, numbers and raw JSON.
			chunk, err := json.Marshal(object)
			if err != nil {
				return nil, err
			}
			chunks = append(chunks, chunk)
		}
	}
	keys := map[string]any{"amazon-bedrock-invocationMetrics": x.metrics()}
	if err := x.addGuardrail(keys); err != nil {
		return nil, err
	}
	var err error
	last := len(chunks) - 1
	chunks[last], err = family.Extend(chunks[last], keys)
	return chunks, err
}
