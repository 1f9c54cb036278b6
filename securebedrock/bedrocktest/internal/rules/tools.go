package rules

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
)

// checkTools checks the definitions of the tools and the choice among them.
func (c *converseRequest) checkTools() error {
	config := c.in.ToolConfig
	if config == nil {
		return nil
	}
	var names []string
	for i, tool := range config.Tools {
		switch t := tool.(type) {
		case *types.ToolMemberToolSpec:
			names = append(names, aws.ToString(t.Value.Name))
			var schema struct{ Type any }
			if s, ok := t.Value.InputSchema.(*types.ToolInputSchemaMemberJson); !ok || !conversation.ReadDocument(s.Value, &schema) || schema.Type != "object" {
				return wire.Invalid("The value at toolConfig.tools.%d.toolSpec.inputSchema.json.type must be one of the following: object.", i)
			}
		case *types.ToolMemberSystemTool:
			names = append(names, aws.ToString(t.Value.Name))
		}
	}
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) < len(names) {
		return wire.Invalid("The model returned the following errors: tools: Tool names must be unique.")
	}
	if choice, ok := config.ToolChoice.(*types.ToolChoiceMemberTool); ok && !slices.Contains(names, aws.ToString(choice.Value.Name)) {
		return wire.Invalid("The model returned the following errors: tool_choice: the tool of toolConfig.toolChoice.tool.name is not found in toolConfig.tools.")
	}
	return nil
}

// checkToolUse checks that every use of a tool is the assistant's and has its result
// in the next message, and that every result has its use in the message before. A tool
// that the provider runs ("server_tool_use") has its result in the same message.
func (c *converseRequest) checkToolUse() error {
	var open []string // the next message must answer these uses
	for i, m := range c.in.Messages {
		if m.Role == types.ConversationRoleSystem {
			continue
		}
		uses, results, err := c.toolIDs(i, m)
		if err != nil {
			return err
		}
		missing := slices.DeleteFunc(slices.Clone(open), func(id string) bool { return slices.Contains(results, id) })
		switch {
		case len(results) > len(open):
			return wire.Invalid("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of previous turn.", i)
		case len(missing) > 0:
			return wire.Invalid("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i, strings.Join(missing, ", "))
		}
		open = uses
	}
	if len(open) > 0 && c.provider == "anthropic" {
		return wire.Invalid("The model returned the following errors: messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. "+
			"Each `tool_use` block must have a corresponding `tool_result` block in the next message.", len(c.in.Messages)-1, strings.Join(open, ", "))
	}
	return nil
}

// toolIDs returns the IDs of a message's tool uses and results.
func (c *converseRequest) toolIDs(i int, m types.Message) (uses, results []string, err error) {
	others := false
	for j, block := range m.Content {
		switch b := block.(type) {
		case *types.ContentBlockMemberToolUse:
			if !isObject(b.Value.Input) {
				return nil, nil, wire.Invalid("The format of the value at messages.%d.content.%d.toolUse.input is invalid. Provide a json object for the field and try again.", i, j)
			}
			if b.Value.Type != "" {
				continue
			}
			if m.Role != types.ConversationRoleAssistant {
				return nil, nil, wire.Invalid("The model returned the following errors: messages.%d: `tool_use` blocks can only be in `assistant` messages", i)
			}
			uses = append(uses, aws.ToString(b.Value.ToolUseId))
		case *types.ContentBlockMemberToolResult:
			if err := checkToolResult(i, j, b.Value); err != nil {
				return nil, nil, err
			}
			if aws.ToString(b.Value.Type) != "" {
				continue
			}
			if m.Role != types.ConversationRoleUser {
				return nil, nil, wire.Invalid("The model returned the following errors: messages.%d: `tool_result` blocks can only be in `user` messages", i)
			}
			results = append(results, aws.ToString(b.Value.ToolUseId))
		case *types.ContentBlockMemberCachePoint:
		default:
			others = true
		}
	}
	if c.in.ToolConfig == nil && len(uses)+len(results) > 0 {
		return nil, nil, wire.Invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
	}
	if others && len(results) > 0 && (c.provider == "meta" || c.provider == "mistral") {
		return nil, nil, wire.Invalid("messages.%d.content: Conversation blocks and tool result blocks cannot be provided in the same turn.", i)
	}
	for kind, ids := range map[string][]string{"toolUse": uses, "toolResult": results} {
		sorted := slices.Sorted(slices.Values(ids))
		if len(slices.Compact(sorted)) < len(ids) {
			return nil, nil, wire.Invalid("The %s blocks at messages.%d.content contain duplicate Ids.", kind, i)
		}
	}
	return uses, results, nil
}

func checkToolResult(i, j int, result types.ToolResultBlock) error {
	if len(result.Content) == 0 && result.Status == types.ToolResultStatusError {
		return wire.Invalid("The content field at messages.%d.content.%d.toolResult cannot be empty when status value is error.", i, j)
	}
	for k, block := range result.Content {
		if b, ok := block.(*types.ToolResultContentBlockMemberJson); ok && !isObject(b.Value) {
			return wire.Invalid("The format of the value at messages.%d.content.%d.toolResult.content.%d.json is invalid. Provide a json object for the field and try again.", i, j, k)
		}
	}
	return nil
}
