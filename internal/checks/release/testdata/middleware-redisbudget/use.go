package main

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware/redisbudget"
)

// use puts the module into the options. What it returns is called after the call.
func use(server *bedrocktest.Server, opts *securebedrock.Options) (after func() error, err error) {
	// There is no Redis here: the store says so, and the budget lets the call pass.
	refused, failures := errors.New("no Redis"), 0
	client := redis.NewClient(&redis.Options{
		MaxRetries: -1, ContextTimeoutEnabled: true,
		Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, refused },
	})
	store, err := redisbudget.New(client, redisbudget.Options{})
	if err != nil {
		return nil, err
	}
	budget, err := middleware.Budget(middleware.BudgetOptions{
		Window: time.Hour, Tokens: 10_000, Store: store, FailOpen: "the program has no Redis", OnError: func(error) { failures++ },
	})
	opts.Middleware = []securebedrock.Middleware{budget}
	return func() error {
		if failures == 0 {
			return errors.New("Redis was not asked")
		}
		return client.Close()
	}, err
}
