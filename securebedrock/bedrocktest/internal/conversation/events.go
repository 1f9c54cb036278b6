package conversation

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/misuse"
)

// Events returns the events of a streamed answer. The content is separate from the
// answer because a stream can carry more than the answer has.
func Events(out *bedrockruntime.ConverseOutput, content []types.ContentBlock, trace *types.ConverseStreamTrace) ([]wire.Event, error) {
	events := []wire.Event{&types.ConverseStreamOutputMemberMessageStart{
		Value: types.MessageStartEvent{Role: types.ConversationRoleAssistant},
	}}
	for i, block := range content {
		blockEvents, err := contentEvents(int32(i), block)
		if err != nil {
			return nil, err
		}
		events = append(events, blockEvents...)
	}
	return append(events,
		&types.ConverseStreamOutputMemberMessageStop{Value: types.MessageStopEvent{
			StopReason: out.StopReason, AdditionalModelResponseFields: out.AdditionalModelResponseFields,
		}},
		&types.ConverseStreamOutputMemberMetadata{Value: types.ConverseStreamMetadataEvent{
			Usage:             out.Usage,
			Metrics:           &types.ConverseStreamMetrics{LatencyMs: out.Metrics.LatencyMs},
			PerformanceConfig: out.PerformanceConfig,
			ServiceTier:       out.ServiceTier,
			Trace:             trace,
		}},
	), nil
}

// contentEvents returns the events of one content block. As with Bedrock, a text has
// no start event.
func contentEvents(index int32, block types.ContentBlock) ([]wire.Event, error) {
	var events []wire.Event
	delta := func(d types.ContentBlockDelta) {
		events = append(events, &types.ConverseStreamOutputMemberContentBlockDelta{
			Value: types.ContentBlockDeltaEvent{ContentBlockIndex: aws.Int32(index), Delta: d},
		})
	}
	start := func(begin types.ContentBlockStart) {
		events = append(events, &types.ConverseStreamOutputMemberContentBlockStart{
			Value: types.ContentBlockStartEvent{ContentBlockIndex: aws.Int32(index), Start: begin},
		})
	}
	switch b := block.(type) {
	case *types.ContentBlockMemberText:
		for _, piece := range Split(b.Value, WordsPerDelta) {
			delta(&types.ContentBlockDeltaMemberText{Value: piece})
		}
	case *types.ContentBlockMemberReasoningContent:
		switch r := b.Value.(type) {
		case *types.ReasoningContentBlockMemberReasoningText:
			for _, piece := range Split(aws.ToString(r.Value.Text), WordsPerDelta) {
				delta(&types.ContentBlockDeltaMemberReasoningContent{Value: &types.ReasoningContentBlockDeltaMemberText{Value: piece}})
			}
			if r.Value.Signature != nil {
				delta(&types.ContentBlockDeltaMemberReasoningContent{Value: &types.ReasoningContentBlockDeltaMemberSignature{Value: *r.Value.Signature}})
			}
		case *types.ReasoningContentBlockMemberRedactedContent:
			delta(&types.ContentBlockDeltaMemberReasoningContent{Value: &types.ReasoningContentBlockDeltaMemberRedactedContent{Value: r.Value}})
		}
	case *types.ContentBlockMemberCitationsContent:
		// The text comes first, then its citations.
		for _, part := range b.Value.Content {
			if text, ok := part.(*types.CitationGeneratedContentMemberText); ok {
				for _, piece := range Split(text.Value, WordsPerDelta) {
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
		input, err := ToolInput(b.Value)
		if err != nil {
			return nil, err
		}
		for _, piece := range JSONPieces(input) {
			delta(&types.ContentBlockDeltaMemberToolUse{Value: types.ToolUseBlockDelta{Input: aws.String(piece)}})
		}
	case *types.ContentBlockMemberToolResult:
		// Bedrock itself ran this tool, so the answer has the result.
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
		return nil, misuse.New("no model streams %T", block)
	}
	return append(events, &types.ConverseStreamOutputMemberContentBlockStop{
		Value: types.ContentBlockStopEvent{ContentBlockIndex: aws.Int32(index)},
	}), nil
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
