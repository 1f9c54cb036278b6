package audit

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// The walks below are the allow-list of content: what they do not name is marked
// Incomplete and not recorded.

const (
	system    = "system"
	user      = "user"
	assistant = "assistant"
	tool      = "tool"
)

func (c *collector) walkInput(in any) {
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		c.converse(in.System, in.Messages, in.ToolConfig, in.AdditionalModelRequestFields, in.PromptVariables)
	case *bedrockruntime.ConverseStreamInput:
		c.converse(in.System, in.Messages, in.ToolConfig, in.AdditionalModelRequestFields, in.PromptVariables)
	case *bedrockruntime.InvokeModelInput:
		c.body(user, in.Body)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		c.body(user, in.Body)
	case *bedrockruntime.InvokeModelWithBidirectionalStreamInput:
		c.out.Incomplete = true
	case *bedrockruntime.StartAsyncInvokeInput:
		c.document(user, "body", in.ModelInput)
	case *bedrockruntime.ApplyGuardrailInput:
		role := user
		if in.Source == types.GuardrailContentSourceOutput {
			role = assistant
		}
		for _, b := range in.Content {
			c.guardrailBlock(role, b)
		}
	case *bedrockruntime.InvokeGuardrailChecksInput:
		c.out.Messages += len(in.Messages)
		for _, m := range in.Messages {
			for _, b := range m.Content {
				if t, ok := b.(*types.GuardrailChecksContentBlockMemberText); ok {
					c.add(block{role: roleOf(string(m.Role)), kind: "text", text: t.Value})
				} else {
					c.out.Incomplete = true
				}
			}
		}
	case *bedrockruntime.CountTokensInput:
		switch in := in.Input.(type) {
		case *types.CountTokensInputMemberConverse:
			v := in.Value
			c.converse(v.System, v.Messages, v.ToolConfig, v.AdditionalModelRequestFields, nil)
		case *types.CountTokensInputMemberInvokeModel:
			c.body(user, in.Value.Body)
		case nil:
		default:
			c.out.Incomplete = true
		}
	}
}

func (c *collector) walkOutput(out any) {
	switch out := out.(type) {
	case *bedrockruntime.ConverseOutput:
		switch o := out.Output.(type) {
		case *types.ConverseOutputMemberMessage:
			c.message(o.Value)
		case nil:
		default:
			c.out.Incomplete = true
		}
		c.document(assistant, "additional_fields", out.AdditionalModelResponseFields)
	case *bedrockruntime.InvokeModelOutput:
		c.body(assistant, out.Body)
	case *bedrockruntime.ApplyGuardrailOutput:
		for _, o := range out.Outputs {
			c.add(block{role: assistant, kind: "text", text: aws.ToString(o.Text)})
		}
	}
}

func (c *collector) converse(sys []types.SystemContentBlock, messages []types.Message, tools *types.ToolConfiguration,
	fields document.Interface, variables map[string]types.PromptVariableValues,
) {
	for _, b := range sys {
		switch b := b.(type) {
		case *types.SystemContentBlockMemberText:
			c.add(block{role: system, kind: "text", text: b.Value})
		case *types.SystemContentBlockMemberGuardContent:
			c.guardContent(system, b.Value)
		case *types.SystemContentBlockMemberCachePoint:
		default:
			c.out.Incomplete = true
		}
	}
	for _, m := range messages {
		c.message(m)
	}
	for _, k := range sortedKeys(variables) {
		if v, ok := variables[k].(*types.PromptVariableValuesMemberText); ok {
			c.add(block{role: user, kind: "prompt_variable", text: v.Value})
		} else {
			c.out.Incomplete = true
		}
	}
	if tools != nil {
		for _, t := range tools.Tools {
			switch t := t.(type) {
			case *types.ToolMemberToolSpec:
				c.add(block{role: system, kind: "tool_definition", text: aws.ToString(t.Value.Name) + "\n" + aws.ToString(t.Value.Description)})
				if s, ok := t.Value.InputSchema.(*types.ToolInputSchemaMemberJson); ok {
					c.document(system, "tool_schema", s.Value)
				}
			case *types.ToolMemberSystemTool, *types.ToolMemberCachePoint:
			default:
				c.out.Incomplete = true
			}
		}
	}
	c.document(user, "additional_fields", fields)
}

func (c *collector) message(m types.Message) {
	c.out.Messages++
	role := roleOf(string(m.Role))
	for _, b := range m.Content {
		c.contentBlock(role, b)
	}
}

func roleOf(r string) string {
	switch r {
	case system, user, assistant, tool:
		return r
	}
	return "other"
}

func (c *collector) contentBlock(role string, b types.ContentBlock) {
	switch b := b.(type) {
	case *types.ContentBlockMemberText:
		c.add(block{role: role, kind: "text", text: b.Value})
	case *types.ContentBlockMemberGuardContent:
		c.guardContent(role, b.Value)
	case *types.ContentBlockMemberToolUse:
		c.document(role, "tool_use", b.Value.Input)
	case *types.ContentBlockMemberToolResult:
		for _, r := range b.Value.Content {
			c.toolResult(r)
		}
	case *types.ContentBlockMemberReasoningContent:
		switch r := b.Value.(type) {
		case *types.ReasoningContentBlockMemberReasoningText:
			c.add(block{role: role, kind: "reasoning", text: aws.ToString(r.Value.Text)})
		case *types.ReasoningContentBlockMemberRedactedContent:
			c.add(block{role: role, kind: "reasoning_encrypted", data: notNil(r.Value)})
		default:
			c.out.Incomplete = true
		}
	case *types.ContentBlockMemberCitationsContent:
		for _, g := range b.Value.Content {
			if t, ok := g.(*types.CitationGeneratedContentMemberText); ok {
				c.add(block{role: role, kind: "cited_text", text: t.Value})
			} else {
				c.out.Incomplete = true
			}
		}
	case *types.ContentBlockMemberSearchResult:
		c.searchResult(role, b.Value)
	case *types.ContentBlockMemberImage:
		c.image(role, b.Value)
	case *types.ContentBlockMemberDocument:
		c.documentBlock(role, b.Value)
	case *types.ContentBlockMemberVideo:
		c.video(role, b.Value)
	case *types.ContentBlockMemberAudio:
		c.media(role, "audio", format(b.Value.Format, b.Value.Format.Values()), audioSource(b.Value.Source))
	case *types.ContentBlockMemberCachePoint, *types.ContentBlockMemberToolAddition, *types.ContentBlockMemberToolRemoval:
	default:
		c.out.Incomplete = true
	}
}

func (c *collector) toolResult(b types.ToolResultContentBlock) {
	switch b := b.(type) {
	case *types.ToolResultContentBlockMemberText:
		c.add(block{role: tool, kind: "tool_result", text: b.Value})
	case *types.ToolResultContentBlockMemberJson:
		c.document(tool, "tool_result", b.Value)
	case *types.ToolResultContentBlockMemberSearchResult:
		c.searchResult(tool, b.Value)
	case *types.ToolResultContentBlockMemberImage:
		c.image(tool, b.Value)
	case *types.ToolResultContentBlockMemberDocument:
		c.documentBlock(tool, b.Value)
	case *types.ToolResultContentBlockMemberVideo:
		c.video(tool, b.Value)
	default:
		c.out.Incomplete = true
	}
}

func (c *collector) searchResult(role string, b types.SearchResultBlock) {
	c.add(block{role: role, kind: "search_result", text: aws.ToString(b.Source) + "\n" + aws.ToString(b.Title)})
	for _, t := range b.Content {
		c.add(block{role: role, kind: "search_result", text: aws.ToString(t.Text), never: true}) // a passage of a document
	}
}

func (c *collector) guardContent(role string, b types.GuardrailConverseContentBlock) {
	switch b := b.(type) {
	case *types.GuardrailConverseContentBlockMemberText:
		c.add(block{role: role, kind: "guard_content", text: aws.ToString(b.Value.Text)})
	case *types.GuardrailConverseContentBlockMemberImage:
		m := source{}
		if s, ok := b.Value.Source.(*types.GuardrailConverseImageSourceMemberBytes); ok {
			m = source{data: s.Value, known: true}
		}
		c.media(role, "image", format(b.Value.Format, b.Value.Format.Values()), m)
	default:
		c.out.Incomplete = true
	}
}

func (c *collector) guardrailBlock(role string, b types.GuardrailContentBlock) {
	switch b := b.(type) {
	case *types.GuardrailContentBlockMemberText:
		c.add(block{role: role, kind: "text", text: aws.ToString(b.Value.Text)})
	case *types.GuardrailContentBlockMemberImage:
		m := source{}
		if s, ok := b.Value.Source.(*types.GuardrailImageSourceMemberBytes); ok {
			m = source{data: s.Value, known: true}
		}
		c.media(role, "image", format(b.Value.Format, b.Value.Format.Values()), m)
	default:
		c.out.Incomplete = true
	}
}

// source is where a medium's bytes are.
type source struct {
	data  []byte
	uri   *string // in S3
	known bool
}

func (c *collector) media(role, kind, format string, s source) {
	switch {
	case s.uri != nil:
		c.add(block{role: role, kind: kind + "_s3", format: format, text: *s.uri})
	case s.known:
		c.add(block{role: role, kind: kind, format: format, data: notNil(s.data)})
	default:
		c.out.Incomplete = true
	}
}

func (c *collector) image(role string, b types.ImageBlock) {
	m := source{}
	switch s := b.Source.(type) {
	case *types.ImageSourceMemberBytes:
		m = source{data: s.Value, known: true}
	case *types.ImageSourceMemberS3Location:
		m.uri = s.Value.Uri
	}
	c.media(role, "image", format(b.Format, b.Format.Values()), m)
}

func (c *collector) video(role string, b types.VideoBlock) {
	m := source{}
	switch s := b.Source.(type) {
	case *types.VideoSourceMemberBytes:
		m = source{data: s.Value, known: true}
	case *types.VideoSourceMemberS3Location:
		m.uri = s.Value.Uri
	}
	c.media(role, "video", format(b.Format, b.Format.Values()), m)
}

func audioSource(src types.AudioSource) source {
	switch s := src.(type) {
	case *types.AudioSourceMemberBytes:
		return source{data: s.Value, known: true}
	case *types.AudioSourceMemberS3Location:
		return source{uri: s.Value.Uri}
	}
	return source{}
}

func (c *collector) documentBlock(role string, b types.DocumentBlock) {
	form := format(b.Format, b.Format.Values())
	c.add(block{role: role, kind: "document_name", text: aws.ToString(b.Name)})
	if b.Context != nil {
		c.add(block{role: role, kind: "document_context", text: *b.Context})
	}
	switch s := b.Source.(type) {
	case *types.DocumentSourceMemberText:
		c.add(block{role: role, kind: kindDocument, format: form, text: s.Value, never: true})
	case *types.DocumentSourceMemberBytes:
		c.media(role, "document", form, source{data: s.Value, known: true})
	case *types.DocumentSourceMemberS3Location:
		c.media(role, "document", form, source{uri: s.Value.Uri})
	case *types.DocumentSourceMemberContent:
		for _, b := range s.Value {
			if t, ok := b.(*types.DocumentContentBlockMemberText); ok {
				c.add(block{role: role, kind: kindDocument, format: form, text: t.Value, never: true})
			} else {
				c.out.Incomplete = true
			}
		}
	default:
		c.out.Incomplete = true
	}
}

// body is that of InvokeModel: JSON by nearly every model.
func (c *collector) body(role string, body []byte) {
	if len(body) == 0 {
		return
	}
	if c.p.Mode == ContentNone {
		c.add(block{role: role, kind: "body", size: len(body)})
		return
	}
	b := block{role: role, kind: "body", text: string(body), size: len(body), document: true}
	var ok bool
	if b.value, ok = parseJSON(body); ok {
		b.text = writeJSON(b.value)
	} else {
		b.never = true // nothing can be withheld of it
	}
	c.add(b)
}

func (c *collector) document(role, kind string, d document.Interface) {
	if d == nil {
		return
	}
	b := block{role: role, kind: kind, document: true}
	if c.p.Mode != ContentNone {
		var raw []byte
		if caught("a document's MarshalSmithyDocument", func() (err error) { raw, err = d.MarshalSmithyDocument(); return err }) != nil {
			c.out.Incomplete = true
			return
		}
		b.text, b.never = string(raw), true
		if v, ok := parseJSON(raw); ok {
			b.value, b.text, b.never = v, writeJSON(v), false
		}
	}
	c.add(b)
}

// format keeps a format that the SDK knows: a caller could write anything there.
func format[F ~string](f F, known []F) string {
	for _, k := range known {
		if f == k {
			return string(f)
		}
	}
	return ""
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// input describes what a call carries.
func (p *ContentPolicy) input(ctx context.Context, in any) *Content {
	c := p.newCollector(ctx)
	defer c.end()
	c.walk(func() { c.walkInput(in) })
	if c.empty() {
		return nil
	}
	return c.content()
}
