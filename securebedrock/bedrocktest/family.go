package bedrocktest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// family is the form that a family of models has for InvokeModel's bodies. The
// forms are on the pages model-parameters-* of the Bedrock User Guide
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html).
type family struct {
	// wordless: the answer is no message. Reply is not asked.
	wordless bool
	// read writes a request's prompt into a Converse.
	read func(body []byte, in *bedrockruntime.ConverseInput) (reading, error)
	// answer is the body of an answer.
	answer func(x *invocation, r reading) (map[string]any, error)
	// chunks is a streamed answer, whose content is given; nil: the family does not
	// stream.
	chunks func(x *invocation, r reading, content []types.ContentBlock) ([]map[string]any, error)
}

// reading is what an answer needs to know of its request.
type reading any

// AddInferenceProfile names the model behind an identifier that does not show it:
// the ID or ARN of an application inference profile, and that of a provisioned,
// custom or imported model or of a prompt router too. InvokeModel then speaks that
// model's form. A system-defined profile, such as us.anthropic.…, needs no naming.
func (s *Server) AddInferenceProfile(id, model string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.profiles == nil {
		s.profiles = make(map[string]string)
	}
	s.profiles[id] = model
}

// behind is the model that an identifier stands for, as far as is known.
func (s *Server) behind(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A profile may name a profile, and nobody keeps a test from naming a circle.
	for range 8 {
		model, known := s.profiles[id]
		if !known {
			model, known = s.profiles[id[strings.LastIndexByte(id, '/')+1:]]
		}
		if !known {
			break
		}
		id = model
	}
	return id
}

// familyOf finds the family of a request's model. An identifier that shows none is
// judged by its body, where that is unmistakable.
func (s *Server) familyOf(id string, body []byte) (*family, error) {
	model := s.behind(id)
	has := keysOf(body)
	if f := familyByName(model, has); f != nil {
		return f, nil
	}
	if provider, _ := splitModel(model); provider == "" {
		var version string
		_ = json.Unmarshal(has["schemaVersion"], &version)
		switch {
		case has["anthropic_version"] != nil:
			return anthropicFamily(), nil
		case version == "messages-v1":
			return novaFamily(), nil
		case has["inputText"] != nil:
			return titanText(), nil
		}
		return nil, invalid("bedrocktest cannot tell which model is behind %q: name it with Server.AddInferenceProfile, or answer with Server.ReplyInvoke.", id)
	}
	return nil, invalid("bedrocktest does not know the bodies of the model %q: answer with Server.ReplyInvoke.", id)
}

// providers are the first words of model IDs.
func providers() []string {
	return []string{
		"ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "luma", "meta", "minimax", "mistral", "moonshot", "moonshotai",
		"nvidia", "openai", "qwen", "stability", "twelvelabs", "writer", "xai", "zai",
	}
}

// splitModel splits an ID, an inference profile's ID or an ARN that holds one into
// provider and name: "us.anthropic.claude-3-haiku-20240307-v1:0" into "anthropic"
// and "claude-3-haiku-20240307-v1:0".
func splitModel(id string) (provider, name string) {
	for segment := range strings.SplitSeq(id, "/") {
		for range 2 { // an inference profile has its geography first
			first, rest, ok := strings.Cut(segment, ".")
			if !ok {
				break
			}
			if slices.Contains(providers(), first) {
				return first, rest
			}
			segment = rest
		}
	}
	return "", ""
}

// familyByName is the family of a model, nil if it is not known. Where one model
// takes two forms, the body's keys decide.
func familyByName(id string, has map[string]json.RawMessage) *family {
	provider, name := splitModel(id)
	chat := has["messages"] != nil
	switch provider {
	case "anthropic":
		if !chat && has["prompt"] != nil {
			return claudeText()
		}
		return anthropicFamily()
	case "amazon":
		switch {
		case strings.HasPrefix(name, "nova-canvas"), strings.HasPrefix(name, "titan-image"):
			return amazonImage()
		case strings.HasPrefix(name, "nova-") && strings.Contains(name, "embed"):
			return novaEmbedding()
		case strings.HasPrefix(name, "nova-reel"), strings.HasPrefix(name, "nova-sonic"), strings.HasPrefix(name, "nova-2-sonic"):
			return nil // not for InvokeModel
		case strings.HasPrefix(name, "nova-"):
			return novaFamily()
		case strings.HasPrefix(name, "titan-embed-image"):
			return titanEmbedding("image")
		case strings.HasPrefix(name, "titan-embed-text-v2"):
			return titanEmbedding("v2")
		case strings.HasPrefix(name, "titan-embed"):
			return titanEmbedding("v1")
		case strings.HasPrefix(name, "titan-text"), strings.HasPrefix(name, "titan-tg1"):
			return titanText()
		case strings.HasPrefix(name, "rerank"):
			return rerank()
		}
	case "cohere":
		switch {
		case strings.HasPrefix(name, "embed-v4"):
			return cohereEmbedding(1536)
		case strings.HasPrefix(name, "embed"):
			return cohereEmbedding(1024)
		case strings.HasPrefix(name, "rerank"):
			return rerank()
		case strings.HasPrefix(name, "command-r"):
			return commandR()
		case strings.HasPrefix(name, "command"):
			return cohereText()
		}
	case "meta":
		return llama()
	case "mistral":
		switch {
		case !chat:
			return mistralText()
		case strings.HasPrefix(name, "mistral-large-2402"), strings.HasPrefix(name, "mistral-large-2407"), strings.HasPrefix(name, "mistral-small-2402"):
			return mistralChat()
		}
		return openAI(false)
	case "ai21":
		if strings.HasPrefix(name, "j2-") {
			return jurassic()
		}
		return openAI(false)
	case "deepseek":
		if !chat {
			return deepSeekText()
		}
		return openAI(false)
	case "openai":
		return openAI(true)
	case "qwen", "google", "minimax", "moonshot", "moonshotai", "nvidia", "xai", "zai", "writer":
		return openAI(false)
	case "stability":
		if strings.HasPrefix(name, "stable-diffusion-xl") {
			return stableDiffusionXL()
		}
		return stabilityImage()
	case "twelvelabs":
		if strings.HasPrefix(name, "pegasus") {
			return pegasus()
		}
	}
	return nil
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

// malformedBody is Bedrock's answer to a body that is not in the model's form.
func malformedBody() *apiError {
	return invalid("Malformed input request, please reformat your input and try again.")
}

// missingKey is Bedrock's answer to a body without a key that the form requires.
func missingKey(key string) *apiError {
	return invalid("Malformed input request: #: required key [%s] not found, please reformat your input and try again.", key)
}

// readBody reads a body of which keys are required.
func readBody(body []byte, into any, required ...string) error {
	has := keysOf(body)
	for _, key := range required {
		if has[key] == nil {
			return missingKey(key)
		}
	}
	if json.Unmarshal(body, into) != nil {
		return malformedBody()
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
	spec.InputSchema = &types.ToolInputSchemaMemberJson{Value: rawDocument(schema)}
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
	return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: aws.String(id), Name: aws.String(name), Input: rawDocument(input)}}
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
func unfit(block types.ContentBlock, x *invocation) error {
	return misused("the InvokeModel answer of %s has no form for %T", aws.ToString(x.in.ModelId), block)
}

// wordsOnly is the text of an answer in a form that has nothing else.
func wordsOnly(x *invocation, content []types.ContentBlock) (string, error) {
	for _, block := range content {
		switch block.(type) {
		case *types.ContentBlockMemberText, *types.ContentBlockMemberCitationsContent:
		default:
			return "", unfit(block, x)
		}
	}
	var parts []string
	for _, text := range messageTexts(content) {
		parts = append(parts, *text)
	}
	return strings.Join(parts, "\n"), nil
}
