package audit_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// Every kind of block that the SDK has is walked: one that it gains makes a prompt
// Incomplete until it is.
func TestEveryBlockIsKnown(t *testing.T) {
	png := []byte{1, 2, 3}
	s3 := types.S3Location{Uri: aws.String("s3://bucket/key")}
	blocks := []types.ContentBlock{
		&types.ContentBlockMemberText{Value: "t"},
		&types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("g")}}},
		&types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberImage{Value: types.GuardrailConverseImageBlock{Format: "png", Source: &types.GuardrailConverseImageSourceMemberBytes{Value: png}}}},
		&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Input: document(map[string]any{"a": 1})}},
		&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{Content: []types.ToolResultContentBlock{
			&types.ToolResultContentBlockMemberText{Value: "r"}, &types.ToolResultContentBlockMemberJson{Value: document(map[string]any{"a": 1})},
			&types.ToolResultContentBlockMemberImage{Value: types.ImageBlock{Format: "png", Source: &types.ImageSourceMemberBytes{Value: png}}},
			&types.ToolResultContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("d"), Source: &types.DocumentSourceMemberText{Value: "x"}}},
			&types.ToolResultContentBlockMemberVideo{Value: types.VideoBlock{Format: "mp4", Source: &types.VideoSourceMemberS3Location{Value: s3}}},
			&types.ToolResultContentBlockMemberSearchResult{Value: types.SearchResultBlock{Content: []types.SearchResultContentBlock{{Text: aws.String("s")}}}},
		}}},
		&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{Value: types.ReasoningTextBlock{Text: aws.String("r")}}},
		&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: png}},
		&types.ContentBlockMemberCitationsContent{Value: types.CitationsContentBlock{Content: []types.CitationGeneratedContent{&types.CitationGeneratedContentMemberText{Value: "c"}}}},
		&types.ContentBlockMemberSearchResult{Value: types.SearchResultBlock{Title: aws.String("t")}},
		&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "canary", Source: &types.ImageSourceMemberS3Location{Value: s3}}},
		&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("d"), Context: aws.String("c"), Format: "pdf", Source: &types.DocumentSourceMemberBytes{Value: png}}},
		&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Source: &types.DocumentSourceMemberS3Location{Value: s3}}},
		&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Source: &types.DocumentSourceMemberContent{Value: []types.DocumentContentBlock{&types.DocumentContentBlockMemberText{Value: "x"}}}}},
		&types.ContentBlockMemberVideo{Value: types.VideoBlock{Source: &types.VideoSourceMemberBytes{Value: png}}},
		&types.ContentBlockMemberAudio{Value: types.AudioBlock{Format: "mp3", Source: &types.AudioSourceMemberBytes{Value: png}}},
		&types.ContentBlockMemberAudio{Value: types.AudioBlock{Source: &types.AudioSourceMemberS3Location{Value: s3}}},
		&types.ContentBlockMemberCachePoint{}, &types.ContentBlockMemberToolAddition{}, &types.ContentBlockMemberToolRemoval{},
	}
	in := &bedrockruntime.ConverseInput{
		Messages: []types.Message{{Role: "canary", Content: blocks}},
		System: []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "s"}, &types.SystemContentBlockMemberCachePoint{},
			&types.SystemContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("g")}}}},
		PromptVariables:              map[string]types.PromptVariableValues{"v": &types.PromptVariableValuesMemberText{Value: "p"}},
		AdditionalModelRequestFields: document(map[string]any{"k": 1}),
		ToolConfig: &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberCachePoint{}, &types.ToolMemberSystemTool{},
			&types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("n"), InputSchema: &types.ToolInputSchemaMemberJson{Value: document(map[string]any{})}}}}},
	}
	c := must(audit.DigestOf(key1, in))
	line, _ := json.Marshal(c)
	if c.Incomplete || len(c.Blocks) == 0 || bytes.Contains(line, []byte("canary")) {
		t.Errorf("%s", line)
	}
	kinds := make([]string, 0, len(c.Kinds))
	for k := range c.Kinds {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	golden(t, "kinds.golden", []byte(strings.Join(kinds, "\n")+"\n"))

	in.Messages[0].Content = append(in.Messages[0].Content, &types.UnknownUnionMember{Tag: "new"})
	if c := must(audit.DigestOf(key1, in)); !c.Incomplete {
		t.Error("a block of an unknown kind goes unsaid")
	}
}

// The canonical form of JSON is its own, keeps its meaning, and redaction leaves
// valid UTF-8 and, of a whole document, valid JSON.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"b":1.0,"a":["x\u0040example.com",4111111111111111,null]}`))
	f.Add([]byte(`not json`))
	f.Add([]byte("\xff\xfe"))
	f.Fuzz(func(t *testing.T, body []byte) {
		in := &bedrockruntime.InvokeModelInput{Body: body}
		if len(body) == 0 {
			return
		}
		if _, err := audit.DigestOf(key1, in); err != nil {
			t.Fatal(err)
		}
		red := audit.Patterns().Redact(string(body))
		if utf8.Valid(body) && !utf8.ValidString(red) {
			t.Errorf("%q became %q", body, red)
		}
		if c := audit.Canonical(body); json.Valid(body) && utf8.Valid(body) {
			if !json.Valid([]byte(c)) || audit.Canonical([]byte(c)) != c {
				t.Errorf("canonical form of %q is %q, and of that %q", body, c, audit.Canonical([]byte(c)))
			}
			if r := audit.RedactJSON(audit.Patterns(), string(body)); !json.Valid([]byte(r)) {
				t.Errorf("%q redacted is %q", body, r)
			}
		}
	})
}
