// Package family translates the InvokeModel bodies of each family of models into
// a Converse, and a Converse's answer into the family's own form.
package family

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/misuse"
)

// Form is how a family of models writes InvokeModel's bodies. The pages
// model-parameters-* of the Bedrock User Guide describe the forms
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html).
type Form struct {
	// Wordless is set where the answer is not a message. Reply is not asked then.
	Wordless bool
	// Read writes a request's prompt into a Converse.
	Read func(body []byte, in *bedrockruntime.ConverseInput) (Reading, error)
	// Answer returns the keys of an answer's body.
	Answer func(x *Answer, r Reading) (map[string]any, error)
	// Chunks returns the chunks of a streamed answer with the given content. It is nil
	// where the family does not stream.
	Chunks func(x *Answer, r Reading, content []types.ContentBlock) ([]map[string]any, error)
}

// Reading is what a form keeps of the request for the answer.
type Reading any

// Answer is what a form writes.
type Answer struct {
	Model         string // as the client wrote it
	Out           *bedrockruntime.ConverseOutput
	Stop          string // the stop sequence that ended the answer
	PromptBlocked bool   // no model has answered, since a guardrail blocked the prompt
}

func keysOf(body []byte) map[string]json.RawMessage {
	var keys map[string]json.RawMessage
	// readBody refuses a body that is not an object.
	_ = json.Unmarshal(body, &keys)
	for key, value := range keys {
		if bytes.Equal(value, []byte("null")) {
			delete(keys, key)
		}
	}
	return keys
}

// readBody decodes a body, and refuses one without the required keys.
func readBody(body []byte, into any, required ...string) error {
	has := keysOf(body)
	for _, key := range required {
		if has[key] == nil {
			return wire.MissingKey(key)
		}
	}
	if json.Unmarshal(body, into) != nil {
		return wire.MalformedBody("")
	}
	return nil
}

// inferenceSettings are the settings that each family names differently.
type inferenceSettings struct {
	maxTokens         *int32
	temperature, topP *float32
	stop              []string
}

func (c inferenceSettings) into(in *bedrockruntime.ConverseInput) {
	if c.maxTokens == nil && c.temperature == nil && c.topP == nil && c.stop == nil {
		return
	}
	in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: c.maxTokens, Temperature: c.temperature, TopP: c.topP, StopSequences: c.stop}
}

// oneOrMore is a string or a list of strings.
type oneOrMore []string

func (m *oneOrMore) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*m = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(m))
}

func addMessage(in *bedrockruntime.ConverseInput, role types.ConversationRole, content ...types.ContentBlock) {
	in.Messages = append(in.Messages, types.Message{Role: role, Content: content})
}

func textBlock(text string) types.ContentBlock { return &types.ContentBlockMemberText{Value: text} }

// imageBlock returns the block of an inline image.
func imageBlock(mediaType string, data []byte) types.ContentBlock {
	format := strings.TrimPrefix(mediaType, "image/")
	if format == "jpg" {
		format = "jpeg"
	}
	return &types.ContentBlockMemberImage{Value: types.ImageBlock{
		Format: types.ImageFormat(format), Source: &types.ImageSourceMemberBytes{Value: data},
	}}
}

func toolSpec(name, description string, schema json.RawMessage) types.Tool {
	spec := types.ToolSpecification{Name: aws.String(name)}
	if description != "" {
		spec.Description = aws.String(description)
	}
	if len(schema) == 0 {
		schema = json.RawMessage(`{"type":"object"}`)
	}
	spec.InputSchema = &types.ToolInputSchemaMemberJson{Value: conversation.RawDocument(schema)}
	return &types.ToolMemberToolSpec{Value: spec}
}

func addTools(in *bedrockruntime.ConverseInput, tools []types.Tool, choice types.ToolChoice) {
	if len(tools) > 0 {
		in.ToolConfig = &types.ToolConfiguration{Tools: tools, ToolChoice: choice}
	}
}

func toolUse(id, name string, input json.RawMessage) types.ContentBlock {
	if len(input) == 0 || !json.Valid(input) {
		input = json.RawMessage("{}")
	}
	return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: aws.String(id), Name: aws.String(name), Input: conversation.RawDocument(input)}}
}

func toolResult(id string, content []types.ToolResultContentBlock, failed bool) types.ContentBlock {
	block := types.ToolResultBlock{ToolUseId: aws.String(id), Content: content}
	if failed {
		block.Status = types.ToolResultStatusError
	}
	return &types.ContentBlockMemberToolResult{Value: block}
}

func resultText(text string) []types.ToolResultContentBlock {
	return []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: text}}
}

// noFormFor returns the error for a Reply with a block that the family has no form for.
func noFormFor(block types.ContentBlock, x *Answer) error {
	return misuse.New("the InvokeModel answer of %s has no form for %T", x.Model, block)
}

// wordsOnly returns the text of an answer, for a form that has only text.
func wordsOnly(x *Answer, content []types.ContentBlock) (string, error) {
	for _, block := range content {
		switch block.(type) {
		case *types.ContentBlockMemberText, *types.ContentBlockMemberCitationsContent:
		default:
			return "", noFormFor(block, x)
		}
	}
	var parts []string
	for _, text := range conversation.Texts(content) {
		parts = append(parts, *text)
	}
	return strings.Join(parts, "\n"), nil
}

// decodeBase64 returns the bytes of a base64 text, nil if the text is not base64.
func decodeBase64(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return data
}

// modelName returns the model's name in an answer: without the profile's geography.
func modelName(x *Answer) string {
	id := x.Model
	if provider, name := splitModel(id); provider != "" {
		return provider + "." + name
	}
	return id
}
