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

// Form is the form that a family of models has for InvokeModel's bodies. The
// forms are on the pages model-parameters-* of the Bedrock User Guide
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html).
type Form struct {
	// wordless: the answer is no message. Reply is not asked.
	Wordless bool
	// read writes a request's prompt into a Converse.
	Read func(body []byte, in *bedrockruntime.ConverseInput) (Reading, error)
	// answer is the body of an answer.
	Answer func(x *Answer, r Reading) (map[string]any, error)
	// chunks is a streamed answer, whose content is given; nil: the family does not
	// stream.
	Chunks func(x *Answer, r Reading, content []types.ContentBlock) ([]map[string]any, error)
}

// Reading is what an answer needs to know of its request.
type Reading any

// Answer is what a form is to write.
type Answer struct {
	Model         string // as the client wrote it
	Out           *bedrockruntime.ConverseOutput
	Stop          string // the stop sequence that ended the answer
	PromptBlocked bool   // a guardrail blocked the prompt: no model has answered
}

func keysOf(body []byte) map[string]json.RawMessage {
	var keys map[string]json.RawMessage
	// A body that is no object is refused where it is read.
	_ = json.Unmarshal(body, &keys)
	for key, value := range keys {
		if bytes.Equal(value, []byte("null")) {
			delete(keys, key)
		}
	}
	return keys
}

// readBody reads a body of which keys are required.
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

// inferenceSettings are the settings that families have under their own names.
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

// oneOrMore is a string, or a list of strings.
type oneOrMore []string

func (m *oneOrMore) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*m = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(m))
}

func say(in *bedrockruntime.ConverseInput, role types.ConversationRole, content ...types.ContentBlock) {
	in.Messages = append(in.Messages, types.Message{Role: role, Content: content})
}

func textBlock(text string) types.ContentBlock { return &types.ContentBlockMemberText{Value: text} }

// imageBlock is an image of a body; one that is not inline stands as text.
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

// unfit is the fault of a Reply whose content a family has no form for.
func unfit(block types.ContentBlock, x *Answer) error {
	return misuse.New("the InvokeModel answer of %s has no form for %T", x.Model, block)
}

// wordsOnly is the text of an answer in a form that has nothing else.
func wordsOnly(x *Answer, content []types.ContentBlock) (string, error) {
	for _, block := range content {
		switch block.(type) {
		case *types.ContentBlockMemberText, *types.ContentBlockMemberCitationsContent:
		default:
			return "", unfit(block, x)
		}
	}
	var parts []string
	for _, text := range conversation.Texts(content) {
		parts = append(parts, *text)
	}
	return strings.Join(parts, "\n"), nil
}

// decoded is what base64 stands for; nil if it is none.
func decoded(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return data
}

// modelName is the model as an answer names it: without the profile's geography.
func modelName(x *Answer) string {
	id := x.Model
	if provider, name := splitModel(id); provider != "" {
		return provider + "." + name
	}
	return id
}
