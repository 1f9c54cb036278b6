package bedrocktest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Every piece of every streamed argument is whole characters, by every operation
// that streams, wherever the middle falls.
func TestStreamedPiecesAreWhole(t *testing.T) {
	s := bedrocktest.NewServer(t)
	for _, city := range []string{"Zürich", "üüüüüüüüü", "東京都", "🙂🙂🙂🙂", `a"\b`, "\u2028x\u2028"} {
		for pad := range 5 {
			args := map[string]string{"city": city, "p": strings.Repeat("x", pad)}
			s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				return bedrocktest.ToolUse("t1", "weather", args), nil
			})
			check := func(route string, pieces []string) {
				t.Helper()
				for _, piece := range pieces {
					if !utf8.ValidString(piece) || strings.ContainsRune(piece, utf8.RuneError) {
						t.Errorf("%s: %q", route, pieces)
					}
				}
				var got map[string]string
				if err := json.Unmarshal([]byte(strings.Join(pieces, "")), &got); err != nil || got["city"] != city || len(pieces) != 2 {
					t.Errorf("%s: %q, %v", route, pieces, err)
				}
			}
			out, err := client(s).ConverseStream(t.Context(), askStream("hi"))
			if err != nil {
				t.Fatal(err)
			}
			var pieces []string
			for event := range out.GetStream().Events() {
				if e, ok := event.(*types.ConverseStreamOutputMemberContentBlockDelta); ok {
					pieces = append(pieces, *e.Value.Delta.(*types.ContentBlockDeltaMemberToolUse).Value.Input)
				}
			}
			if err := errors.Join(out.GetStream().Err(), out.GetStream().Close()); err != nil {
				t.Fatal(err)
			}
			check("ConverseStream", pieces)
			for model, row := range map[string]struct{ body, path string }{
				model:                             {string(invokeBody(t, "hi")), "delta.partial_json"},
				"amazon.nova-lite-v1:0":           {`{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, "contentBlockDelta.delta.toolUse.input"},
				"openai.gpt-oss-20b-1:0":          {`{"messages":[{"role":"user","content":"hi"}]}`, "choices.0.delta.tool_calls.0.function.arguments"},
				"mistral.pixtral-large-2502-v1:0": {`{"messages":[{"role":"user","content":"hi"}]}`, "choices.0.delta.tool_calls.0.function.arguments"},
			} {
				var pieces []string
				for _, chunk := range invokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &model, Body: []byte(row.body)}) {
					var piece string
					if raw := at(t, []byte(chunk), row.path); raw != "" {
						if err := json.Unmarshal([]byte(raw), &piece); err != nil {
							t.Fatal(err)
						}
					}
					if piece != "" {
						pieces = append(pieces, piece)
					}
				}
				check(model, pieces)
			}
		}
	}
}

func TestToolUse_arguments(t *testing.T) {
	type place struct {
		City string `json:"city"`
		N    int64  `json:"n"`
	}
	for _, row := range []struct {
		name string
		args any
		want string
	}{
		{"a struct by its JSON tags", place{"Kyiv <1>", 9007199254740993}, `{"city":"Kyiv <1>","n":9007199254740993}`},
		{"a map", map[string]any{"a": []int{1}}, `{"a":[1]}`},
		{"raw JSON as it is", json.RawMessage(`{"b":1.50, "a":"\u00fc"}`), `{"b":1.50,"a":"\u00fc"}`},
		{"nothing", nil, `{}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := bedrocktest.NewServer(t)
			s.Reply(bedrocktest.Script(bedrocktest.ToolUse("t1", "weather", row.args), bedrocktest.ToolUse("t1", "weather", row.args)))
			got := stream(t, s, askStream("hi"))
			if got.err != nil || got.stop != types.StopReasonToolUse || got.tool != row.want {
				t.Errorf("%q, %v", got.tool, got.err)
			}
			out, err := client(s).Converse(t.Context(), ask("hi"))
			if err != nil {
				t.Fatal(err)
			}
			use := out.Output.(*types.ConverseOutputMemberMessage).Value.Content[0].(*types.ContentBlockMemberToolUse).Value
			if *use.ToolUseId != "t1" || *use.Name != "weather" || use.Input == nil {
				t.Errorf("%+v", use)
			}
		})
	}
}

// Each reply is given once, however many ask at once, and then an error says that
// the script is over.
func TestScript(t *testing.T) {
	s := bedrocktest.NewServer(t)
	s.Reply(bedrocktest.Script(bedrocktest.Text("one"), nil, bedrocktest.Text("three")))
	for _, want := range []string{"one", "You said", "three"} {
		out, err := client(s).Converse(t.Context(), ask("hi"))
		if err != nil {
			t.Fatal(err)
		}
		contains(t, textOf(t, out), want)
	}
	_, err := client(s).Converse(t.Context(), ask("hi"))
	wantCode(t, err, 424, "ModelErrorException")
	contains(t, err.Error(), "the Script has 3 replies, and this is call 4")

	const calls = 40
	var replies []*bedrockruntime.ConverseOutput
	for i := range calls {
		replies = append(replies, bedrocktest.Text(fmt.Sprint(i)))
	}
	s.Reply(bedrocktest.Script(replies...))
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := make(map[string]int)
	for range calls {
		all.Go(func() {
			out, err := client(s).Converse(t.Context(), ask("hi"))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			seen[out.Output.(*types.ConverseOutputMemberMessage).Value.Content[0].(*types.ContentBlockMemberText).Value]++
		})
	}
	all.Wait()
	if len(seen) != calls {
		t.Errorf("%d of %d replies: %v", len(seen), calls, seen)
	}
}

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
	out, err := client(s).ConverseStream(t.Context(), askStream("hi"))
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
	unary, err := client(s).Converse(t.Context(), ask("hi"))
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
	in := askStream("how is it?")
	in.ToolConfig = &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
		Name: aws.String("weather"), InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})},
	}}}}
	for _, want := range []types.StopReason{types.StopReasonToolUse, types.StopReasonEndTurn} {
		out, err := client(s).ConverseStream(t.Context(), in)
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
	if at(t, sent, "messages.1.content.0.toolUse.input.city") != `"Zürich"` {
		t.Errorf("%s", sent)
	}
}

// wireOf is what a block is on the wire.
func wireOf(t *testing.T, block types.ContentBlock) string {
	t.Helper()
	s := bedrocktest.NewServer(t)
	_, err := client(s).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: []types.Message{{Role: "user", Content: []types.ContentBlock{block}}}})
	calls := s.Calls()
	if len(calls) == 0 {
		t.Fatal(err)
	}
	return at(t, calls[0].Body, "messages.0.content.0")
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
			out, err := client(s).ConverseStream(t.Context(), askStream("a long question about many things"))
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
