package wire_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// sdkFrame is the frame that the SDK's own encoder writes.
func sdkFrame(t testing.TB, union, member *smithy.Schema, event smithy.Serializable) []byte {
	t.Helper()
	var frame bytes.Buffer
	if err := restjson1.New(schemas.AmazonBedrockFrontendService).SerializeEventMessage(union, member, event, &frame); err != nil {
		t.Fatal(err)
	}
	return frame.Bytes()
}

func textDelta(index int32, text string) *types.ConverseStreamOutputMemberContentBlockDelta {
	return &types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{ContentBlockIndex: &index, Delta: &types.ContentBlockDeltaMemberText{Value: text}}}
}

// The frames of text deltas and chunks are the SDK's, byte for byte.
func TestFramesAreTheSDKs(t *testing.T) {
	texts := []string{"", "a", "\xff", "a\xe2", "\xe2\x80", "\u2027\u2028\u2029\u202a", "\x7f\x80", strings.Repeat("a\"\\\n\t\r\b\f\x00é😀", 1000)}
	g := newGenerator(1)
	for range 2000 {
		texts = append(texts, g.text())
	}
	for c := range rune(0x3000) {
		texts = append(texts, "x"+string(c)+"y")
	}
	encoder := wire.NewEventEncoder()
	same := func(union, member *smithy.Schema, event smithy.Serializable) {
		want := sdkFrame(t, union, member, event)
		have, err := encoder.AppendEvent([]byte("before"), event)
		if err != nil || string(have) != "before"+string(want) {
			t.Errorf("%q, %v, want %q", have, err, want)
		}
	}
	for _, text := range texts {
		same(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_contentBlockDelta, textDelta(int32(g.Uint32()), text))
	}
	same(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_contentBlockDelta, textDelta(math.MinInt32, "x"))
	same(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_contentBlockDelta,
		&types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{Delta: &types.ContentBlockDeltaMemberText{Value: "x"}}})
	for _, chunk := range [][]byte{nil, {}, {0}, []byte(strings.Repeat("{}\xff", 5000))} {
		same(schemas.ResponseStream, schemas.ResponseStream_chunk, &types.ResponseStreamMemberChunk{Value: types.PayloadPart{Bytes: chunk}})
		same(schemas.InvokeModelWithBidirectionalStreamOutput, schemas.InvokeModelWithBidirectionalStreamOutput_chunk,
			&types.InvokeModelWithBidirectionalStreamOutputMemberChunk{Value: types.BidirectionalOutputPayloadPart{Bytes: chunk}})
	}
}

// frameOf is a frame with headers of strings.
func frameOf(t testing.TB, payload string, headers ...string) []byte {
	t.Helper()
	message := eventstream.Message{Payload: []byte(payload)}
	for i := 0; i < len(headers); i += 2 {
		message.Headers.Set(headers[i], eventstream.StringValue(headers[i+1]))
	}
	var frame bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&frame, message); err != nil {
		t.Fatal(err)
	}
	return frame.Bytes()
}

// An event that the SDK does not know is passed on as it came.
func TestUnknownEventsPass(t *testing.T) {
	frame := frameOf(t, `{"new":"x"}`, ":message-type", "event", ":event-type", "newEvent", ":content-type", "application/json")
	client := sdkStream(t, frame)
	out, err := client.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String("m")})
	if err != nil {
		t.Fatal(err)
	}
	event := <-out.GetStream().Events()
	have, err := wire.NewEventEncoder().AppendEvent(nil, event)
	if err != nil || !bytes.Equal(have, frame) {
		t.Errorf("%q, %v, want %q", have, err, frame)
	}
	_ = out.GetStream().Close()
	for name, event := range map[string]*types.UnknownUnionMember{
		"no frame":               {Tag: "newEvent"},
		"half a frame":           {Tag: "newEvent", Value: frame[:20]},
		"two frames":             {Tag: "newEvent", Value: append(bytes.Clone(frame), frame...)},
		"another event":          {Tag: "otherEvent", Value: frame},
		"an exception":           {Tag: "x", Value: frameOf(t, "{}", ":message-type", "exception", ":exception-type", "x")},
		"an exception and event": {Tag: "x", Value: frameOf(t, "{}", ":message-type", "exception", ":exception-type", "x", ":event-type", "x")},
		"a frame without type":   {Tag: "x", Value: frameOf(t, "{}")},
	} {
		if have, err := wire.NewEventEncoder().AppendEvent([]byte("dst"), event); err == nil || string(have) != "dst" {
			t.Errorf("%s: %q, %v", name, have, err)
		}
	}
}

// An event or an answer that the SDK has taken apart, and of which it has lost a part,
// is an error.
func TestLostPartsAreErrors(t *testing.T) {
	frame := frameOf(t, `{"contentBlockIndex":0,"delta":{"newDelta":{"a":"x"}}}`, ":message-type", "event", ":event-type", "contentBlockDelta", ":content-type", "application/json")
	out, err := sdkStream(t, frame).ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String("m")})
	if err != nil {
		t.Fatal(err)
	}
	event := <-out.GetStream().Events()
	if have, err := wire.NewEventEncoder().AppendEvent(nil, event); err == nil {
		t.Errorf("%q", have)
	}
	_ = out.GetStream().Close()
	for _, content := range []string{
		`{"newBlock":{"a":"x"}}`, `{"text":"a"},{"newBlock":{"a":"x"}}`, `{"newBlock":{"a":"x"}},{"text":"a"}`,
		`{"image":{"format":"png","source":{"newSource":"x"}}}`, `{"reasoningContent":{"newReasoning":"x"}}`,
		`{"citationsContent":{"content":[{"text":"a"},{"newContent":1}]}}`,
	} {
		answer := sdkAnswer(`{"output":{"message":{"role":"assistant","content":[` + content + `]}},"stopReason":"end_turn"}`)
		got, err := answer.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("m")})
		if err != nil {
			t.Fatal(err)
		}
		if _, body, err := wire.Encode(got); err == nil {
			t.Errorf("%s is encoded as %s", content, body)
		}
	}
	got, err := sdkAnswer(`{"output":{"newOutput":{}}}`).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("m")})
	if err != nil {
		t.Fatal(err)
	}
	if _, body, err := wire.Encode(got); err == nil {
		t.Errorf("an unknown output is encoded as %s", body)
	}
}

// No union of an answer may hold the SDK's unknown member: its encoder leaves it out.
func TestUnknownMembersAreErrors(t *testing.T) {
	unknown := &types.UnknownUnionMember{Tag: "new"}
	for _, block := range []types.ContentBlock{
		unknown,
		&types.ContentBlockMemberImage{Value: types.ImageBlock{Source: unknown}},
		&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{Content: []types.ToolResultContentBlock{unknown}}},
		&types.ContentBlockMemberReasoningContent{Value: unknown},
		&types.ContentBlockMemberCitationsContent{Value: types.CitationsContentBlock{Citations: []types.Citation{{Location: unknown}}}},
	} {
		out := &bedrockruntime.ConverseOutput{Output: &types.ConverseOutputMemberMessage{Value: types.Message{Content: []types.ContentBlock{block}}}}
		if _, body, err := wire.Encode(out); err == nil {
			t.Errorf("%T is encoded as %s", block, body)
		}
	}
	broken := document.NewLazyDocument(map[string]any{"": 1})
	if _, body, err := wire.Encode(&bedrockruntime.ConverseOutput{Output: &types.ConverseOutputMemberMessage{}, AdditionalModelResponseFields: broken}); err == nil {
		t.Errorf("a document that does not encode is encoded as %s", body)
	}
	for _, event := range []wire.Event{
		&types.ConverseStreamOutputMemberContentBlockStart{Value: types.ContentBlockStartEvent{Start: unknown}},
		&types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{Delta: unknown}},
		&types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{Delta: &types.ContentBlockDeltaMemberReasoningContent{Value: unknown}}},
		&types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{ContentBlockIndex: aws.Int32(0), Delta: (*types.ContentBlockDeltaMemberText)(nil)}},
		(*types.ConverseStreamOutputMemberMessageStop)(nil), (*types.ConverseStreamOutputMemberContentBlockDelta)(nil), (*types.ResponseStreamMemberChunk)(nil),
		(*types.InvokeModelWithBidirectionalStreamOutputMemberChunk)(nil), (*types.UnknownUnionMember)(nil), nil, "x",
	} {
		if frame, err := wire.NewEventEncoder().AppendEvent(nil, event); err == nil {
			t.Errorf("%T is encoded as %q", event, frame)
		}
	}
	var api smithy.APIError
	if _, _, err := wire.Encode(&bedrockruntime.ConverseOutput{}); err == nil || errors.As(err, &api) {
		t.Errorf("%v", err)
	}
}
