package audit_test

import (
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// An open stream may last for hours. Its record holds no prompt meanwhile.
func TestOpenStreamHoldsNoPrompt(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	cfg := server.Config()
	cfg.APIOptions = nil // as a user's is
	opts := server.Options()
	sink := new(memory)
	opts.Middleware = []securebedrock.Middleware{record(t, sink, audit.Options{ToolNames: true, Content: audit.ContentPolicy{Mode: audit.ContentRedacted, Redactor: audit.Patterns()}})}
	c, err := securebedrock.NewFromConfig(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	es, prompt := func() (*bedrockruntime.ConverseStreamEventStream, weak.Pointer[types.ContentBlockMemberText]) {
		text := &types.ContentBlockMemberText{Value: "one two three four five six seven eight nine ten eleven twelve"}
		out, err := c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{
			ModelId: aws.String(haiku), Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{text}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.GetStream(), weak.Make(text)
	}()
	<-es.Events()
	for end := time.Now().Add(10 * time.Second); prompt.Value() != nil; time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(end) {
			t.Fatal("the prompt is still held")
		}
	}
	if err := es.Close(); err != nil {
		t.Error(err)
	}
}

func TestToolNamesAreThoseThatTheCallDeclared(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		use := func(name string) types.ContentBlock {
			return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Name: &name, ToolUseId: aws.String("t1"), Input: document(map[string]any{"city": "Bonn"})}}
		}
		return &bedrockruntime.ConverseOutput{StopReason: types.StopReasonToolUse, Output: &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{use("weather"), use("what_the_user_said")}}}}, nil
	})
	tools := &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
		Name: aws.String("weather"), InputSchema: &types.ToolInputSchemaMemberJson{Value: document(map[string]any{"type": "object"})}}}}}
	for _, stream := range []bool{false, true} {
		for _, wanted := range []bool{false, true} {
			sink := new(memory)
			c := newClient(t, server, sink, audit.Options{ToolNames: wanted})
			if stream {
				in := converseStream("hello")
				in.ToolConfig = tools
				out, err := c.ConverseStream(t.Context(), in)
				if err != nil {
					t.Fatal(err)
				}
				for range out.GetStream().Events() {
				}
				out.GetStream().Close()
			} else {
				in := converse("hello")
				in.ToolConfig = tools
				if _, err := c.Converse(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			_, out := sink.pair(t)
			want := ""
			if wanted {
				want = "weather (undeclared)"
			}
			if got := strings.Join(out.Tools, " "); got != want {
				t.Errorf("stream %t, wanted %t: %q", stream, wanted, got)
			}
		}
	}
}
