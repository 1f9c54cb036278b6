package bedrocktest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
)

// notes is a test that keeps what it is told.
type notes struct {
	testing.TB
	mu   sync.Mutex
	said []string
}

func (n *notes) Errorf(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said = append(n.said, fmt.Sprintf(format, args...))
}

// A Reply at fault is told to the test, once, and to the client at once as an
// InternalServerException that names the fault, whatever the operation.
func TestRepliesAtFault(t *testing.T) {
	type reply = func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error)
	gives := func(change func(*bedrockruntime.ConverseOutput)) reply {
		return func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			out := Text("x")
			change(out)
			return out, nil
		}
	}
	block := func(b types.ContentBlock) reply {
		return func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) { return Content(b), nil }
	}
	for _, row := range []struct {
		name  string
		reply reply
		says  string
	}{
		{"it panics", func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) { panic("out of ideas") }, "Reply panicked: out of ideas"},
		{"it panics with an error", func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			panic(errors.New("lost"))
		}, "Reply panicked: lost"},
		{"it dereferences nil", func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			return Text(*in.GuardrailConfig.GuardrailVersion), nil
		}, "Reply panicked"},
		{"it ends its goroutine", func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			new(testing.T).FailNow()
			return nil, nil
		}, "Reply ended its goroutine"},
		{"a usage without output", gives(func(out *bedrockruntime.ConverseOutput) {
			out.Usage = &types.TokenUsage{InputTokens: aws.Int32(1)}
		}), "needs both InputTokens and OutputTokens"},
		{"a usage without input", gives(func(out *bedrockruntime.ConverseOutput) {
			out.Usage = &types.TokenUsage{OutputTokens: aws.Int32(1)}
		}), "needs both InputTokens and OutputTokens"},
		{"an empty usage", gives(func(out *bedrockruntime.ConverseOutput) { out.Usage = &types.TokenUsage{} }), "needs both InputTokens and OutputTokens"},
		{"a negative count", gives(func(out *bedrockruntime.ConverseOutput) {
			out.Usage = &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(-1)}
		}), "negative count"},
		{"a user's message", gives(func(out *bedrockruntime.ConverseOutput) {
			out.Output.(*types.ConverseOutputMemberMessage).Value.Role = types.ConversationRoleUser
		}), `the role of a Reply's message is "user"`},
		{"a nil block", block(nil), "content block 0 of a Reply: it is nil"},
		{"a nil pointer for a block", block((*types.ContentBlockMemberText)(nil)), "content block 0 of a Reply: it is nil"},
		{"a tool use without a name", block(&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: aws.String("t1")}}), "needs both Name and ToolUseId"},
		{"arguments that do not encode", func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			return ToolUse("t1", "x", func() {}), nil
		}, "the tool's Input does not encode"},
		{"a document that does not encode", gives(func(out *bedrockruntime.ConverseOutput) {
			out.AdditionalModelResponseFields = document.NewLazyDocument(make(chan int))
		}), "AdditionalModelResponseFields does not encode"},
		{"a block that no model answers with", block(&types.ContentBlockMemberCachePoint{}), "no model answers with *types.ContentBlockMemberCachePoint"},
		{"an image without a source", block(&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png"}}), "an image needs both Format and Source"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := NewServer(t)
			told := &notes{TB: t}
			s.complaints.tb = told
			s.Reply(row.reply)
			c := bedrockruntime.NewFromConfig(s.Config(), func(o *bedrockruntime.Options) {
				o.RetryMaxAttempts = 2
				o.Retryer = aws.NopRetryer{}
			})
			body := []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`)
			messages := []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hi"}}}}
			settings := &types.InferenceConfiguration{StopSequences: []string{}}
			const model = "anthropic.claude-3-haiku-20240307-v1:0"
			for name, call := range map[string]func() error{
				"Converse": func() error {
					_, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: messages, InferenceConfig: settings})
					return err
				},
				"ConverseStream": func() error {
					_, err := c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String(model), Messages: messages, InferenceConfig: settings})
					return err
				},
				"InvokeModel": func() error {
					_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(model), Body: body})
					return err
				},
				"InvokeModelWithResponseStream": func() error {
					_, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(model), Body: body})
					return err
				},
			} {
				done := make(chan error, 1)
				go func() { done <- call() }()
				var err error
				select {
				case err = <-done:
				case <-time.After(20 * time.Second):
					t.Fatalf("%s hangs", name)
				}
				var api smithy.APIError
				if !errors.As(err, &api) || api.ErrorCode() != "InternalServerException" || !strings.Contains(api.ErrorMessage(), row.says) {
					t.Errorf("%s: %v", name, err)
				}
			}
			s.Close()
			all := strings.Join(told.said, "\n")
			if !strings.Contains(all, row.says) {
				t.Errorf("the test was told %q", all)
			}
			if strings.Contains(row.says, "needs both") && len(told.said) != 1 {
				t.Errorf("the test was told %d times", len(told.said))
			}
			if strings.Contains(row.says, "panicked: out") && !strings.Contains(all, "complaints_test.go") {
				t.Errorf("the test was not told where: %q", all)
			}
		})
	}
}

// A content that one family has no form for is the test's fault, too.
func TestUnfitReplies(t *testing.T) {
	s := NewServer(t)
	told := &notes{TB: t}
	s.complaints.tb = told
	s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return ToolUse("t1", "x", nil), nil
	})
	c := bedrockruntime.NewFromConfig(s.Config(), func(o *bedrockruntime.Options) { o.Retryer = aws.NopRetryer{} })
	_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("meta.llama3-8b-instruct-v1:0"), Body: []byte(`{"prompt":"hi"}`)})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "InternalServerException" || !strings.Contains(api.ErrorMessage(), "has no form for *types.ContentBlockMemberToolUse") || len(told.said) != 1 {
		t.Errorf("%v, %q", err, told.said)
	}
}

// A ReplyInvoke that panics is told as a Reply is, and a server of Start, which has
// no test, survives it.
func TestReplyInvokeAtFault(t *testing.T) {
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.ReplyInvoke(func(string, []byte) ([]byte, error) { panic("no idea") })
	c := bedrockruntime.NewFromConfig(s.Config(), func(o *bedrockruntime.Options) { o.Retryer = aws.NopRetryer{} })
	for range 2 {
		_, err = c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("luma.ray-v2:0"), Body: []byte(`{}`)})
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "InternalServerException" || !strings.Contains(api.ErrorMessage(), "ReplyInvoke panicked: no idea") {
			t.Errorf("%v", err)
		}
	}
}

// A usage that leaves only the total out, and a latency that is left out, are
// filled in; the Reply's own values are left alone.
func TestUsageIsCompleted(t *testing.T) {
	s := NewServer(t)
	own := &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), CacheReadInputTokens: aws.Int32(4)}
	s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		out := Text("x")
		out.Usage, out.Metrics = own, &types.ConverseMetrics{}
		return out, nil
	})
	c := bedrockruntime.NewFromConfig(s.Config())
	out, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"), Messages: []types.Message{
		{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hi"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Usage.TotalTokens != 7 || *out.Metrics.LatencyMs < 1 || own.TotalTokens != nil {
		t.Errorf("%+v %+v %+v", out.Usage, out.Metrics, own)
	}
}
