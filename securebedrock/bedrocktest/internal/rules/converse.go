package rules

import (
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// checkConverse checks a conversation against the restrictions of Message,
// DocumentBlock and ToolConfiguration (API_runtime_Message and its neighbours), and
// against what Bedrock and the providers refuse with the messages in this file.
func checkConverse(in *bedrockruntime.ConverseInput) error {
	c := &converseRequest{in: in}
	c.provider, c.model = providerOf(aws.ToString(in.ModelId))
	if isPromptARN(aws.ToString(in.ModelId)) {
		// Prompt management sets these fields, so a request must not
		// (API_runtime_Converse). The request's messages are added to the prompt's.
		if in.AdditionalModelRequestFields != nil || in.InferenceConfig != nil || in.System != nil || in.ToolConfig != nil {
			return wire.Invalid("The additionalModelRequestFields, inferenceConfig, system and toolConfig fields can't be used with a prompt from Prompt management.")
		}
		return nil
	}
	for _, check := range []func() error{
		func() error { return CheckMessages(in.Messages) }, c.checkRoles, c.checkContent, c.checkTools, c.checkToolUse, c.checkParameters,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkRoles checks that roles alternate. A message of the role system is not a turn.
func (c *converseRequest) checkRoles() error {
	last := types.ConversationRole("")
	for _, m := range c.in.Messages {
		if m.Role == types.ConversationRoleSystem {
			continue
		}
		if m.Role == last {
			return wire.Invalid("A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.")
		}
		last = m.Role
	}
	if last != types.ConversationRoleAssistant || c.provider != "anthropic" {
		return nil
	}
	// Models before Claude 4.6 continue an assistant's message.
	if !prefills(c.model) {
		return wire.Invalid("This model does not support assistant message prefill. The conversation must end with a user message.")
	}
	content := c.in.Messages[len(c.in.Messages)-1].Content
	if text, ok := content[len(content)-1].(*types.ContentBlockMemberText); ok && text.Value != strings.TrimRightFunc(text.Value, unicode.IsSpace) {
		return wire.Invalid("The model returned the following errors: messages: final assistant content cannot end with trailing whitespace")
	}
	return nil
}

// checkParameters checks the request's other fields.
func (c *converseRequest) checkParameters() error {
	if !isObject(c.in.AdditionalModelRequestFields) {
		return wire.Invalid("The format of the additionalModelRequestFields field is invalid. Provide a json object for the field and try again.")
	}
	if c.in.InferenceConfig != nil && c.provider == "anthropic" {
		for _, s := range c.in.InferenceConfig.StopSequences {
			if strings.TrimSpace(s) == "" {
				return wire.Invalid("The model returned the following errors: stop_sequences: each stop sequence must contain non-whitespace")
			}
		}
	}
	if n := c.cachePoints(); n > 4 && c.provider == "anthropic" {
		return wire.Invalid("The model returned the following errors: A maximum of 4 blocks with cache_control may be provided. Found %d.", n)
	}
	return nil
}

func (c *converseRequest) cachePoints() int {
	n := 0
	for _, block := range c.in.System {
		if _, ok := block.(*types.SystemContentBlockMemberCachePoint); ok {
			n++
		}
	}
	for _, m := range c.in.Messages {
		for _, block := range m.Content {
			if _, ok := block.(*types.ContentBlockMemberCachePoint); ok {
				n++
			}
		}
	}
	if c.in.ToolConfig != nil {
		for _, tool := range c.in.ToolConfig.Tools {
			if _, ok := tool.(*types.ToolMemberCachePoint); ok {
				n++
			}
		}
	}
	return n
}
