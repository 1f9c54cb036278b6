package bedrocktest

import (
	"encoding/json"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// invokeBody is a request's body in one of the two shapes that the server
// knows: Anthropic's messages, and a single text (inputText, as Titan has it,
// or prompt). The answer is in the same shape.
type invokeBody struct {
	Messages []struct {
		Role    string       `json:"role"`
		Content anthropicMix `json:"content"`
	} `json:"messages"`
	System    anthropicMix `json:"system"`
	MaxTokens *int32       `json:"max_tokens"`

	StopSequences []string `json:"stop_sequences"`

	InputText            *string `json:"inputText"`
	Prompt               *string `json:"prompt"`
	MaxGenLen            *int32  `json:"max_gen_len"`
	TextGenerationConfig struct {
		MaxTokenCount *int32 `json:"maxTokenCount"`
	} `json:"textGenerationConfig"`

	Guardrail *invokeGuardrail `json:"amazon-bedrock-guardrailConfig"`
}

type invokeGuardrail struct {
	TagSuffix            string `json:"tagSuffix"`
	StreamProcessingMode string `json:"streamProcessingMode"`
}

// anthropicMix is text, or a list of blocks of which some are text.
type anthropicMix []struct {
	Type string `json:"type"`
	Text string `json:"text"`
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

// invocation is an InvokeModel on its way.
type invocation struct {
	*exchange
	in        *bedrockruntime.InvokeModelInput
	anthropic bool
	async     bool
}

func (s *Server) invokeModel(w http.ResponseWriter, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.InvokeModelInput)
	done, err := s.invoke(in)
	if err != nil {
		return err
	}
	body, err := done.body()
	if err != nil {
		return err
	}
	done.countHeaders(w.Header())
	w.Header().Set("X-Amzn-Bedrock-Invocation-Latency", strconv.FormatInt(*done.out.Metrics.LatencyMs, 10))
	return s.respond(w, r, http.StatusOK, &bedrockruntime.InvokeModelOutput{
		Body:                     body,
		ContentType:              aws.String("application/json"),
		PerformanceConfigLatency: in.PerformanceConfigLatency,
		ServiceTier:              done.tier(),
	})
}

// invoke translates the request into a Converse and runs it.
func (s *Server) invoke(in *bedrockruntime.InvokeModelInput) (*invocation, error) {
	if err := checkModel(aws.ToString(in.ModelId)); err != nil {
		return nil, err
	}
	guarded := in.GuardrailIdentifier != nil || in.GuardrailVersion != nil
	if guarded && !isJSON(in.ContentType) {
		return nil, invalid("The content type must be application/json when a guardrail is used.")
	}
	var body invokeBody
	if err := json.Unmarshal(in.Body, &body); err != nil {
		return nil, invalid("Malformed input request, please reformat your input and try again.")
	}
	if body.Guardrail != nil && !guarded {
		return nil, invalid("The request body has amazon-bedrock-guardrailConfig, and the request no guardrail identifier.")
	}
	converse := &bedrockruntime.ConverseInput{ModelId: in.ModelId}
	if guarded {
		converse.GuardrailConfig = &types.GuardrailConfiguration{
			GuardrailIdentifier: in.GuardrailIdentifier,
			GuardrailVersion:    in.GuardrailVersion,
			// The same names, in capitals here.
			Trace: types.GuardrailTrace(strings.ToLower(string(in.Trace))),
		}
	}
	if in.PerformanceConfigLatency != "" {
		converse.PerformanceConfig = &types.PerformanceConfiguration{Latency: in.PerformanceConfigLatency}
	}
	if in.ServiceTier != "" {
		converse.ServiceTier = &types.ServiceTier{Type: in.ServiceTier}
	}
	body.translate(converse)
	done, err := s.exchange(converse)
	if err != nil {
		return nil, err
	}
	return &invocation{
		exchange:  done,
		in:        in,
		anthropic: body.Messages != nil,
		async:     body.Guardrail != nil && strings.EqualFold(body.Guardrail.StreamProcessingMode, "ASYNCHRONOUS"),
	}, nil
}

// translate writes the body's prompt into a Converse. Without input tags all
// of it is evaluated by a guardrail, the system prompt included, so that one
// becomes a guardContent block. With tags, what is tagged does.
func (b *invokeBody) translate(in *bedrockruntime.ConverseInput) {
	var tags *regexp.Regexp
	if b.Guardrail != nil && b.Guardrail.TagSuffix != "" {
		tag := regexp.QuoteMeta("amazon-bedrock-guardrails-guardContent_" + b.Guardrail.TagSuffix)
		tags = regexp.MustCompile(`(?s)<` + tag + `>(.*?)</` + tag + `>`)
	}
	maxTokens := b.MaxTokens
	for _, other := range []*int32{b.MaxGenLen, b.TextGenerationConfig.MaxTokenCount} {
		if maxTokens == nil {
			maxTokens = other
		}
	}
	if maxTokens != nil || len(b.StopSequences) > 0 {
		in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: maxTokens, StopSequences: b.StopSequences}
	}
	for _, block := range b.System {
		for _, part := range tagged(tags, block.Text) {
			if part.guarded || tags == nil {
				in.System = append(in.System, &types.SystemContentBlockMemberGuardContent{Value: guardContent(part.text)})
			} else {
				in.System = append(in.System, &types.SystemContentBlockMemberText{Value: part.text})
			}
		}
	}
	add := func(role types.ConversationRole, texts ...string) {
		var content []types.ContentBlock
		for _, text := range texts {
			for _, part := range tagged(tags, text) {
				if part.guarded {
					content = append(content, &types.ContentBlockMemberGuardContent{Value: guardContent(part.text)})
				} else {
					content = append(content, &types.ContentBlockMemberText{Value: part.text})
				}
			}
		}
		in.Messages = append(in.Messages, types.Message{Role: role, Content: content})
	}
	for _, m := range b.Messages {
		var texts []string
		for _, block := range m.Content {
			// A block that is no text still is content.
			if block.Text == "" {
				block.Text = "[" + block.Type + "]"
			}
			texts = append(texts, block.Text)
		}
		add(types.ConversationRole(m.Role), texts...)
	}
	for _, text := range []*string{b.InputText, b.Prompt} {
		if text != nil && b.Messages == nil {
			add(types.ConversationRoleUser, *text)
		}
	}
}

// isJSON reports whether a request says that its body is JSON. A client that
// says nothing means JSON, though some SDKs then send a blob's default type.
func isJSON(contentType *string) bool {
	if contentType == nil {
		return true
	}
	kind, _, err := mime.ParseMediaType(*contentType)
	return err == nil && (kind == "application/json" || kind == "application/octet-stream")
}

func guardContent(text string) types.GuardrailConverseContentBlock {
	return &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: &text}}
}

type textPart struct {
	text    string
	guarded bool
}

// tagged splits text at its input tags, which are removed.
func tagged(tags *regexp.Regexp, text string) []textPart {
	if tags == nil {
		return []textPart{{text: text}}
	}
	var parts []textPart
	last := 0
	plain := func(s string) {
		if strings.TrimSpace(s) != "" {
			parts = append(parts, textPart{text: s})
		}
	}
	for _, at := range tags.FindAllStringSubmatchIndex(text, -1) {
		plain(text[last:at[0]])
		parts = append(parts, textPart{text: text[at[2]:at[3]], guarded: true})
		last = at[1]
	}
	plain(text[last:])
	return parts
}
