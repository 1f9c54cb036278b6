package audit

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/content"
)

// The roles of blocks.
const (
	system    = "system"
	user      = "user"
	assistant = "assistant"
	tool      = "tool"
)

// walkInput takes what an input holds.
func (c *collector) walkInput(ctx context.Context, input any) {
	if conversation, ok := content.ConversationOf(input); ok {
		c.conversation(ctx, conversation)
		return
	}
	if body, ok := content.BodyOf(input); ok {
		c.body(ctx, user, body)
		return
	}
	switch in := input.(type) {
	case *bedrockruntime.InvokeModelWithBidirectionalStreamInput:
		c.out.Incomplete = true
	case *bedrockruntime.StartAsyncInvokeInput:
		c.document(ctx, user, "body", in.ModelInput)
	case *bedrockruntime.ApplyGuardrailInput:
		role := user
		if in.Source == types.GuardrailContentSourceOutput {
			role = assistant
		}
		for _, b := range in.Content {
			c.guardrailBlock(ctx, role, b)
		}
	case *bedrockruntime.InvokeGuardrailChecksInput:
		c.out.Messages += len(in.Messages)
		for _, m := range in.Messages {
			for _, b := range m.Content {
				if t, ok := b.(*types.GuardrailChecksContentBlockMemberText); ok {
					c.add(ctx, block{role: roleOf(string(m.Role)), kind: "text", text: t.Value})
				} else {
					c.out.Incomplete = true
				}
			}
		}
	case *bedrockruntime.CountTokensInput:
		switch in := in.Input.(type) {
		case *types.CountTokensInputMemberConverse:
			v := in.Value
			c.conversation(ctx, content.Conversation{System: v.System, Messages: v.Messages, Tools: v.ToolConfig, Fields: v.AdditionalModelRequestFields})
		case *types.CountTokensInputMemberInvokeModel:
			c.body(ctx, user, in.Value.Body)
		case nil:
		default:
			c.out.Incomplete = true
		}
	}
}

// walkOutput takes what the output of a call that is no stream holds.
func (c *collector) walkOutput(ctx context.Context, out any) {
	switch out := out.(type) {
	case *bedrockruntime.ConverseOutput:
		switch o := out.Output.(type) {
		case *types.ConverseOutputMemberMessage:
			c.message(ctx, o.Value)
		case nil:
		default:
			c.out.Incomplete = true
		}
		c.document(ctx, assistant, "additional_fields", out.AdditionalModelResponseFields)
	case *bedrockruntime.InvokeModelOutput:
		c.body(ctx, assistant, out.Body)
	case *bedrockruntime.ApplyGuardrailOutput:
		for _, o := range out.Outputs {
			c.add(ctx, block{role: assistant, kind: "text", text: aws.ToString(o.Text)})
		}
	}
}

func (c *collector) conversation(ctx context.Context, conversation content.Conversation) {
	ofSystem := func(p content.Piece) { c.piece(ctx, system, p) }
	for _, b := range conversation.System {
		content.System(b, ofSystem)
	}
	for _, m := range conversation.Messages {
		c.message(ctx, m)
	}
	content.Variables(conversation.Variables, func(p content.Piece) { c.piece(ctx, user, p) })
	content.Tools(conversation.Tools, ofSystem)
	c.document(ctx, user, "additional_fields", conversation.Fields)
}

func (c *collector) message(ctx context.Context, m types.Message) {
	c.out.Messages++
	role := roleOf(string(m.Role))
	visit := func(p content.Piece) { c.piece(ctx, role, p) }
	for _, b := range m.Content {
		content.Block(b, visit)
	}
}

func roleOf(r string) string {
	switch r {
	case system, user, assistant, tool:
		return r
	}
	return "other"
}

// piece takes one piece of content.
func (c *collector) piece(ctx context.Context, role string, p content.Piece) {
	if p.InResult {
		role = tool
	}
	format := p.Format
	if !p.Listed { // a caller could write anything there
		format = ""
	}
	switch p.Kind {
	case content.Text:
		c.add(ctx, block{role: role, kind: "text", text: p.Text})
	case content.GuardContent:
		c.add(ctx, block{role: role, kind: "guard_content", text: p.Text})
	case content.ToolUse:
		c.document(ctx, role, "tool_use", p.JSON)
	case content.ToolResult:
		c.add(ctx, block{role: role, kind: "tool_result", text: p.Text})
	case content.ToolResultJSON:
		c.document(ctx, role, "tool_result", p.JSON)
	case content.Reasoning:
		c.add(ctx, block{role: role, kind: "reasoning", text: p.Text})
	case content.ReasoningEncrypted:
		c.add(ctx, block{role: role, kind: "reasoning_encrypted", data: notNil(p.Data)})
	case content.Cited:
		c.add(ctx, block{role: role, kind: "cited_text", text: p.Text})
	case content.Citation: // repeats what stands elsewhere in the prompt
	case content.SearchResult:
		c.add(ctx, block{role: role, kind: "search_result", text: p.Second + "\n" + p.Text})
	case content.SearchPassage: // of a document
		c.add(ctx, block{role: role, kind: "search_result", text: p.Text, never: true})
	case content.DocumentName:
		c.add(ctx, block{role: role, kind: "document_name", text: p.Text})
	case content.DocumentContext:
		c.add(ctx, block{role: role, kind: "document_context", text: p.Text})
	case content.DocumentText:
		c.add(ctx, block{role: role, kind: kindDocument, format: format, text: p.Text, never: true})
	case content.Variable:
		c.add(ctx, block{role: role, kind: "prompt_variable", text: p.Text})
	case content.ToolDefinition:
		c.add(ctx, block{role: role, kind: "tool_definition", text: p.Text + "\n" + p.Second})
	case content.ToolSchema:
		c.document(ctx, role, "tool_schema", p.JSON)
	case content.Image:
		c.medium(ctx, role, "image", format, p)
	case content.Video:
		c.medium(ctx, role, "video", format, p)
	case content.Audio:
		c.medium(ctx, role, "audio", format, p)
	case content.Document:
		c.medium(ctx, role, kindDocument, format, p)
	default:
		if p.Of != content.Citation {
			c.out.Incomplete = true
		}
	}
}

func (c *collector) medium(ctx context.Context, role, kind, format string, p content.Piece) {
	switch {
	case p.Source == content.S3 && p.URI != nil:
		c.add(ctx, block{role: role, kind: kind + "_s3", format: format, text: *p.URI})
	case p.Source == content.Bytes:
		c.add(ctx, block{role: role, kind: kind, format: format, data: notNil(p.Data)})
	default:
		c.out.Incomplete = true
	}
}

// guardrailBlock takes a block of an ApplyGuardrail.
func (c *collector) guardrailBlock(ctx context.Context, role string, b types.GuardrailContentBlock) {
	switch b := b.(type) {
	case *types.GuardrailContentBlockMemberText:
		c.add(ctx, block{role: role, kind: "text", text: aws.ToString(b.Value.Text)})
	case *types.GuardrailContentBlockMemberImage:
		p := content.Piece{}
		if s, ok := b.Value.Source.(*types.GuardrailImageSourceMemberBytes); ok {
			p.Source, p.Data = content.Bytes, s.Value
		}
		c.medium(ctx, role, "image", format(b.Value.Format, b.Value.Format.Values()), p)
	default:
		c.out.Incomplete = true
	}
}

// body is that of InvokeModel: JSON by nearly every model.
func (c *collector) body(ctx context.Context, role string, body []byte) {
	if len(body) == 0 {
		return
	}
	if c.p.Mode == ContentNone {
		c.add(ctx, block{role: role, kind: "body", size: len(body)})
		return
	}
	b := block{role: role, kind: "body", text: string(body), size: len(body), document: true}
	var ok bool
	if b.value, ok = parseJSON(body); ok {
		b.text = writeJSON(b.value)
	} else {
		b.never = true // nothing can be withheld of it
	}
	c.add(ctx, b)
}

func (c *collector) document(ctx context.Context, role, kind string, d document.Interface) {
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
	c.add(ctx, b)
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
	ctx, end := p.withRedactionTime(ctx)
	defer end()
	c := p.newCollector()
	c.walk(func() { c.walkInput(ctx, in) })
	if c.empty() {
		return nil
	}
	return c.content()
}
