package audit_test

import (
	"runtime"
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
