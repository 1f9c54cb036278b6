package family

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/misuse"
)

// anthropicFamily is the form of the Messages API
// (model-parameters-anthropic-claude-messages).
func anthropicFamily() *Form {
	return &Form{Read: readAnthropic, Answer: answerAnthropic, Chunks: chunkAnthropic}
}

type anthropicRequest struct {
	Messages []struct {
		Role    string       `json:"role"`
		Content anthropicMix `json:"content"`
	} `json:"messages"`
	System      anthropicMix `json:"system"`
	MaxTokens   *int32       `json:"max_tokens"`
	Temperature *float32     `json:"temperature"`
	TopP        *float32     `json:"top_p"`
	Stop        []string     `json:"stop_sequences"`
	Tools       []struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		InputSchema json.RawMessage `json:"input_schema"`
	} `json:"tools"`
	ToolChoice *struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"tool_choice"`
}

// anthropicMix is a text or a list of blocks.
type anthropicMix []anthropicBlock

type anthropicBlock struct {
	Type      string           `json:"type"`
	Text      string           `json:"text"`
	Source    *anthropicSource `json:"source"`
	Title     string           `json:"title"`
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Input     json.RawMessage  `json:"input"`
	ToolUseID string           `json:"tool_use_id"`
	Content   anthropicMix     `json:"content"`
	IsError   bool             `json:"is_error"`
	Thinking  string           `json:"thinking"`
	Signature *string          `json:"signature"`
	Data      []byte           `json:"data"`
}

type anthropicSource struct {
	Type      string `json:"type"`
	MediaType string `json:"media_type"`
	Data      string `json:"data"`
}

func (m *anthropicMix) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*m = anthropicMix{{Type: "text", Text: text}}
		return nil
	}
	type plain anthropicMix
	return json.Unmarshal(data, (*plain)(m))
}

func readAnthropic(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
	var b anthropicRequest
	if err := readBody(body, &b); err != nil {
		return nil, err
	}
	inferenceSettings{b.MaxTokens, b.Temperature, b.TopP, b.Stop}.into(in)
	for _, block := range b.System {
		in.System = append(in.System, &types.SystemContentBlockMemberText{Value: block.Text})
	}
	for i, m := range b.Messages {
		// The empty start of an answer is not a turn yet.
		if i == len(b.Messages)-1 && m.Role == "assistant" && len(m.Content) == 1 && m.Content[0].Type == "text" && m.Content[0].Text == "" {
			break
		}
		var content []types.ContentBlock
		for _, block := range m.Content {
			content = append(content, block.converse())
		}
		addMessage(in, types.ConversationRole(m.Role), content...)
	}
	var tools []types.Tool
	for _, t := range b.Tools {
		tools = append(tools, toolSpec(t.Name, t.Description, t.InputSchema))
	}
	var choice types.ToolChoice
	if c := b.ToolChoice; c != nil {
		switch c.Type {
		case "auto":
			choice = &types.ToolChoiceMemberAuto{}
		case "any":
			choice = &types.ToolChoiceMemberAny{}
		case "tool":
			choice = &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String(c.Name)}}
		}
	}
	addTools(in, tools, choice)
	return nil, nil
}

func (b *anthropicBlock) converse() types.ContentBlock {
	switch b.Type {
	case "text":
		return textBlock(b.Text)
	case "image":
		if s := b.Source; s != nil && s.Type == "base64" {
			return imageBlock(s.MediaType, decodeBase64(s.Data))
		}
	case "document":
		if doc := b.document(); doc != nil {
			return doc
		}
	case "tool_use":
		return toolUse(b.ID, b.Name, b.Input)
	case "tool_result":
		var content []types.ToolResultContentBlock
		for _, part := range b.Content {
			switch block := part.converse().(type) {
			case *types.ContentBlockMemberText:
				content = append(content, &types.ToolResultContentBlockMemberText{Value: block.Value})
			case *types.ContentBlockMemberImage:
				content = append(content, &types.ToolResultContentBlockMemberImage{Value: block.Value})
			case *types.ContentBlockMemberDocument:
				content = append(content, &types.ToolResultContentBlockMemberDocument{Value: block.Value})
			}
		}
		return toolResult(b.ToolUseID, content, b.IsError)
	case "thinking":
		return &types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{
			Value: types.ReasoningTextBlock{Text: aws.String(b.Thinking), Signature: b.Signature},
		}}
	case "redacted_thinking":
		return &types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: b.Data}}
	}
	// A block without a form here still counts as content.
	return textBlock("[" + b.Type + "]")
}

func (b *anthropicBlock) document() types.ContentBlock {
	if b.Source == nil {
		return nil
	}
	name := b.Title
	if name == "" {
		name = "document"
	}
	doc := types.DocumentBlock{Name: aws.String(name)}
	switch b.Source.Type {
	case "base64":
		doc.Format = types.DocumentFormat(strings.TrimPrefix(b.Source.MediaType, "application/"))
		doc.Source = &types.DocumentSourceMemberBytes{Value: decodeBase64(b.Source.Data)}
	case "text":
		doc.Format = types.DocumentFormatTxt
		doc.Source = &types.DocumentSourceMemberText{Value: b.Source.Data}
	default:
		return nil
	}
	return &types.ContentBlockMemberDocument{Value: doc}
}

func answerAnthropic(x *Answer, _ Reading) (map[string]any, error) {
	content, err := anthropicContent(x, conversation.Content(x.Out))
	if err != nil {
		return nil, err
	}
	out := map[string]any{"type": "message", "role": "assistant", "content": content}
	// Where the guardrail blocked the prompt, no model has answered: the body has no
	// stop reason and no usage.
	if !x.PromptBlocked {
		out["id"], out["model"] = "msg_bdrk_"+strings.ReplaceAll(ids.New(), "-", ""), x.Model
		out["stop_reason"], out["stop_sequence"] = anthropicStop(x), stopField(x.Stop)
		out["usage"] = x.anthropicUsage(x.Out.Usage.OutputTokens)
	}
	return out, nil
}

// anthropicStop returns the stop reason in Anthropic's words, which have none for an
// intervention.
func anthropicStop(x *Answer) string {
	if x.Out.StopReason == types.StopReasonGuardrailIntervened {
		return string(types.StopReasonEndTurn)
	}
	return string(x.Out.StopReason)
}

func anthropicContent(x *Answer, content []types.ContentBlock) ([]any, error) {
	out := []any{}
	for _, block := range content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			out = append(out, map[string]any{"type": "text", "text": b.Value})
		case *types.ContentBlockMemberCitationsContent:
			citations, err := anthropicCitations(x, b)
			if err != nil {
				return nil, err
			}
			out = append(out, map[string]any{"type": "text", "text": generatedText(b), "citations": citations})
		case *types.ContentBlockMemberToolUse:
			input, err := conversation.ToolInput(b.Value)
			if err != nil {
				return nil, err
			}
			out = append(out, map[string]any{"type": "tool_use", "id": b.Value.ToolUseId, "name": b.Value.Name, "input": json.RawMessage(input)})
		case *types.ContentBlockMemberReasoningContent:
			switch r := b.Value.(type) {
			case *types.ReasoningContentBlockMemberReasoningText:
				out = append(out, map[string]any{"type": "thinking", "thinking": r.Value.Text, "signature": aws.ToString(r.Value.Signature)})
			case *types.ReasoningContentBlockMemberRedactedContent:
				out = append(out, map[string]any{"type": "redacted_thinking", "data": r.Value})
			}
		default:
			return nil, noFormFor(block, x)
		}
	}
	return out, nil
}

func generatedText(b *types.ContentBlockMemberCitationsContent) string {
	var text strings.Builder
	for _, part := range conversation.Texts([]types.ContentBlock{b}) {
		text.WriteString(*part)
	}
	return text.String()
}

// anthropicCitations returns the citations of documents. The Messages API has no
// counterpart for others.
func anthropicCitations(x *Answer, b *types.ContentBlockMemberCitationsContent) ([]map[string]any, error) {
	out := []map[string]any{}
	for _, c := range b.Value.Citations {
		var cited strings.Builder
		for _, part := range c.SourceContent {
			if text, ok := part.(*types.CitationSourceContentMemberText); ok {
				cited.WriteString(text.Value)
			}
		}
		citation := map[string]any{"cited_text": cited.String(), "document_title": c.Title}
		place := func(kind string, index, start, end *int32) {
			citation["type"], citation["document_index"] = kind+"_location", aws.ToInt32(index)
			unit := map[string]string{"char": "char_index", "page": "page_number", "content_block": "block_index"}[kind]
			citation["start_"+unit], citation["end_"+unit] = aws.ToInt32(start), aws.ToInt32(end)
		}
		switch l := c.Location.(type) {
		case *types.CitationLocationMemberDocumentChar:
			place("char", l.Value.DocumentIndex, l.Value.Start, l.Value.End)
		case *types.CitationLocationMemberDocumentPage:
			place("page", l.Value.DocumentIndex, l.Value.Start, l.Value.End)
		case *types.CitationLocationMemberDocumentChunk:
			place("content_block", l.Value.DocumentIndex, l.Value.Start, l.Value.End)
		default:
			return nil, misuse.New("the InvokeModel answer of %s has no form for a citation at %T", x.Model, c.Location)
		}
		out = append(out, citation)
	}
	return out, nil
}

func chunkAnthropic(x *Answer, _ Reading, content []types.ContentBlock) ([]map[string]any, error) {
	begun := 1
	if x.PromptBlocked { // no model has answered
		begun = 0
	}
	chunks := []map[string]any{{"type": "message_start", "message": map[string]any{
		"id": "msg_bdrk_" + ids.New(), "type": "message", "role": "assistant", "model": x.Model,
		"content": []any{}, "stop_reason": nil, "stop_sequence": nil,
		"usage": x.anthropicUsage(begun),
	}}}
	index := 0
	add := func(start map[string]any, deltas ...map[string]any) {
		chunks = append(chunks, map[string]any{"type": "content_block_start", "index": index, "content_block": start})
		for _, delta := range deltas {
			chunks = append(chunks, map[string]any{"type": "content_block_delta", "index": index, "delta": delta})
		}
		chunks = append(chunks, map[string]any{"type": "content_block_stop", "index": index})
		index++
	}
	deltas := func(kind, field string, pieces []string) []map[string]any {
		var out []map[string]any
		for _, piece := range pieces {
			out = append(out, map[string]any{"type": kind, field: piece})
		}
		return out
	}
	for _, block := range content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			add(map[string]any{"type": "text", "text": ""}, deltas("text_delta", "text", conversation.Split(b.Value, conversation.WordsPerDelta))...)
		case *types.ContentBlockMemberCitationsContent:
			all := deltas("text_delta", "text", conversation.Split(generatedText(b), conversation.WordsPerDelta))
			citations, err := anthropicCitations(x, b)
			if err != nil {
				return nil, err
			}
			for _, citation := range citations {
				all = append(all, map[string]any{"type": "citations_delta", "citation": citation})
			}
			add(map[string]any{"type": "text", "text": "", "citations": []any{}}, all...)
		case *types.ContentBlockMemberToolUse:
			input, err := conversation.ToolInput(b.Value)
			if err != nil {
				return nil, err
			}
			add(map[string]any{"type": "tool_use", "id": b.Value.ToolUseId, "name": b.Value.Name, "input": map[string]any{}},
				deltas("input_json_delta", "partial_json", conversation.JSONPieces(input))...)
		case *types.ContentBlockMemberReasoningContent:
			switch r := b.Value.(type) {
			case *types.ReasoningContentBlockMemberReasoningText:
				all := deltas("thinking_delta", "thinking", conversation.Split(aws.ToString(r.Value.Text), conversation.WordsPerDelta))
				all = append(all, map[string]any{"type": "signature_delta", "signature": aws.ToString(r.Value.Signature)})
				add(map[string]any{"type": "thinking", "thinking": "", "signature": ""}, all...)
			case *types.ReasoningContentBlockMemberRedactedContent:
				add(map[string]any{"type": "redacted_thinking", "data": r.Value})
			}
		default:
			return nil, noFormFor(block, x)
		}
	}
	return append(chunks,
		map[string]any{"type": "message_delta", "delta": map[string]any{"stop_reason": anthropicStop(x), "stop_sequence": stopField(x.Stop)}, "usage": map[string]any{"output_tokens": x.Out.Usage.OutputTokens}},
		map[string]any{"type": "message_stop"},
	), nil
}

// stopField returns a stop sequence as Anthropic's answers have it: null for none.
func stopField(stop string) any {
	if stop == "" {
		return nil
	}
	return stop
}

// anthropicUsage returns the model's own counts. They alone tell for how long tokens
// were cached.
func (x *Answer) anthropicUsage(output any) map[string]any {
	u := x.Out.Usage
	m := map[string]any{"input_tokens": u.InputTokens, "output_tokens": output}
	if u.CacheReadInputTokens != nil {
		m["cache_read_input_tokens"] = u.CacheReadInputTokens
	}
	if u.CacheWriteInputTokens != nil {
		m["cache_creation_input_tokens"] = u.CacheWriteInputTokens
	}
	if len(u.CacheDetails) > 0 {
		creation := map[string]any{"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
		for _, d := range u.CacheDetails {
			creation["ephemeral_"+string(d.Ttl)+"_input_tokens"] = d.InputTokens
		}
		m["cache_creation"] = creation
	}
	return m
}
