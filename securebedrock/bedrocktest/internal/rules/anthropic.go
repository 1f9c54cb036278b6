package rules

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// checkedBody holds what is checked of a Messages request
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html).
type checkedBody struct {
	Version       *string          `json:"anthropic_version"`
	MaxTokens     *float64         `json:"max_tokens"`
	Messages      []checkedMessage `json:"messages"`
	System        json.RawMessage  `json:"system"`
	Temperature   *float64         `json:"temperature"`
	TopP          *float64         `json:"top_p"`
	TopK          *float64         `json:"top_k"`
	StopSequences []string         `json:"stop_sequences"`
	Tools         []checkedTool    `json:"tools"`
	ToolChoice    *struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"tool_choice"`
}

type checkedMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

type checkedTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	InputSchema json.RawMessage `json:"input_schema"`

	CacheControl json.RawMessage `json:"cache_control"`
}

// checkedBlock is a block of a message's content or of a tool's result.
type checkedBlock struct {
	Type      string  `json:"type"`
	Text      *string `json:"text"`
	ID        string  `json:"id"`
	ToolUseID string  `json:"tool_use_id"`
	Source    *struct {
		Type      string `json:"type"`
		MediaType string `json:"media_type"`
		Data      string `json:"data"`
	} `json:"source"`
	Content      json.RawMessage `json:"content"`
	CacheControl json.RawMessage `json:"cache_control"`
}

// checkAnthropic checks a body for one of Anthropic's models. Two messages of one role
// in a row are no fault, since the model reads them as one.
func checkAnthropic(model string, body []byte, fields map[string]json.RawMessage) error {
	if fields["prompt"] != nil && fields["messages"] == nil {
		return checkCompletion(model, fields)
	}
	for _, key := range []string{"model", "stream"} {
		if fields[key] != nil {
			return wire.MalformedBody("extraneous key [" + key + "] is not permitted")
		}
	}
	var b checkedBody
	if json.Unmarshal(body, &b) != nil {
		return wire.MalformedBody("")
	}
	switch {
	case b.Version == nil:
		return wire.Invalid("anthropic_version: Field required")
	case *b.Version != "bedrock-2023-05-31" && !isDate(*b.Version):
		return wire.Invalid("anthropic_version: Input should be 'bedrock-2023-05-31'")
	case b.MaxTokens == nil:
		return wire.Invalid("max_tokens: Field required")
	case *b.MaxTokens < 1 || *b.MaxTokens != float64(int64(*b.MaxTokens)):
		return wire.Invalid("max_tokens: Input should be an integer greater than or equal to 1")
	case fields["messages"] == nil:
		return wire.Invalid("messages: Field required")
	case len(b.Messages) == 0:
		return wire.Invalid("messages: at least one message is required")
	case b.Messages[0].Role != "user":
		return wire.Invalid(`messages: first message must use the "user" role`)
	case outsideRange(b.Temperature, 0, 1):
		return wire.Invalid("temperature: range: 0..1")
	case outsideRange(b.TopP, 0, 1):
		return wire.Invalid("top_p: range: 0..1")
	case b.TopK != nil && *b.TopK < 0:
		return wire.Invalid("top_k: Input should be greater than or equal to 0")
	case slices.ContainsFunc(b.StopSequences, func(s string) bool { return strings.TrimSpace(s) == "" }):
		return wire.Invalid("stop_sequences: each stop sequence must contain non-whitespace")
	}
	if err := b.checkTools(); err != nil {
		return err
	}
	return b.checkMessages(model)
}

// checkCompletion checks a request of Text Completions, the form of the first models.
func checkCompletion(model string, fields map[string]json.RawMessage) error {
	if !strings.HasPrefix(model, "claude-v") && !strings.HasPrefix(model, "claude-instant") {
		return wire.Invalid("This model is not supported on this API. Please use the Messages API instead.")
	}
	var prompt string
	switch {
	case json.Unmarshal(fields["prompt"], &prompt) != nil:
		return wire.MalformedBody("expected type of prompt: String")
	case fields["max_tokens_to_sample"] == nil:
		return wire.MissingKey("max_tokens_to_sample")
	case !strings.Contains(prompt, "\n\nHuman:"):
		return wire.Invalid(`prompt must start with "\n\nHuman:" turn after an optional system prompt`)
	case !strings.Contains(prompt, "\n\nAssistant:"):
		return wire.Invalid(`prompt must end with "\n\nAssistant:" turn`)
	}
	return nil
}

func (b *checkedBody) checkTools() error {
	name := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
	var names []string
	for i, tool := range b.Tools {
		names = append(names, tool.Name)
		// A tool with a type is the provider's, whose schema the request does not
		// have.
		if tool.Type != "" && tool.Type != "custom" {
			continue
		}
		if !name.MatchString(tool.Name) {
			return wire.Invalid("tools.%d.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", i)
		}
		var schema struct {
			Type any `json:"type"`
		}
		if tool.InputSchema == nil || json.Unmarshal(tool.InputSchema, &schema) != nil || schema.Type == nil {
			return wire.Invalid("tools.%d.custom.input_schema.type: Field required", i)
		}
		if schema.Type != "object" {
			return wire.Invalid("tools.%d.custom.input_schema.type: Input should be 'object'", i)
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(names)))) < len(names) {
		return wire.Invalid("tools: Tool names must be unique.")
	}
	if c := b.ToolChoice; c != nil {
		switch {
		case !slices.Contains([]string{"auto", "any", "tool", "none"}, c.Type):
			return wire.Invalid("tool_choice: Input tag found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'")
		case len(b.Tools) == 0:
			return wire.Invalid("tool_choice: tool_choice may only be specified while providing tools")
		case c.Type == "tool" && !slices.Contains(names, c.Name):
			return wire.Invalid("tool_choice: the tool is not found in provided tools")
		}
	}
	return nil
}

func (b *checkedBody) checkMessages(model string) error {
	cached := 0
	for _, tool := range b.Tools {
		if isSet(tool.CacheControl) {
			cached++
		}
	}
	if isSet(b.System) {
		blocks, err := checkedBlocks(b.System)
		if err != nil {
			return wire.Invalid("system: Input should be a valid string or a list of content blocks")
		}
		cached += countCached(blocks)
	}
	var open []string
	for i, m := range b.Messages {
		if m.Role != "user" && m.Role != "assistant" {
			return wire.Invalid("messages.%d.role: Input should be 'user' or 'assistant'", i)
		}
		blocks, err := checkedBlocks(m.Content)
		if err != nil {
			return wire.Invalid("messages.%d.content: Input should be a valid string or a list of content blocks", i)
		}
		last := i == len(b.Messages)-1
		if len(blocks) == 0 && !(last && m.Role == "assistant") {
			return wire.Invalid("messages.%d: all messages must have non-empty content except for the optional final assistant message", i)
		}
		uses, results, err := checkAnthropicBlocks(i, m.Role, blocks)
		if err != nil {
			return err
		}
		if missing := slices.DeleteFunc(slices.Clone(open), func(id string) bool { return slices.Contains(results, id) }); len(missing) > 0 {
			return wire.Invalid("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. "+
				"Each `tool_use` block must have a corresponding `tool_result` block in the next message.", i-1, strings.Join(missing, ", "))
		}
		for _, id := range results {
			if !slices.Contains(open, id) {
				return wire.Invalid("messages.%d.content: unexpected `tool_use_id` found in `tool_result` blocks: %s. "+
					"Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", i, id)
			}
		}
		if len(uses)+len(results) > 0 && len(b.Tools) == 0 {
			return wire.Invalid("Requests which include `tool_use` or `tool_result` blocks must define tools")
		}
		open = uses
		cached += countCached(blocks)
	}
	switch final := b.Messages[len(b.Messages)-1]; {
	case len(open) > 0:
		return wire.Invalid("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. "+
			"Each `tool_use` block must have a corresponding `tool_result` block in the next message.", len(b.Messages)-1, strings.Join(open, ", "))
	case final.Role == "assistant" && !prefills(model):
		return wire.Invalid("This model does not support assistant message prefill. The conversation must end with a user message.")
	case cached > 4:
		return wire.Invalid("A maximum of 4 blocks with cache_control may be provided. Found %d.", cached)
	}
	return nil
}

// checkedBlocks reads content: a list of blocks or a text.
func checkedBlocks(content json.RawMessage) ([]checkedBlock, error) {
	var text string
	if json.Unmarshal(content, &text) == nil {
		if text == "" {
			return nil, nil
		}
		return []checkedBlock{{Type: "text", Text: &text}}, nil
	}
	var blocks []checkedBlock
	err := json.Unmarshal(content, &blocks)
	if err == nil && slices.ContainsFunc(blocks, func(b checkedBlock) bool { return b.Type == "" }) {
		err = fmt.Errorf("a block without a type")
	}
	return blocks, err
}

func checkAnthropicBlocks(i int, role string, blocks []checkedBlock) (uses, results []string, err error) {
	for j, block := range blocks {
		switch block.Type {
		case "text":
			if block.Text == nil {
				return nil, nil, wire.Invalid("messages.%d.content.%d.text.text: Field required", i, j)
			}
			if strings.TrimSpace(*block.Text) == "" {
				return nil, nil, wire.Invalid("messages: text content blocks must contain non-whitespace text")
			}
		case "image":
			if err := checkAnthropicImage(i, j, block); err != nil {
				return nil, nil, err
			}
		case "tool_use":
			if role != "assistant" {
				return nil, nil, wire.Invalid("messages.%d: `tool_use` blocks can only be in `assistant` messages", i)
			}
			uses = append(uses, block.ID)
		case "tool_result":
			if role != "user" {
				return nil, nil, wire.Invalid("messages.%d: `tool_result` blocks can only be in `user` messages", i)
			}
			results = append(results, block.ToolUseID)
			inner, err := checkedBlocks(block.Content)
			if err != nil {
				continue // a result may have no content
			}
			for k, part := range inner {
				if part.Type == "image" {
					if err := checkAnthropicImage(i, k, part); err != nil {
						return nil, nil, err
					}
				}
			}
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(uses)))) < len(uses) {
		return nil, nil, wire.Invalid("messages.%d.content: `tool_use` ids must be unique", i)
	}
	return uses, results, nil
}

func checkAnthropicImage(i, j int, block checkedBlock) error {
	if block.Source == nil {
		return wire.Invalid("messages.%d.content.%d.image.source: Field required", i, j)
	}
	if block.Source.Type != "base64" {
		return nil
	}
	format, ok := strings.CutPrefix(block.Source.MediaType, "image/")
	if !ok || !slices.Contains([]string{"jpeg", "png", "gif", "webp"}, format) {
		return wire.Invalid("messages.%d.content.%d.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'", i, j)
	}
	data, err := base64.StdEncoding.DecodeString(block.Source.Data)
	if err != nil {
		return wire.Invalid("messages.%d.content.%d.image.source.base64: invalid base64 data", i, j)
	}
	return checkImage(format, data)
}

func countCached(blocks []checkedBlock) int {
	n := 0
	for _, block := range blocks {
		if isSet(block.CacheControl) {
			n++
		}
	}
	return n
}

func isSet(raw json.RawMessage) bool { return raw != nil && string(raw) != "null" }

// isDate reports whether a version has the form of Anthropic's own API versions.
// @anthropic-ai/bedrock-sdk sends one since its version 1.0.0 ("2026-10-21"), so it is not
// certain that Bedrock refuses them.
func isDate(version string) bool {
	_, err := time.Parse(time.DateOnly, version)
	return err == nil
}
