package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware/redisbudget"
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
	// There is no Redis here: the store says so, and the budget lets the call pass.
	refused := errors.New("no Redis")
	failures := 0
	redisClient := redis.NewClient(&redis.Options{MaxRetries: -1, Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, refused }})
	defer redisClient.Close()
	store, err := redisbudget.New(redisClient, redisbudget.Options{})
	if err != nil {
		return err
	}
	budget, err := middleware.Budget(middleware.BudgetOptions{
		Window: time.Hour, Tokens: 10_000, Store: store, FailOpen: "the example has no Redis", OnError: func(error) { failures++ },
	})
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
	if failures == 0 {
		return errors.New("Redis was not asked")
	}
	fmt.Println("answered:", answer.StopReason)
	return nil
}
