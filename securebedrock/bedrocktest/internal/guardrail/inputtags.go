package guardrail

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// Config is the guardrail's part of an InvokeModel body. Every model's body can have
// it.
type Config struct {
	TagSuffix            string `json:"tagSuffix"`
	StreamProcessingMode string `json:"streamProcessingMode"`
}

// ReadConfig returns the guardrail's part of a body, nil if there is none.
func ReadConfig(body []byte) (*Config, error) {
	var b struct {
		Guardrail *Config `json:"amazon-bedrock-guardrailConfig"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, wire.MalformedBody("")
	}
	return b.Guardrail, nil
}

// Mark turns the texts between input tags into guardContent blocks, and reports
// whether there are any. The tags themselves are removed. c may be nil.
func (c *Config) Mark(in *bedrockruntime.ConverseInput) bool {
	if c == nil || c.TagSuffix == "" {
		return false
	}
	suffix := "_" + regexp.QuoteMeta(c.TagSuffix)
	// RE2 has no back references, so each tag has an alternative of its own.
	var any []string
	for _, name := range []string{"guardContent", "groundingSource", "query"} {
		tag := "amazon-bedrock-guardrails-" + name + suffix
		any = append(any, `<`+tag+`>(.*?)</`+tag+`>`)
	}
	tags := regexp.MustCompile(`(?s)` + strings.Join(any, "|"))
	found := false
	var system []types.SystemContentBlock
	for _, block := range in.System {
		text, ok := block.(*types.SystemContentBlockMemberText)
		if !ok {
			system = append(system, block)
			continue
		}
		for _, part := range tagged(tags, text.Value) {
			if part.qualifier == "" {
				system = append(system, &types.SystemContentBlockMemberText{Value: part.text})
				continue
			}
			found = true
			system = append(system, &types.SystemContentBlockMemberGuardContent{Value: part.block()})
		}
	}
	in.System = system
	for i := range in.Messages {
		var content []types.ContentBlock
		for _, block := range in.Messages[i].Content {
			text, ok := block.(*types.ContentBlockMemberText)
			if !ok {
				content = append(content, block)
				continue
			}
			for _, part := range tagged(tags, text.Value) {
				if part.qualifier == "" {
					content = append(content, &types.ContentBlockMemberText{Value: part.text})
					continue
				}
				found = true
				content = append(content, &types.ContentBlockMemberGuardContent{Value: part.block()})
			}
		}
		in.Messages[i].Content = content
	}
	return found
}

type textPart struct {
	text      string
	qualifier types.GuardrailConverseContentQualifier // empty: not tagged
}

func (p textPart) block() types.GuardrailConverseContentBlock {
	return &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{
		Text: &p.text, Qualifiers: []types.GuardrailConverseContentQualifier{p.qualifier},
	}}
}

// tagged splits text at its input tags, and removes the tags.
func tagged(tags *regexp.Regexp, text string) []textPart {
	all := tags.FindAllStringSubmatchIndex(text, -1)
	if len(all) == 0 {
		return []textPart{{text: text}}
	}
	var parts []textPart
	last := 0
	plain := func(s string) {
		if strings.TrimSpace(s) != "" {
			parts = append(parts, textPart{text: s})
		}
	}
	for _, at := range all {
		plain(text[last:at[0]])
		for i, qualifier := range []types.GuardrailConverseContentQualifier{
			types.GuardrailConverseContentQualifierGuardContent, types.GuardrailConverseContentQualifierGroundingSource, types.GuardrailConverseContentQualifierQuery,
		} {
			if from := at[2+2*i]; from >= 0 {
				parts = append(parts, textPart{text[from:at[3+2*i]], qualifier})
			}
		}
		last = at[1]
	}
	plain(text[last:])
	return parts
}
