package middleware

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Content is a kind of content that InputCheck may not be able to check.
type Content string

// The kinds of content.
const (
	Audio    Content = "audio"
	Video    Content = "video"
	Image    Content = "image"    // in another format than PNG and JPEG, or in S3
	Document Content = "document" // not given as text: PDF and others, or in S3
	// Reasoning that is encrypted cannot be checked. Allowed, no reasoning is.
	Reasoning Content = "reasoning"
	// Body is an InvokeModel body that is not JSON.
	Body Content = "body"
	// Stream is an InvokeModelWithBidirectionalStream, whose input comes later.
	Stream Content = "stream"
	// Other is a kind that this package does not know.
	Other Content = "other content"
	// Text is what the guardrail's answer says that it did not look at, as one that
	// has no policy for text does. Allowed, Image and Text are sent and not insisted on.
	Text Content = "text"
)

// contents are all of them.
func contents() []Content {
	return []Content{Audio, Video, Image, Document, Reasoning, Body, Stream, Other, Text}
}

// content is what InputCheck finds in an input.
type content struct {
	parts           Part
	lastTurn, tools bool
	allowed         []Content
	mostText        int64        // bytes that MaxRequests can hold
	mostImages      int          // MaxRequests
	ended           func() error // the context's end

	texts     []string
	size      int64 // of texts
	images    []types.GuardrailContentBlock
	unchecked Content // the first that cannot be checked and is not allowed
	err       error   // of ended
}

func (c *content) text(s ...string) {
	for _, s := range s {
		if s == "" || c.stopped() {
			continue
		}
		c.texts = append(c.texts, s)
		c.size += int64(len(s))
	}
}

// tooMuch reports whether the input needs more than MaxRequests.
func (c *content) tooMuch() bool { return c.size > c.mostText || len(c.images) > c.mostImages }

// stopped reports whether there is no use in looking further.
func (c *content) stopped() bool {
	if c.err == nil {
		c.err = c.ended()
	}
	return c.err != nil || c.tooMuch()
}

func (c *content) cannot(what Content) {
	if c.unchecked == "" && !slices.Contains(c.allowed, what) {
		c.unchecked = what
	}
}

func (c *content) input(in any) {
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		c.conversation(in.System, in.Messages, in.PromptVariables, in.ToolConfig)
		c.fields(in.AdditionalModelRequestFields)
	case *bedrockruntime.ConverseStreamInput:
		c.conversation(in.System, in.Messages, in.PromptVariables, in.ToolConfig)
		c.fields(in.AdditionalModelRequestFields)
	case *bedrockruntime.InvokeModelInput:
		c.body(in.Body)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		c.body(in.Body)
	case *bedrockruntime.StartAsyncInvokeInput:
		if raw, ok := c.marshaled(in.ModelInput); ok {
			c.body(raw)
		}
	case *bedrockruntime.InvokeModelWithBidirectionalStreamInput:
		c.cannot(Stream)
	default:
		c.cannot(Other)
	}
}

func (c *content) conversation(system []types.SystemContentBlock, messages []types.Message, variables map[string]types.PromptVariableValues, tools *types.ToolConfiguration) {
	if c.parts.has(PartSystem) {
		c.system(system)
	}
	if c.parts.has(PartUser) {
		for _, name := range slices.Sorted(maps.Keys(variables)) {
			if t, ok := variables[name].(*types.PromptVariableValuesMemberText); ok {
				c.text(t.Value)
			} else {
				c.cannot(Other)
			}
		}
	}
	if c.tools && tools != nil {
		c.toolConfig(tools.Tools)
	}
	if c.lastTurn {
		messages = lastTurn(messages)
	}
	for _, m := range messages {
		for _, b := range m.Content {
			if c.parts.has(partOf(m.Role, b)) {
				c.block(b)
			}
		}
	}
}

func (c *content) system(blocks []types.SystemContentBlock) {
	for _, b := range blocks {
		switch b := b.(type) {
		case *types.SystemContentBlockMemberText:
			c.text(b.Value)
		case *types.SystemContentBlockMemberGuardContent:
			c.guardContent(b.Value)
		case *types.SystemContentBlockMemberCachePoint:
		default:
			c.cannot(Other)
		}
	}
}

// lastTurn is what came after the model's last answer. An answer that nothing
// follows was begun by the caller, and belongs to the turn before it.
func lastTurn(messages []types.Message) []types.Message {
	asked := false
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role != types.ConversationRoleAssistant {
			asked = true
		} else if asked {
			return messages[i+1:]
		}
	}
	return messages
}

func (c *content) toolConfig(tools []types.Tool) {
	for _, t := range tools {
		switch t := t.(type) {
		case *types.ToolMemberToolSpec:
			c.text(aws.ToString(t.Value.Name), aws.ToString(t.Value.Description))
			if s, ok := t.Value.InputSchema.(*types.ToolInputSchemaMemberJson); ok {
				c.document(s.Value)
			}
		case *types.ToolMemberSystemTool, *types.ToolMemberCachePoint:
		default:
			c.cannot(Other)
		}
	}
}

func (c *content) block(b types.ContentBlock) {
	switch b := b.(type) {
	case *types.ContentBlockMemberText:
		c.text(b.Value)
	case *types.ContentBlockMemberGuardContent:
		c.guardContent(b.Value)
	case *types.ContentBlockMemberToolUse:
		c.document(b.Value.Input)
	case *types.ContentBlockMemberToolResult:
		for _, r := range b.Value.Content {
			c.result(r)
		}
	case *types.ContentBlockMemberReasoningContent:
		c.reasoning(b.Value)
	case *types.ContentBlockMemberCitationsContent:
		c.citations(b.Value)
	case *types.ContentBlockMemberSearchResult:
		c.searchResult(b.Value)
	case *types.ContentBlockMemberImage:
		c.image(b.Value)
	case *types.ContentBlockMemberDocument:
		c.documentBlock(b.Value)
	case *types.ContentBlockMemberVideo:
		c.cannot(Video)
	case *types.ContentBlockMemberAudio:
		c.cannot(Audio)
	case *types.ContentBlockMemberCachePoint, *types.ContentBlockMemberToolAddition, *types.ContentBlockMemberToolRemoval: // no text
	default:
		c.cannot(Other)
	}
}

func (c *content) result(b types.ToolResultContentBlock) {
	switch b := b.(type) {
	case *types.ToolResultContentBlockMemberText:
		c.text(b.Value)
	case *types.ToolResultContentBlockMemberJson:
		c.document(b.Value)
	case *types.ToolResultContentBlockMemberSearchResult:
		c.searchResult(b.Value)
	case *types.ToolResultContentBlockMemberImage:
		c.image(b.Value)
	case *types.ToolResultContentBlockMemberDocument:
		c.documentBlock(b.Value)
	case *types.ToolResultContentBlockMemberVideo:
		c.cannot(Video)
	default:
		c.cannot(Other)
	}
}

func (c *content) reasoning(b types.ReasoningContentBlock) {
	if slices.Contains(c.allowed, Reasoning) {
		return
	}
	if r, ok := b.(*types.ReasoningContentBlockMemberReasoningText); ok {
		c.text(aws.ToString(r.Value.Text))
		return
	}
	c.cannot(Reasoning)
}

func (c *content) citations(b types.CitationsContentBlock) {
	for _, g := range b.Content {
		if t, ok := g.(*types.CitationGeneratedContentMemberText); ok {
			c.text(t.Value)
		} else {
			c.cannot(Other)
		}
	}
	for _, cited := range b.Citations {
		c.text(aws.ToString(cited.Title), aws.ToString(cited.Source))
		for _, s := range cited.SourceContent {
			if t, ok := s.(*types.CitationSourceContentMemberText); ok {
				c.text(t.Value)
			} else {
				c.cannot(Other)
			}
		}
	}
}

func (c *content) searchResult(b types.SearchResultBlock) {
	c.text(aws.ToString(b.Title), aws.ToString(b.Source))
	for _, t := range b.Content {
		c.text(aws.ToString(t.Text))
	}
}

func (c *content) guardContent(b types.GuardrailConverseContentBlock) {
	switch b := b.(type) {
	case *types.GuardrailConverseContentBlockMemberText:
		c.text(aws.ToString(b.Value.Text))
	case *types.GuardrailConverseContentBlockMemberImage:
		if s, ok := b.Value.Source.(*types.GuardrailConverseImageSourceMemberBytes); ok {
			c.imageBytes(string(b.Value.Format), s.Value)
			return
		}
		c.cannot(Image)
	default:
		c.cannot(Other)
	}
}

// fields are the model's own request fields beside a conversation.
func (c *content) fields(d document.Interface) {
	if c.parts.has(PartFields) {
		c.document(d)
	}
}

func (c *content) document(d document.Interface) {
	if raw, ok := c.marshaled(d); ok {
		c.json(raw)
	}
}

func (c *content) marshaled(d document.Interface) ([]byte, bool) {
	if d == nil {
		return nil, false
	}
	raw, err := d.MarshalSmithyDocument()
	if err != nil {
		c.cannot(Other)
		return nil, false
	}
	return raw, true
}
