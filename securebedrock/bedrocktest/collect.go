package bedrocktest

import (
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
)

// Stream is what Collect reads. A *bedrockruntime.ConverseStreamEventStream is one;
// GetStream of the output returns it.
type Stream interface {
	Events() <-chan types.ConverseStreamOutput
	Err() error
	Close() error
}

// Collected is a stream that has been read to its end.
type Collected struct {
	// Text is the answer's text, from all its blocks.
	Text string
	// Reasoning is the text of the reasoning blocks.
	Reasoning string
	// ToolUses are the tool calls that the answer asks for, with their arguments.
	ToolUses []types.ToolUseBlock
	// Message is the whole answer, block by block, as Converse would return it. It can
	// be appended to the conversation.
	Message types.Message
	// StopReason is empty if the stream broke off before one came.
	StopReason types.StopReason
	// Usage and Trace are nil if none came.
	Usage *types.TokenUsage
	Trace *types.ConverseStreamTrace
	// Events is the number of events that came.
	Events int
}

// Collect reads a ConverseStream to its end and closes it. The error is the stream's
// own. It is io.ErrUnexpectedEOF if the stream ended without an error and without a
// stop reason. What came before an error is returned with it.
func Collect(stream Stream) (*Collected, error) {
	got := &Collected{Message: types.Message{Role: types.ConversationRoleAssistant}}
	var blocks assembly
	for event := range stream.Events() {
		got.Events++
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberMessageStart:
			got.Message.Role = e.Value.Role
		case *types.ConverseStreamOutputMemberContentBlockStart:
			blocks.at(e.Value.ContentBlockIndex).start = e.Value.Start
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			blocks.at(e.Value.ContentBlockIndex).add(e.Value.Delta)
		case *types.ConverseStreamOutputMemberMessageStop:
			got.StopReason = e.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			got.Usage, got.Trace = e.Value.Usage, e.Value.Trace
		}
	}
	err := stream.Err()
	if closed := stream.Close(); err == nil {
		err = closed
	}
	if err == nil && got.StopReason == "" {
		err = fmt.Errorf("bedrocktest: the stream ended after %d events without a stop reason: %w", got.Events, io.ErrUnexpectedEOF)
	}
	for _, b := range blocks.list {
		got.Text += b.text.String()
		got.Reasoning += b.reasoning.String()
		block := b.block()
		if use, ok := block.(*types.ContentBlockMemberToolUse); ok {
			got.ToolUses = append(got.ToolUses, use.Value)
		}
		if block != nil {
			got.Message.Content = append(got.Message.Content, block)
		}
	}
	return got, err
}

// assembly holds the blocks of a streamed answer, in the order of their first event.
type assembly struct {
	list  []*assembled
	index map[int32]*assembled
}

func (a *assembly) at(index *int32) *assembled {
	i := aws.ToInt32(index)
	if a.index[i] == nil {
		if a.index == nil {
			a.index = make(map[int32]*assembled)
		}
		a.index[i] = &assembled{}
		a.list = append(a.list, a.index[i])
	}
	return a.index[i]
}

// assembled is one block whose events are still coming.
type assembled struct {
	start                      types.ContentBlockStart
	text, input, reasoning     strings.Builder
	signature                  string
	redacted, image            []byte
	source                     types.ImageSource
	citations                  []types.Citation
	results                    []types.ToolResultContentBlock
	reasoned, withheld, quoted bool
}

func (b *assembled) add(delta types.ContentBlockDelta) {
	switch d := delta.(type) {
	case *types.ContentBlockDeltaMemberText:
		b.text.WriteString(d.Value)
	case *types.ContentBlockDeltaMemberToolUse:
		b.input.WriteString(aws.ToString(d.Value.Input))
	case *types.ContentBlockDeltaMemberReasoningContent:
		switch r := d.Value.(type) {
		case *types.ReasoningContentBlockDeltaMemberText:
			b.reasoned = true
			b.reasoning.WriteString(r.Value)
		case *types.ReasoningContentBlockDeltaMemberSignature:
			b.reasoned = true
			b.signature += r.Value
		case *types.ReasoningContentBlockDeltaMemberRedactedContent:
			b.withheld = true
			b.redacted = append(b.redacted, r.Value...)
		}
	case *types.ContentBlockDeltaMemberImage:
		if data, ok := d.Value.Source.(*types.ImageSourceMemberBytes); ok {
			b.image = append(b.image, data.Value...)
		} else {
			b.source = d.Value.Source
		}
	case *types.ContentBlockDeltaMemberCitation:
		b.quoted = true
		c := types.Citation{Location: d.Value.Location, Source: d.Value.Source, Title: d.Value.Title}
		for _, part := range d.Value.SourceContent {
			c.SourceContent = append(c.SourceContent, &types.CitationSourceContentMemberText{Value: aws.ToString(part.Text)})
		}
		b.citations = append(b.citations, c)
	case *types.ContentBlockDeltaMemberToolResult:
		for _, part := range d.Value {
			switch p := part.(type) {
			case *types.ToolResultBlockDeltaMemberText:
				b.results = append(b.results, &types.ToolResultContentBlockMemberText{Value: p.Value})
			case *types.ToolResultBlockDeltaMemberJson:
				b.results = append(b.results, &types.ToolResultContentBlockMemberJson{Value: p.Value})
			}
		}
	}
}

// block returns the content block that the events made, nil if they made none.
func (b *assembled) block() types.ContentBlock {
	switch s := b.start.(type) {
	case *types.ContentBlockStartMemberToolUse:
		var input document.Interface
		if b.input.Len() > 0 {
			input = conversation.RawDocument([]byte(b.input.String()))
		} else {
			input = conversation.RawDocument([]byte("{}"))
		}
		return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
			ToolUseId: s.Value.ToolUseId, Name: s.Value.Name, Type: s.Value.Type, Input: input,
		}}
	case *types.ContentBlockStartMemberToolResult:
		return &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{
			ToolUseId: s.Value.ToolUseId, Status: s.Value.Status, Type: s.Value.Type, Content: b.results,
		}}
	case *types.ContentBlockStartMemberImage:
		if b.source == nil {
			b.source = &types.ImageSourceMemberBytes{Value: b.image}
		}
		return &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: s.Value.Format, Source: b.source}}
	}
	switch {
	case b.withheld:
		return &types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: b.redacted}}
	case b.reasoned:
		text := types.ReasoningTextBlock{Text: aws.String(b.reasoning.String())}
		if b.signature != "" {
			text.Signature = aws.String(b.signature)
		}
		return &types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{Value: text}}
	case b.quoted:
		return &types.ContentBlockMemberCitationsContent{Value: types.CitationsContentBlock{
			Citations: b.citations,
			Content:   []types.CitationGeneratedContent{&types.CitationGeneratedContentMemberText{Value: b.text.String()}},
		}}
	case b.text.Len() > 0:
		return &types.ContentBlockMemberText{Value: b.text.String()}
	}
	return nil
}
