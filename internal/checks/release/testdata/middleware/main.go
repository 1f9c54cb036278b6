package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	server, err := bedrocktest.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	opts := server.Options()
	budget, err := middleware.Budget(middleware.BudgetOptions{Window: time.Hour, Tokens: 10_000})
	if err != nil {
		return err
	}
	opts.Middleware = []securebedrock.Middleware{budget}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		return err
	}
	answer, err := client.InvokeModelSafely(ctx, "anthropic.claude-3-haiku-20240307-v1:0", []types.Message{{
		Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hello!"}},
	}})
	if err != nil {
		return err
	}
	if err := client.Shutdown(ctx); err != nil {
		return err
	}
	fmt.Println("answered:", answer.StopReason)
	return nil
}
