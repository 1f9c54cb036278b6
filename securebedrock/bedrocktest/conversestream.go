package bedrocktest

import (
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// wordsPerDelta is how many words a delta of a streamed answer has.
const wordsPerDelta = 3

func (s *Server) converseStream(w http.ResponseWriter, r *request) error {
	in, err := converseBody(r, schemas.ConverseStreamRequest)
	if err != nil {
		return err
	}
	async := in.GuardrailConfig != nil && in.GuardrailConfig.StreamProcessingMode == types.GuardrailStreamProcessingModeAsync
	done, err := s.exchange(unary(in))
	if err != nil {
		return err
	}
	events, err := converseEvents(done, done.streamed(async))
	if err != nil {
		return err
	}
	s.openStream(w, r, schemas.ConverseStreamOutput).writeAll(events)
	return nil
}

// streamed is the content that a stream carries. In sync mode the guardrail
// has seen it all; in async mode the text is on its way before the guardrail
// has judged it: it is not masked, and the blocked message only follows it
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-streaming.html).
func (x *exchange) streamed(async bool) []types.ContentBlock {
	content := contentOf(x.out)
	if !async || x.modelOut == nil {
		return content
	}
	leaked := contentOf(x.modelOut)
	if x.answer != nil && x.answer.blocked {
		return append(cloneTexts(leaked), content...)
	}
	return leaked
}

// converseEvents are the events of a streamed answer.
func converseEvents(x *exchange, content []types.ContentBlock) ([]event, error) {
	events := []event{{schemas.ConverseStreamOutput_messageStart, &types.ConverseStreamOutputMemberMessageStart{
		Value: types.MessageStartEvent{Role: types.ConversationRoleAssistant},
	}}}
	for i, block := range content {
		blockEvents, err := contentEvents(int32(i), block)
		if err != nil {
			return nil, err
		}
		events = append(events, blockEvents...)
	}
	metadata := types.ConverseStreamMetadataEvent{
		Usage:             x.out.Usage,
		Metrics:           &types.ConverseStreamMetrics{LatencyMs: x.out.Metrics.LatencyMs},
		PerformanceConfig: x.out.PerformanceConfig,
		ServiceTier:       x.out.ServiceTier,
	}
	if assessment := x.assessment(); assessment != nil {
		metadata.Trace = &types.ConverseStreamTrace{Guardrail: assessment}
	}
	return append(events,
		event{schemas.ConverseStreamOutput_messageStop, &types.ConverseStreamOutputMemberMessageStop{Value: types.MessageStopEvent{
			StopReason: x.out.StopReason, AdditionalModelResponseFields: x.out.AdditionalModelResponseFields,
		}}},
		event{schemas.ConverseStreamOutput_metadata, &types.ConverseStreamOutputMemberMetadata{Value: metadata}},
	), nil
}

// contentEvents are the events of one content block. Text has no start event,
// as with Bedrock.
func contentEvents(index int32, block types.ContentBlock) ([]event, error) {
	var events []event
	delta := func(d types.ContentBlockDelta) {
		events = append(events, event{schemas.ConverseStreamOutput_contentBlockDelta, &types.ConverseStreamOutputMemberContentBlockDelta{
			Value: types.ContentBlockDeltaEvent{ContentBlockIndex: aws.Int32(index), Delta: d},
		}})
	}
	switch b := block.(type) {
	case *types.ContentBlockMemberText:
		for _, piece := range split(b.Value, wordsPerDelta) {
			delta(&types.ContentBlockDeltaMemberText{Value: piece})
		}
	case *types.ContentBlockMemberReasoningContent:
		text, ok := b.Value.(*types.ReasoningContentBlockMemberReasoningText)
		if !ok {
			return nil, fmt.Errorf("bedrocktest does not stream %T", b.Value)
		}
		for _, piece := range split(aws.ToString(text.Value.Text), wordsPerDelta) {
			delta(&types.ContentBlockDeltaMemberReasoningContent{Value: &types.ReasoningContentBlockDeltaMemberText{Value: piece}})
		}
		if text.Value.Signature != nil {
			delta(&types.ContentBlockDeltaMemberReasoningContent{Value: &types.ReasoningContentBlockDeltaMemberSignature{Value: *text.Value.Signature}})
		}
	case *types.ContentBlockMemberToolUse:
		events = append(events, event{schemas.ConverseStreamOutput_contentBlockStart, &types.ConverseStreamOutputMemberContentBlockStart{
			Value: types.ContentBlockStartEvent{ContentBlockIndex: aws.Int32(index), Start: &types.ContentBlockStartMemberToolUse{
				Value: types.ToolUseBlockStart{Name: b.Value.Name, ToolUseId: b.Value.ToolUseId, Type: b.Value.Type},
			}},
		}})
		input, err := toolInput(b.Value)
		if err != nil {
			return nil, err
		}
		for _, piece := range []string{input[:len(input)/2], input[len(input)/2:]} {
			delta(&types.ContentBlockDeltaMemberToolUse{Value: types.ToolUseBlockDelta{Input: aws.String(piece)}})
		}
	default:
		return nil, fmt.Errorf("bedrocktest does not stream %T", block)
	}
	return append(events, event{schemas.ConverseStreamOutput_contentBlockStop, &types.ConverseStreamOutputMemberContentBlockStop{
		Value: types.ContentBlockStopEvent{ContentBlockIndex: aws.Int32(index)},
	}}), nil
}

// toolInput is the JSON of a tool's arguments.
func toolInput(use types.ToolUseBlock) (string, error) {
	if use.Input == nil {
		return "{}", nil
	}
	input, err := use.Input.MarshalSmithyDocument()
	return string(input), err
}
