package middleware

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// content is what InputCheck finds in an input.
type content struct {
	lastTurn  bool
	texts     []string
	images    []types.GuardrailContentBlock
	unchecked string // what cannot be checked, the first of it
}

func (c *content) text(s ...string) {
	for _, s := range s {
		if s != "" {
			c.texts = append(c.texts, s)
		}
	}
}

func (c *content) cannot(what string) {
	if c.unchecked == "" {
		c.unchecked = what
	}
}

func (c *content) input(in any) {
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		c.conversation(in.System, in.Messages, in.PromptVariables)
	case *bedrockruntime.ConverseStreamInput:
		c.conversation(in.System, in.Messages, in.PromptVariables)
	case *bedrockruntime.InvokeModelInput:
		c.json(in.Body)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		c.json(in.Body)
	case *bedrockruntime.StartAsyncInvokeInput:
		c.document(in.ModelInput)
	default:
		c.cannot("bidirectional stream")
	}
}

func (c *content) conversation(system []types.SystemContentBlock, messages []types.Message, variables map[string]types.PromptVariableValues) {
	for _, b := range system {
		switch b := b.(type) {
		case *types.SystemContentBlockMemberText:
			c.text(b.Value)
		case *types.SystemContentBlockMemberGuardContent:
			c.guardContent(b.Value)
		case *types.SystemContentBlockMemberCachePoint:
		default:
			c.cannot("system prompt")
		}
	}
	for _, v := range variables {
		if t, ok := v.(*types.PromptVariableValuesMemberText); ok {
			c.text(t.Value)
		} else {
			c.cannot("prompt variable")
		}
	}
	if c.lastTurn {
		for i := len(messages) - 1; i >= 0; i-- {
			if messages[i].Role == types.ConversationRoleAssistant {
				messages = messages[i+1:]
				break
			}
		}
	}
	for _, m := range messages {
		for _, b := range m.Content {
			c.block(b)
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
		if r, ok := b.Value.(*types.ReasoningContentBlockMemberReasoningText); ok {
			c.text(aws.ToString(r.Value.Text))
		} else {
			c.cannot("encrypted reasoning")
		}
	case *types.ContentBlockMemberCitationsContent:
		for _, g := range b.Value.Content {
			if t, ok := g.(*types.CitationGeneratedContentMemberText); ok {
				c.text(t.Value)
			} else {
				c.cannot("citation")
			}
		}
	case *types.ContentBlockMemberSearchResult:
		c.searchResult(b.Value)
	case *types.ContentBlockMemberImage:
		c.image(b.Value)
	case *types.ContentBlockMemberDocument:
		c.documentBlock(b.Value)
	case *types.ContentBlockMemberVideo:
		c.cannot("video")
	case *types.ContentBlockMemberAudio:
		c.cannot("audio")
	case *types.ContentBlockMemberCachePoint, *types.ContentBlockMemberToolAddition, *types.ContentBlockMemberToolRemoval:
	default:
		c.cannot("block of an unknown kind")
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
	default:
		c.cannot("tool result")
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
		c.cannot("image")
	default:
		c.cannot("guardContent")
	}
}

func (c *content) image(b types.ImageBlock) {
	if s, ok := b.Source.(*types.ImageSourceMemberBytes); ok {
		c.imageBytes(string(b.Format), s.Value)
		return
	}
	c.cannot("image in S3")
}

func (c *content) imageBytes(format string, data []byte) {
	if format != "png" && format != "jpeg" { // GuardrailImageFormat has these two
		c.cannot("image that is neither PNG nor JPEG")
		return
	}
	c.images = append(c.images, &types.GuardrailContentBlockMemberImage{Value: types.GuardrailImageBlock{
		Format: types.GuardrailImageFormat(format), Source: &types.GuardrailImageSourceMemberBytes{Value: data}}})
}

func (c *content) documentBlock(b types.DocumentBlock) {
	c.text(aws.ToString(b.Name), aws.ToString(b.Context))
	switch s := b.Source.(type) {
	case *types.DocumentSourceMemberText:
		c.text(s.Value)
	case *types.DocumentSourceMemberContent:
		for _, b := range s.Value {
			if t, ok := b.(*types.DocumentContentBlockMemberText); ok {
				c.text(t.Value)
			} else {
				c.cannot("document")
			}
		}
	default:
		c.cannot("document that is not given as text")
	}
}

func (c *content) document(d document.Interface) {
	if d == nil {
		return
	}
	raw, err := d.MarshalSmithyDocument()
	if err != nil {
		c.cannot("JSON")
		return
	}
	c.json(raw)
}

// json takes every string and number of a document, keys too.
func (c *content) json(raw []byte) {
	if len(raw) == 0 {
		return
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		switch t := token.(type) {
		case string:
			c.text(t)
		case json.Number:
			c.text(t.String())
		}
		switch {
		case err == io.EOF:
			return
		case err != nil:
			c.cannot("body, which is not JSON")
			return
		}
	}
}
