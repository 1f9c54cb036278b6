package bedrocktest_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// Collect gives back what the Reply gave, block by block, whatever the blocks are.
func TestCollect(t *testing.T) {
	s := bedrocktest.NewServer(t)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return bedrocktest.Content(
			&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{Value: types.ReasoningTextBlock{Text: aws.String("I think about it"), Signature: aws.String("sig")}}},
			&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: []byte("secret")}},
			&types.ContentBlockMemberText{Value: "the answer is long enough for deltas"},
			&types.ContentBlockMemberCitationsContent{Value: types.CitationsContentBlock{
				Content: []types.CitationGeneratedContent{&types.CitationGeneratedContentMemberText{Value: "; so it says"}},
				Citations: []types.Citation{{Title: aws.String("report"), SourceContent: []types.CitationSourceContent{&types.CitationSourceContentMemberText{Value: "it is so"}},
					Location: &types.CitationLocationMemberDocumentChar{Value: types.DocumentCharLocation{DocumentIndex: aws.Int32(0), Start: aws.Int32(1), End: aws.Int32(9)}}}},
			}},
			&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormatPng, Source: &types.ImageSourceMemberBytes{Value: picture.Bytes()}}},
			&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormatPng, Source: &types.ImageSourceMemberS3Location{Value: types.S3Location{Uri: aws.String("s3://bucket/k")}}}},
			&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: aws.String("t0"), Content: []types.ToolResultContentBlock{
				&types.ToolResultContentBlockMemberText{Value: "found"}, &types.ToolResultContentBlockMemberJson{Value: document.NewLazyDocument(map[string]any{"n": 1})}}}},
			bedrocktest.ToolUse("t1", "weather", map[string]string{"city": "Zürich"}).Output.(*types.ConverseOutputMemberMessage).Value.Content[0],
			bedrocktest.ToolUse("t2", "clock", nil).Output.(*types.ConverseOutputMemberMessage).Value.Content[0],
		), nil
	})
	out, err := probe.Client(s).ConverseStream(t.Context(), probe.AskStream("hi"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := bedrocktest.Collect(out.GetStream())
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != "the answer is long enough for deltas; so it says" || got.Reasoning != "I think about it" || got.StopReason != types.StopReasonToolUse ||
		got.Usage == nil || *got.Usage.OutputTokens == 0 || len(got.ToolUses) != 2 || got.Events < 20 {
		t.Errorf("%+v", got)
	}
	var city struct {
		City string `document:"city"`
	}
	if err := got.ToolUses[0].Input.UnmarshalSmithyDocument(&city); err != nil || city.City != "Zürich" || *got.ToolUses[0].ToolUseId != "t1" || *got.ToolUses[1].Name != "clock" {
		t.Errorf("%+v, %v", got.ToolUses, err)
	}
	unary, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
	if err != nil {
		t.Fatal(err)
	}
	want := unary.Output.(*types.ConverseOutputMemberMessage).Value
	if len(got.Message.Content) != len(want.Content) || got.Message.Role != want.Role {
		t.Fatalf("%d blocks, want %d", len(got.Message.Content), len(want.Content))
	}
	for i := range want.Content {
		if a, b := wireOf(t, got.Message.Content[i]), wireOf(t, want.Content[i]); a != b {
			t.Errorf("block %d is %s, want %s", i, a, b)
		}
	}
}

// A collected message goes back as a turn of the conversation.
func TestCollectedMessageIsATurn(t *testing.T) {
	s := bedrocktest.NewServer(t)
	s.Reply(bedrocktest.Script(bedrocktest.ToolUse("t1", "weather", map[string]string{"city": "Zürich"}), bedrocktest.Text("rain")))
	in := probe.AskStream("how is it?")
	in.ToolConfig = &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
		Name: aws.String("weather"), InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})},
	}}}}
	for _, want := range []types.StopReason{types.StopReasonToolUse, types.StopReasonEndTurn} {
		out, err := probe.Client(s).ConverseStream(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bedrocktest.Collect(out.GetStream())
		if err != nil || got.StopReason != want {
			t.Fatalf("%+v, %v", got, err)
		}
		if want == types.StopReasonEndTurn {
			break
		}
		in.Messages = append(in.Messages, got.Message, types.Message{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
			&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: got.ToolUses[0].ToolUseId, Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "rain"}}}},
		}})
	}
	sent := s.Calls()[1].Body
	if probe.At(t, sent, "messages.1.content.0.toolUse.input.city") != `"Zürich"` {
		t.Errorf("%s", sent)
	}
}

// wireOf is what a block is on the wire.
func wireOf(t *testing.T, block types.ContentBlock) string {
	t.Helper()
	s := bedrocktest.NewServer(t)
	_, err := probe.Client(s).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(probe.Model), Messages: []types.Message{{Role: "user", Content: []types.ContentBlock{block}}}})
	calls := s.Calls()
	if len(calls) == 0 {
		t.Fatal(err)
	}
	return probe.At(t, calls[0].Body, "messages.0.content.0")
}

func TestCollectSaysHowAStreamEnds(t *testing.T) {
	s := bedrocktest.NewServer(t)
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		is    func(error) bool
	}{
		{"cut off cleanly", bedrocktest.Truncate(3), func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"an exception", bedrocktest.Exception(3, "throttlingException", "slow down"), func(err error) bool {
			var api smithy.APIError
			return errors.As(err, &api) && api.ErrorCode() == "ThrottlingException"
		}},
		{"dropped", bedrocktest.DropStream(3), func(err error) bool { return err != nil }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.Fail("ConverseStream", row.fault)
			out, err := probe.Client(s).ConverseStream(t.Context(), probe.AskStream("a long question about many things"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := bedrocktest.Collect(out.GetStream())
			if !row.is(err) || got.Text == "" || got.StopReason != "" || got.Events != 3 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
