package content

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Block walks over a block of a message.
func Block(b types.ContentBlock, visit func(Piece)) {
	switch b := b.(type) {
	case *types.ContentBlockMemberText:
		visit(Piece{Kind: Text, Text: b.Value})
	case *types.ContentBlockMemberGuardContent:
		guardContent(b.Value, visit)
	case *types.ContentBlockMemberToolUse:
		visit(Piece{Kind: ToolUse, JSON: b.Value.Input})
	case *types.ContentBlockMemberToolResult:
		for _, r := range b.Value.Content {
			toolResult(r, visit)
		}
	case *types.ContentBlockMemberReasoningContent:
		reasoning(b.Value, visit)
	case *types.ContentBlockMemberCitationsContent:
		citations(&b.Value, visit)
	case *types.ContentBlockMemberSearchResult:
		searchResult(&b.Value, false, visit)
	case *types.ContentBlockMemberImage:
		image(&b.Value, false, visit)
	case *types.ContentBlockMemberDocument:
		documentBlock(&b.Value, false, visit)
	case *types.ContentBlockMemberVideo:
		video(&b.Value, false, visit)
	case *types.ContentBlockMemberAudio:
		audio(&b.Value, visit)
	case *types.ContentBlockMemberCachePoint, *types.ContentBlockMemberToolAddition, *types.ContentBlockMemberToolRemoval: // no content
	default:
		visit(Piece{})
	}
}

// System walks over a block of the system prompt.
func System(b types.SystemContentBlock, visit func(Piece)) {
	switch b := b.(type) {
	case *types.SystemContentBlockMemberText:
		visit(Piece{Kind: Text, Text: b.Value})
	case *types.SystemContentBlockMemberGuardContent:
		guardContent(b.Value, visit)
	case *types.SystemContentBlockMemberCachePoint: // no content
	default:
		visit(Piece{})
	}
}

// Tools walks over the definitions of tools.
func Tools(config *types.ToolConfiguration, visit func(Piece)) {
	if config == nil {
		return
	}
	for _, t := range config.Tools {
		switch t := t.(type) {
		case *types.ToolMemberToolSpec:
			visit(Piece{Kind: ToolDefinition, Text: aws.ToString(t.Value.Name), Second: aws.ToString(t.Value.Description)})
			switch s := t.Value.InputSchema.(type) {
			case *types.ToolInputSchemaMemberJson:
				visit(Piece{Kind: ToolSchema, JSON: s.Value})
			case nil: // the SDK refuses to send the input
			default:
				visit(Piece{Of: ToolSchema})
			}
		case *types.ToolMemberSystemTool, *types.ToolMemberCachePoint: // no content
		default:
			visit(Piece{Of: ToolDefinition})
		}
	}
}

// Variables walks over the values of prompt variables, in the order of their names.
func Variables(values map[string]types.PromptVariableValues, visit func(Piece)) {
	if len(values) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if t, ok := values[name].(*types.PromptVariableValuesMemberText); ok {
			visit(Piece{Kind: Variable, Text: t.Value})
		} else {
			visit(Piece{Of: Variable})
		}
	}
}

func toolResult(r types.ToolResultContentBlock, visit func(Piece)) {
	switch r := r.(type) {
	case *types.ToolResultContentBlockMemberText:
		visit(Piece{Kind: ToolResult, InResult: true, Text: r.Value})
	case *types.ToolResultContentBlockMemberJson:
		visit(Piece{Kind: ToolResultJSON, InResult: true, JSON: r.Value})
	case *types.ToolResultContentBlockMemberSearchResult:
		searchResult(&r.Value, true, visit)
	case *types.ToolResultContentBlockMemberImage:
		image(&r.Value, true, visit)
	case *types.ToolResultContentBlockMemberDocument:
		documentBlock(&r.Value, true, visit)
	case *types.ToolResultContentBlockMemberVideo:
		video(&r.Value, true, visit)
	default:
		visit(Piece{Of: ToolResult, InResult: true})
	}
}

func reasoning(r types.ReasoningContentBlock, visit func(Piece)) {
	switch r := r.(type) {
	case *types.ReasoningContentBlockMemberReasoningText:
		visit(Piece{Kind: Reasoning, Text: aws.ToString(r.Value.Text)})
	case *types.ReasoningContentBlockMemberRedactedContent:
		visit(Piece{Kind: ReasoningEncrypted, Data: r.Value})
	default:
		visit(Piece{Of: Reasoning})
	}
}

func citations(c *types.CitationsContentBlock, visit func(Piece)) {
	for _, g := range c.Content {
		if t, ok := g.(*types.CitationGeneratedContentMemberText); ok {
			visit(Piece{Kind: Cited, Text: t.Value})
		} else {
			visit(Piece{Of: Cited})
		}
	}
	for i := range c.Citations {
		cited := &c.Citations[i]
		visit(Piece{Kind: Citation, Text: aws.ToString(cited.Title), Second: aws.ToString(cited.Source)})
		for _, s := range cited.SourceContent {
			if t, ok := s.(*types.CitationSourceContentMemberText); ok {
				visit(Piece{Kind: Citation, Text: t.Value})
			} else {
				visit(Piece{Of: Citation})
			}
		}
	}
}

func searchResult(r *types.SearchResultBlock, inResult bool, visit func(Piece)) {
	visit(Piece{Kind: SearchResult, InResult: inResult, Text: aws.ToString(r.Title), Second: aws.ToString(r.Source)})
	for i := range r.Content {
		visit(Piece{Kind: SearchPassage, InResult: inResult, Text: aws.ToString(r.Content[i].Text)})
	}
}

func documentBlock(d *types.DocumentBlock, inResult bool, visit func(Piece)) {
	visit(Piece{Kind: DocumentName, InResult: inResult, Text: aws.ToString(d.Name)})
	if d.Context != nil {
		visit(Piece{Kind: DocumentContext, InResult: inResult, Text: *d.Context})
	}
	p := Piece{Kind: Document, InResult: inResult, Format: string(d.Format), Listed: listed(d.Format, d.Format.Values())}
	switch s := d.Source.(type) {
	case *types.DocumentSourceMemberText:
		p.Kind, p.Text = DocumentText, s.Value
	case *types.DocumentSourceMemberContent:
		p.Kind = DocumentText
		for _, part := range s.Value {
			if t, ok := part.(*types.DocumentContentBlockMemberText); ok {
				p.Text = t.Value
				visit(p)
			} else {
				visit(Piece{Of: DocumentText, InResult: inResult})
			}
		}
		return
	case *types.DocumentSourceMemberBytes:
		p.Source, p.Data = Bytes, s.Value
	case *types.DocumentSourceMemberS3Location:
		p.Source, p.URI = S3, s.Value.Uri
	}
	visit(p)
}

func image(b *types.ImageBlock, inResult bool, visit func(Piece)) {
	p := Piece{Kind: Image, InResult: inResult, Format: string(b.Format), Listed: listed(b.Format, b.Format.Values())}
	switch s := b.Source.(type) {
	case *types.ImageSourceMemberBytes:
		p.Source, p.Data = Bytes, s.Value
	case *types.ImageSourceMemberS3Location:
		p.Source, p.URI = S3, s.Value.Uri
	}
	visit(p)
}

func video(b *types.VideoBlock, inResult bool, visit func(Piece)) {
	p := Piece{Kind: Video, InResult: inResult, Format: string(b.Format), Listed: listed(b.Format, b.Format.Values())}
	switch s := b.Source.(type) {
	case *types.VideoSourceMemberBytes:
		p.Source, p.Data = Bytes, s.Value
	case *types.VideoSourceMemberS3Location:
		p.Source, p.URI = S3, s.Value.Uri
	}
	visit(p)
}

func audio(b *types.AudioBlock, visit func(Piece)) {
	p := Piece{Kind: Audio, Format: string(b.Format), Listed: listed(b.Format, b.Format.Values())}
	switch s := b.Source.(type) {
	case *types.AudioSourceMemberBytes:
		p.Source, p.Data = Bytes, s.Value
	case *types.AudioSourceMemberS3Location:
		p.Source, p.URI = S3, s.Value.Uri
	}
	visit(p)
}

func guardContent(b types.GuardrailConverseContentBlock, visit func(Piece)) {
	switch b := b.(type) {
	case *types.GuardrailConverseContentBlockMemberText:
		visit(Piece{Kind: GuardContent, Text: aws.ToString(b.Value.Text)})
	case *types.GuardrailConverseContentBlockMemberImage:
		p := Piece{Kind: Image, Format: string(b.Value.Format), Listed: listed(b.Value.Format, b.Value.Format.Values())}
		if s, ok := b.Value.Source.(*types.GuardrailConverseImageSourceMemberBytes); ok {
			p.Source, p.Data = Bytes, s.Value
		}
		visit(p)
	default:
		visit(Piece{Of: GuardContent})
	}
}

func listed[F ~string](format F, all []F) bool { return slices.Contains(all, format) }
