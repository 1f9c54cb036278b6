package bedrocktest

import (
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
	done, err := s.exchange(unary(in), scope{})
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
	if router := x.router(); router != nil {
		if metadata.Trace == nil {
			metadata.Trace = &types.ConverseStreamTrace{}
		}
		metadata.Trace.PromptRouter = router
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
	start := func(begin types.ContentBlockStart) {
		events = append(events, event{schemas.ConverseStreamOutput_contentBlockStart, &types.ConverseStreamOutputMemberContentBlockStart{
			Value: types.ContentBlockStartEvent{ContentBlockIndex: aws.Int32(index), Start: begin},
		}})
	}
	switch b := block.(type) {
	case *types.ContentBlockMemberText:
		for _, piece := range split(b.Value, wordsPerDelta) {
			delta(&types.ContentBlockDeltaMemberText{Value: piece})
		}
	case *types.ContentBlockMemberReasoningContent:
		switch r := b.Value.(type) {
		case *types.ReasoningContentBlockMemberReasoningText:
			for _, piece := range split(aws.ToString(r.Value.Text), wordsPerDelta) {
				delta(&types.ContentBlockDeltaMemberReasoningContent{Value: &types.ReasoningContentBlockDeltaMemberText{Value: piece}})
			}
			if r.Value.Signature != nil {
				delta(&types.ContentBlockDeltaMemberReasoningContent{Value: &types.ReasoningContentBlockDeltaMemberSignature{Value: *r.Value.Signature}})
			}
		case *types.ReasoningContentBlockMemberRedactedContent:
			delta(&types.ContentBlockDeltaMemberReasoningContent{Value: &types.ReasoningContentBlockDeltaMemberRedactedContent{Value: r.Value}})
		}
	case *types.ContentBlockMemberCitationsContent:
		// The text comes first, and then what it rests on.
		for _, part := range b.Value.Content {
			if text, ok := part.(*types.CitationGeneratedContentMemberText); ok {
				for _, piece := range split(text.Value, wordsPerDelta) {
					delta(&types.ContentBlockDeltaMemberText{Value: piece})
				}
			}
		}
		for _, c := range b.Value.Citations {
			delta(&types.ContentBlockDeltaMemberCitation{Value: citationDelta(c)})
		}
	case *types.ContentBlockMemberImage:
		start(&types.ContentBlockStartMemberImage{Value: types.ImageBlockStart{Format: b.Value.Format}})
		data, ok := b.Value.Source.(*types.ImageSourceMemberBytes)
		if !ok {
			delta(&types.ContentBlockDeltaMemberImage{Value: types.ImageBlockDelta{Source: b.Value.Source}})
			break
		}
		for _, piece := range bytePieces(data.Value) {
			delta(&types.ContentBlockDeltaMemberImage{Value: types.ImageBlockDelta{Source: &types.ImageSourceMemberBytes{Value: piece}}})
		}
	case *types.ContentBlockMemberToolUse:
		start(&types.ContentBlockStartMemberToolUse{Value: types.ToolUseBlockStart{Name: b.Value.Name, ToolUseId: b.Value.ToolUseId, Type: b.Value.Type}})
		input, err := toolInput(b.Value)
		if err != nil {
			return nil, err
		}
		for _, piece := range jsonPieces(input) {
			delta(&types.ContentBlockDeltaMemberToolUse{Value: types.ToolUseBlockDelta{Input: aws.String(piece)}})
		}
	case *types.ContentBlockMemberToolResult:
		// The result of a tool that Bedrock itself has run.
		start(&types.ContentBlockStartMemberToolResult{Value: types.ToolResultBlockStart{ToolUseId: b.Value.ToolUseId, Status: b.Value.Status, Type: b.Value.Type}})
		for _, part := range b.Value.Content {
			switch p := part.(type) {
			case *types.ToolResultContentBlockMemberText:
				delta(&types.ContentBlockDeltaMemberToolResult{Value: []types.ToolResultBlockDelta{&types.ToolResultBlockDeltaMemberText{Value: p.Value}}})
			case *types.ToolResultContentBlockMemberJson:
				delta(&types.ContentBlockDeltaMemberToolResult{Value: []types.ToolResultBlockDelta{&types.ToolResultBlockDeltaMemberJson{Value: p.Value}}})
			}
		}
	default:
		return nil, misused("no model streams %T", block)
	}
	return append(events, event{schemas.ConverseStreamOutput_contentBlockStop, &types.ConverseStreamOutputMemberContentBlockStop{
		Value: types.ContentBlockStopEvent{ContentBlockIndex: aws.Int32(index)},
	}}), nil
}

func citationDelta(c types.Citation) types.CitationsDelta {
	d := types.CitationsDelta{Location: c.Location, Source: c.Source, Title: c.Title}
	for _, part := range c.SourceContent {
		if text, ok := part.(*types.CitationSourceContentMemberText); ok {
			d.SourceContent = append(d.SourceContent, types.CitationSourceContentDelta{Text: aws.String(text.Value)})
		}
	}
	return d
}

// toolInput is the JSON of a tool's arguments.
func toolInput(use types.ToolUseBlock) (string, error) {
	if use.Input == nil {
		return "{}", nil
	}
	input, err := use.Input.MarshalSmithyDocument()
	return string(input), err
}
