package family

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
)

// openAI is the form of chat completions: gpt-oss, Qwen, DeepSeek, Pixtral, Jamba and
// most newer families. With tags, the reasoning stands in the text between <reasoning>
// tags, as gpt-oss writes it (model-parameters-openai).
func openAI(tags bool) *Form {
	return &Form{
		Read:   readChat,
		Answer: func(x *Answer, _ Reading) (map[string]any, error) { return answerChat(x, tags) },
		Chunks: func(x *Answer, _ Reading, content []types.ContentBlock) ([]map[string]any, error) {
			return chunkChat(x, content, tags)
		},
	}
}

// mistralChat is the form of Mistral Large and Small: chat completions with
// stop_reason in the place of finish_reason, and with message in the place of a
// streamed delta (model-parameters-mistral-chat-completion).
func mistralChat() *Form {
	return &Form{Read: readChat, Answer: answerMistral, Chunks: chunkMistral}
}

type chatRequest struct {
	Messages []struct {
		Role       string     `json:"role"`
		Content    chatMix    `json:"content"`
		ToolCalls  []chatCall `json:"tool_calls"`
		ToolCallID string     `json:"tool_call_id"`
	} `json:"messages"`
	MaxTokens           *int32    `json:"max_tokens"`
	MaxCompletionTokens *int32    `json:"max_completion_tokens"`
	Temperature         *float32  `json:"temperature"`
	TopP                *float32  `json:"top_p"`
	Stop                oneOrMore `json:"stop"`
	Tools               []struct {
		Function struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Parameters  json.RawMessage `json:"parameters"`
		} `json:"function"`
	} `json:"tools"`
	ToolChoice json.RawMessage `json:"tool_choice"`
}

type chatCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"` // a string that holds JSON
	} `json:"function"`
}

// chatMix is a text or a list of parts.
type chatMix []chatPart

type chatPart struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	ImageURL struct {
		URL string `json:"url"`
	} `json:"image_url"`
}

func (m *chatMix) UnmarshalJSON(data []byte) error {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		*m = nil
		if text != nil && *text != "" {
			*m = chatMix{{Type: "text", Text: *text}}
		}
		return nil
	}
	type plain chatMix
	return json.Unmarshal(data, (*plain)(m))
}

func readChat(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
	var b chatRequest
	if err := readBody(body, &b, "messages"); err != nil {
		return nil, err
	}
	if b.MaxTokens == nil {
		b.MaxTokens = b.MaxCompletionTokens
	}
	inferenceSettings{b.MaxTokens, b.Temperature, b.TopP, b.Stop}.into(in)
	for _, m := range b.Messages {
		var content []types.ContentBlock
		for _, part := range m.Content {
			content = append(content, part.converse())
		}
		switch m.Role {
		case "system", "developer":
			for _, text := range conversation.Texts(content) {
				in.System = append(in.System, &types.SystemContentBlockMemberText{Value: *text})
			}
			continue
		case "tool":
			var text strings.Builder
			for _, part := range conversation.Texts(content) {
				text.WriteString(*part)
			}
			addMessage(in, types.ConversationRoleUser, toolResult(m.ToolCallID, resultText(text.String()), false))
			continue
		}
		for _, call := range m.ToolCalls {
			content = append(content, toolUse(call.ID, call.Function.Name, call.arguments()))
		}
		addMessage(in, types.ConversationRole(m.Role), content...)
	}
	var tools []types.Tool
	for _, t := range b.Tools {
		tools = append(tools, toolSpec(t.Function.Name, t.Function.Description, t.Function.Parameters))
	}
	choice, offered := chatChoice(b.ToolChoice)
	if !offered {
		tools = nil
	}
	addTools(in, tools, choice)
	return nil, nil
}

// chatChoice reads tool_choice. offered is false where tool_choice keeps the tools
// from the model.
func chatChoice(raw json.RawMessage) (choice types.ToolChoice, offered bool) {
	var word string
	var one struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	switch {
	case json.Unmarshal(raw, &word) == nil:
		switch word {
		case "auto":
			return &types.ToolChoiceMemberAuto{}, true
		case "any", "required":
			return &types.ToolChoiceMemberAny{}, true
		case "none":
			return nil, false
		}
	case json.Unmarshal(raw, &one) == nil && one.Function.Name != "":
		return &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String(one.Function.Name)}}, true
	}
	return nil, true
}

func (p *chatPart) converse() types.ContentBlock {
	switch p.Type {
	case "text", "":
		return textBlock(p.Text)
	case "image_url":
		if kind, data, ok := strings.Cut(strings.TrimPrefix(p.ImageURL.URL, "data:"), ";base64,"); ok {
			return imageBlock(kind, decodeBase64(data))
		}
	}
	return textBlock("[" + p.Type + "]")
}

func (c *chatCall) arguments() json.RawMessage {
	var text string
	if json.Unmarshal(c.Function.Arguments, &text) == nil {
		return json.RawMessage(text)
	}
	return c.Function.Arguments
}

// chatAnswer holds the parts of an answer in chat completions.
type chatAnswer struct {
	text, reasoning string
	calls           []map[string]any
	arguments       []string
}

func readAnswer(x *Answer, content []types.ContentBlock) (chatAnswer, error) {
	var a chatAnswer
	var words []types.ContentBlock
	for _, block := range content {
		switch b := block.(type) {
		case *types.ContentBlockMemberToolUse:
			input, err := conversation.ToolInput(b.Value)
			if err != nil {
				return a, err
			}
			a.calls = append(a.calls, map[string]any{
				"id": b.Value.ToolUseId, "type": "function", "function": map[string]any{"name": b.Value.Name, "arguments": input},
			})
			a.arguments = append(a.arguments, input)
		case *types.ContentBlockMemberReasoningContent:
			r, ok := b.Value.(*types.ReasoningContentBlockMemberReasoningText)
			if !ok {
				return a, noFormFor(block, x)
			}
			a.reasoning += aws.ToString(r.Value.Text)
		default:
			words = append(words, block)
		}
	}
	var err error
	a.text, err = wordsOnly(x, words)
	return a, err
}

// message returns the answer as a message. Its content is null where there are tool
// calls and no text.
func (a *chatAnswer) message(tags bool) map[string]any {
	m := map[string]any{"role": "assistant", "content": a.text}
	switch {
	case a.reasoning != "" && tags:
		m["content"] = "<reasoning>" + a.reasoning + "</reasoning>" + a.text
	case a.reasoning != "":
		m["reasoning_content"] = a.reasoning
	case a.text == "" && a.calls != nil:
		m["content"] = nil
	}
	if a.calls != nil {
		m["tool_calls"] = a.calls
	}
	return m
}

func (x *Answer) chatStop() string {
	switch x.Out.StopReason {
	case types.StopReasonMaxTokens:
		return "length"
	case types.StopReasonToolUse:
		return "tool_calls"
	case types.StopReasonGuardrailIntervened, types.StopReasonContentFiltered:
		return "content_filter"
	}
	return "stop"
}

// chatUsage counts the cached tokens among the prompt's tokens, as OpenAI's form does.
func (x *Answer) chatUsage() map[string]any {
	u := x.Out.Usage
	read := aws.ToInt32(u.CacheReadInputTokens)
	prompt := aws.ToInt32(u.InputTokens) + read + aws.ToInt32(u.CacheWriteInputTokens)
	m := map[string]any{"prompt_tokens": prompt, "completion_tokens": u.OutputTokens, "total_tokens": prompt + aws.ToInt32(u.OutputTokens)}
	if u.CacheReadInputTokens != nil {
		m["prompt_tokens_details"] = map[string]any{"cached_tokens": read}
	}
	return m
}

func (x *Answer) chatObject(kind string) map[string]any {
	return map[string]any{"id": "chatcmpl-" + ids.New(), "object": kind, "created": time.Now().Unix(), "model": modelName(x)}
}

func answerChat(x *Answer, tags bool) (map[string]any, error) {
	a, err := readAnswer(x, conversation.Content(x.Out))
	if err != nil {
		return nil, err
	}
	out := x.chatObject("chat.completion")
	out["choices"] = []any{map[string]any{"index": 0, "message": a.message(tags), "finish_reason": x.chatStop()}}
	out["usage"] = x.chatUsage()
	return out, nil
}

func chunkChat(x *Answer, content []types.ContentBlock, tags bool) ([]map[string]any, error) {
	a, err := readAnswer(x, content)
	if err != nil {
		return nil, err
	}
	var chunks []map[string]any
	envelope := x.chatObject("chat.completion.chunk")
	add := func(delta map[string]any, finish any) {
		chunk := map[string]any{"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}}}
		for key, value := range envelope {
			chunk[key] = value
		}
		chunks = append(chunks, chunk)
	}
	add(map[string]any{"role": "assistant", "content": ""}, nil)
	field, text := "reasoning_content", a.reasoning
	if tags && text != "" {
		field, text = "content", "<reasoning>"+text+"</reasoning>"
	}
	for _, piece := range conversation.Split(text, conversation.WordsPerDelta) {
		add(map[string]any{field: piece}, nil)
	}
	for _, piece := range conversation.Split(a.text, conversation.WordsPerDelta) {
		add(map[string]any{"content": piece}, nil)
	}
	for i, call := range a.calls {
		begin := map[string]any{"index": i, "id": call["id"], "type": "function", "function": map[string]any{
			"name": call["function"].(map[string]any)["name"], "arguments": "",
		}}
		add(map[string]any{"tool_calls": []any{begin}}, nil)
		for _, piece := range conversation.JSONPieces(a.arguments[i]) {
			add(map[string]any{"tool_calls": []any{map[string]any{"index": i, "function": map[string]any{"arguments": piece}}}}, nil)
		}
	}
	add(map[string]any{}, x.chatStop())
	chunks[len(chunks)-1]["usage"] = x.chatUsage()
	return chunks, nil
}

func answerMistral(x *Answer, _ Reading) (map[string]any, error) {
	a, err := readAnswer(x, conversation.Content(x.Out))
	if err != nil {
		return nil, err
	}
	return map[string]any{"choices": []any{map[string]any{"index": 0, "message": a.message(false), "stop_reason": x.chatStop()}}}, nil
}

func chunkMistral(x *Answer, _ Reading, content []types.ContentBlock) ([]map[string]any, error) {
	a, err := readAnswer(x, content)
	if err != nil {
		return nil, err
	}
	var chunks []map[string]any
	add := func(message map[string]any, stop any) {
		message["role"] = "assistant"
		chunks = append(chunks, map[string]any{"choices": []any{map[string]any{"index": 0, "message": message, "stop_reason": stop}}})
	}
	for _, piece := range conversation.Split(a.text, conversation.WordsPerDelta) {
		add(map[string]any{"content": piece}, nil)
	}
	last := map[string]any{"content": ""}
	if a.calls != nil {
		last["tool_calls"] = a.calls
	}
	add(last, x.chatStop())
	return chunks, nil
}
