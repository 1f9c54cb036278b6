package wire_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// conversation is the request of a Converse whose body has about size bytes, in
// messages of 1 KB.
func conversation(b *testing.B, size int) sentRequest {
	in := &bedrockruntime.ConverseInput{
		ModelId: aws.String("anthropic.claude-sonnet-4"), InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(100), Temperature: aws.Float32(0.5)},
		System:          []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "Be brief."}},
		RequestMetadata: map[string]string{"team": "a"},
	}
	for i := 0; i*1024 < size-300; i++ {
		text := strings.Repeat("The quick brown fox says: \"é\".\n", min(1024, size-300)/34)
		in.Messages = append(in.Messages, types.Message{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}})
	}
	return wireOf(b, in)
}

func BenchmarkDecodeStrict(b *testing.B) {
	for name, size := range map[string]int{"1KB": 1 << 10, "100KB": 100 << 10} {
		b.Run(name, func(b *testing.B) {
			r := conversation(b, size)
			b.SetBytes(int64(len(r.body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decodeStrict(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, size := range map[string]int{"1KB": 1 << 10, "100KB": 100 << 10} {
		b.Run(name, func(b *testing.B) {
			r := conversation(b, size)
			b.SetBytes(int64(len(r.body)))
			b.ReportAllocs()
			for b.Loop() {
				op, labels, _ := wire.Route(r.method, r.path)
				if _, err := op.Decode(&wire.Request{Method: r.method, Labels: labels, Query: r.query, Header: r.header, Body: r.body}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSDK is the SDK's own time for a call of the same size, without a network.
func BenchmarkSDK(b *testing.B) {
	for name, size := range map[string]int{"1KB": 1 << 10, "100KB": 100 << 10} {
		b.Run(name, func(b *testing.B) {
			in, err := decodeStrict(conversation(b, size))
			if err != nil {
				b.Fatal(err)
			}
			client := sdkClient(func(w http.ResponseWriter, _ *http.Request) { send(w, 200, nil, []byte(`{}`)) })
			b.ReportAllocs()
			for b.Loop() {
				if err := callSDK(b.Context(), client, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRoute(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := wire.Route("POST", "/model/arn%3Aaws%3Abedrock%3A%3A%3Afoundation-model%2Fa.b/invoke"); !ok {
			b.Fatal("no route")
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, size := range map[string]int{"1KB": 1 << 10, "100KB": 100 << 10} {
		b.Run(name, func(b *testing.B) {
			out := &bedrockruntime.ConverseOutput{
				Output: &types.ConverseOutputMemberMessage{Value: types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{
					&types.ContentBlockMemberText{Value: strings.Repeat("The quick brown fox says: \"é\".\n", size/34)},
				}}},
				StopReason: types.StopReasonEndTurn, Usage: &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), TotalTokens: aws.Int32(3)},
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := wire.Encode(out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	index := aws.Int32(0)
	for name, event := range map[string]wire.Event{
		"text":  &types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{ContentBlockIndex: index, Delta: &types.ContentBlockDeltaMemberText{Value: "a few tokens"}}},
		"chunk": &types.ResponseStreamMemberChunk{Value: types.PayloadPart{Bytes: []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a few tokens"}}`)}},
		"stop":  &types.ConverseStreamOutputMemberMessageStop{Value: types.MessageStopEvent{StopReason: types.StopReasonEndTurn}},
	} {
		b.Run(name, func(b *testing.B) {
			encoder := wire.NewEventEncoder()
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = encoder.AppendEvent(dst[:0], event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
