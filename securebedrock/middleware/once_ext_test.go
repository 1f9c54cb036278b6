package middleware_test

import (
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// An open stream may last for hours. What is booked for its call holds no prompt meanwhile.
func TestOpenStreamHoldsNoPrompt(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	cfg := server.Config()
	cfg.APIOptions = nil // as a user's is
	opts := server.Options()
	for _, made := range []func() (securebedrock.Middleware, error){
		func() (securebedrock.Middleware, error) {
			return middleware.Budget(middleware.BudgetOptions{Window: time.Hour, Tokens: 100_000})
		},
		func() (securebedrock.Middleware, error) {
			return middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 4})
		},
		func() (securebedrock.Middleware, error) {
			return middleware.Rate(middleware.RateOptions{PerSecond: 100})
		},
	} {
		mw, err := made()
		if err != nil {
			t.Fatal(err)
		}
		opts.Middleware = append(opts.Middleware, mw)
	}
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
