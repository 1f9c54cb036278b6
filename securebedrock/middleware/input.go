package middleware

import (
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/content"
)

// input takes what is wanted of a call's input.
func (g *gathering) input(input any) {
	if conversation, ok := content.ConversationOf(input); ok {
		g.conversation(conversation)
		return
	}
	if body, ok := content.BodyOf(input); ok {
		g.body(body)
		return
	}
	switch in := input.(type) {
	case *bedrockruntime.StartAsyncInvokeInput:
		if raw, ok := g.marshaled(in.ModelInput); ok {
			g.body(raw)
		}
	case *bedrockruntime.InvokeModelWithBidirectionalStreamInput:
		g.cannot(Stream)
	default:
		g.cannot(Other)
	}
}

func (g *gathering) conversation(conversation content.Conversation) {
	if g.parts.has(PartSystem) {
		for _, b := range conversation.System {
			content.System(b, g.piece)
		}
	}
	if g.parts.has(PartUser) {
		content.Variables(conversation.Variables, g.piece)
	}
	if g.tools {
		content.Tools(conversation.Tools, g.piece)
	}
	messages := conversation.Messages
	if g.lastTurn {
		messages = lastTurn(messages)
	}
	for _, m := range messages {
		for _, b := range m.Content {
			if g.parts.has(partOf(m.Role, b)) {
				content.Block(b, g.piece)
			}
		}
	}
	if g.parts.has(PartFields) {
		g.document(conversation.Fields)
	}
}

// piece takes one piece of content.
func (g *gathering) piece(p content.Piece) {
	switch p.Kind {
	case content.Text, content.GuardContent, content.ToolResult, content.Cited, content.Citation, content.SearchResult, content.SearchPassage,
		content.DocumentName, content.DocumentContext, content.DocumentText, content.Variable, content.ToolDefinition:
		g.text(p.Text, p.Second)
	case content.ToolUse, content.ToolResultJSON, content.ToolSchema:
		g.document(p.JSON)
	case content.Reasoning:
		if !slices.Contains(g.allowed, Reasoning) {
			g.text(p.Text)
		}
	case content.ReasoningEncrypted:
		g.cannot(Reasoning)
	case content.Image:
		g.image(p)
	case content.Document:
		g.file(p)
	case content.Video:
		g.cannot(Video)
	case content.Audio:
		g.cannot(Audio)
	default:
		switch p.Of {
		case content.Reasoning:
			g.cannot(Reasoning)
		case content.DocumentText:
			g.cannot(Document)
		default:
			g.cannot(Other)
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

func (g *gathering) document(d document.Interface) {
	if raw, ok := g.marshaled(d); ok {
		g.json(raw)
	}
}

func (g *gathering) marshaled(d document.Interface) ([]byte, bool) {
	if d == nil {
		return nil, false
	}
	raw, err := d.MarshalSmithyDocument()
	if err != nil {
		g.cannot(Other)
		return nil, false
	}
	return raw, true
}

// image takes an image whose bytes are in the input.
func (g *gathering) image(p content.Piece) {
	if p.Source != content.Bytes {
		g.cannot(Image)
		return
	}
	g.imageBytes(p.Format, p.Data)
}

// file takes a document that is a file of text.
func (g *gathering) file(p content.Piece) {
	if p.Source == content.Bytes {
		switch types.DocumentFormat(p.Format) {
		case types.DocumentFormatTxt, types.DocumentFormatMd, types.DocumentFormatCsv, types.DocumentFormatHtml:
			if utf8.Valid(p.Data) {
				g.text(string(p.Data))
				return
			}
		}
	}
	g.cannot(Document)
}
