package middleware_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const haiku = "anthropic.claude-3-haiku-20240307-v1:0"

func newClient(t testing.TB, server *bedrocktest.Server, mws ...securebedrock.Middleware) *securebedrock.Client {
	t.Helper()
	o := server.Options()
	o.Middleware = mws
	o.Retry.MaxAttempts = 1
	c, err := securebedrock.NewFromConfig(server.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func says(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

func converse(text string) *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), Messages: says(text)}
}

func converseStream(text string) *bedrockruntime.ConverseStreamInput {
	return &bedrockruntime.ConverseStreamInput{ModelId: aws.String(haiku), Messages: says(text)}
}

// inner is a middleware of a function.
func inner(f func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error)) securebedrock.Middleware {
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			return f(ctx, call, next)
		}
	}
}

func must(t testing.TB) func(securebedrock.Middleware, error) securebedrock.Middleware {
	return func(m securebedrock.Middleware, err error) securebedrock.Middleware {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

func arrived(server *bedrocktest.Server, operation string) int {
	n := 0
	for _, c := range server.Calls() {
		if c.Operation == operation {
			n++
		}
	}
	return n
}

func body(text string) []byte {
	return []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"messages":[{"role":"user","content":"` + text + `"}]}`)
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to pass that %s", what)
		}
	}
}

// noGoroutines waits until no goroutine is in the package any more.
func noGoroutines(t testing.TB) {
	t.Helper()
	eventually(t, "no goroutine is left", func() bool {
		buf := make([]byte, 1<<20)
		return !strings.Contains(string(buf[:runtime.Stack(buf, true)]), "securebedrock/middleware.")
	})
}

func lazy(v any) document.Interface { return document.NewLazyDocument(v) }
