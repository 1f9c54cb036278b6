package bedrocktest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestConverseStream(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		unary, err := probe.Client(s).Converse(t.Context(), probe.Ask("Tell me a story about a fox"))
		if err != nil {
			t.Fatal(err)
		}
		got := stream(t, s, probe.AskStream("Tell me a story about a fox"))
		if got.err != nil || got.text != textOf(t, unary) || got.stop != types.StopReasonEndTurn || got.deltas < 4 {
			t.Errorf("%+v (%v)", got, got.err)
		}
		if got.metadata == nil || *got.metadata.Usage.TotalTokens != *unary.Usage.TotalTokens || *got.metadata.Metrics.LatencyMs < 1 {
			t.Errorf("metadata %+v", got.metadata)
		}
	})
}

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
			out, err := probe.Client(s).ConverseStream(t.Context(), probe.AskStream("hi"))
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
				probe.Model:                       {string(probe.InvokeBody(t, "hi")), "delta.partial_json"},
				"amazon.nova-lite-v1:0":           {`{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, "contentBlockDelta.delta.toolUse.input"},
				"openai.gpt-oss-20b-1:0":          {`{"messages":[{"role":"user","content":"hi"}]}`, "choices.0.delta.tool_calls.0.function.arguments"},
				"mistral.pixtral-large-2502-v1:0": {`{"messages":[{"role":"user","content":"hi"}]}`, "choices.0.delta.tool_calls.0.function.arguments"},
			} {
				var pieces []string
				for _, chunk := range probe.InvokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &model, Body: []byte(row.body)}) {
					var piece string
					if raw := probe.At(t, []byte(chunk), row.path); raw != "" {
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
