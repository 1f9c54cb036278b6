package redisbudget_test

import (
	"crypto/tls"
	"log"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware/redisbudget"
)

// Every process that names this budget in this Redis spends from it.
func Example() {
	client := redis.NewClient(&redis.Options{
		Addr: "redis.example.com:6379", TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		ContextTimeoutEnabled: true,
	})
	defer func() { _ = client.Close() }()
	store, err := redisbudget.New(client, redisbudget.Options{})
	if err != nil {
		log.Fatal(err)
	}
	budget, err := middleware.Budget(middleware.BudgetOptions{
		Name: "team-a", Window: 24 * time.Hour, Tokens: 10_000_000,
		Store: store, OnError: func(err error) { log.Print(err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = securebedrock.Options{Middleware: []securebedrock.Middleware{budget}}
}
