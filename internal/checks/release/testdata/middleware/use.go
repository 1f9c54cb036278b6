package main

import (
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// use puts the module into the options. What it returns is called after the call.
func use(server *bedrocktest.Server, opts *securebedrock.Options) (after func() error, err error) {
	budget, err := middleware.Budget(middleware.BudgetOptions{Window: time.Hour, Tokens: 10_000})
	opts.Middleware = []securebedrock.Middleware{budget}
	return func() error { return nil }, err
}
