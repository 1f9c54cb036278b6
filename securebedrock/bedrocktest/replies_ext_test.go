package bedrocktest_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestToolUse(t *testing.T) {
	s := bedrocktest.NewServer(t)
	s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return &bedrockruntime.ConverseOutput{Output: &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant,
			Content: []types.ContentBlock{&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
				ToolUseId: aws.String("t1"), Name: aws.String("weather"), Input: document.NewLazyDocument(map[string]any{"city": "Kyiv"}),
			}}},
		}}}, nil
	})
	out, err := probe.Client(s).Converse(t.Context(), probe.Ask("weather?"))
	if err != nil {
		t.Fatal(err)
	}
	use := out.Output.(*types.ConverseOutputMemberMessage).Value.Content[0].(*types.ContentBlockMemberToolUse).Value
	var args struct {
		City string `document:"city"`
	}
	if err := use.Input.UnmarshalSmithyDocument(&args); err != nil || args.City != "Kyiv" || out.StopReason != types.StopReasonToolUse {
		t.Errorf("%+v %v %v", args, err, out.StopReason)
	}
	got := stream(t, s, probe.AskStream("weather?"))
	if got.err != nil || got.stop != types.StopReasonToolUse || !json.Valid([]byte(got.tool)) {
		t.Errorf("%+v (%v)", got, got.err)
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
			got := stream(t, s, probe.AskStream("hi"))
			if got.err != nil || got.stop != types.StopReasonToolUse || got.tool != row.want {
				t.Errorf("%q, %v", got.tool, got.err)
			}
			out, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
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
		out, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
		if err != nil {
			t.Fatal(err)
		}
		probe.Contains(t, textOf(t, out), want)
	}
	_, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
	probe.WantCode(t, err, 424, "ModelErrorException")
	probe.Contains(t, err.Error(), "the Script has 3 replies, and this is call 4")

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
			out, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
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
