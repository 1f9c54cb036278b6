// Package middleware has what applications put around their calls beside the
// rules: budgets of tokens and cost, limits of calls in flight and per second, and
// a check of the input before a model is called and billed.
//
//	budget, err := middleware.Budget(middleware.BudgetOptions{Window: time.Hour, Tokens: 2_000_000})
//	limit, err := middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 16})
//	check, err := middleware.InputCheck(middleware.InputCheckOptions{Client: func() middleware.Checker { return client }})
//	opts.Middleware = []securebedrock.Middleware{audit, otel, budget, limit, check}
//
// The first is outermost: put the audit first, which then records what the others
// refuse, and InputCheck last, so that what is refused for other reasons is not
// checked and paid for. A refusal is a *securebedrock.PolicyError whose Rule is one
// of the Err… values here.
//
// Each constructor lists all faults of its options in one error that wraps
// securebedrock.ErrConfig. All of it may be used by many goroutines and clients.
package middleware
