// Package middleware has what applications put around their calls beside the
// rules: budgets of tokens and cost, limits of calls in flight and per second, and
// a check of the input before a model is called and billed.
//
//	var client *securebedrock.Client
//	budget, err1 := middleware.Budget(middleware.BudgetOptions{Window: time.Hour, Tokens: 2_000_000})
//	limit, err2 := middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 16})
//	check, err3 := middleware.InputCheck(middleware.InputCheckOptions{Client: func() middleware.Checker { return client }})
//	if err := errors.Join(err1, err2, err3); err != nil {
//		return err
//	}
//	opts.Middleware = []securebedrock.Middleware{audit, otel, budget, limit, check}
//	client, err := securebedrock.New(ctx, opts)
//
// # Order
//
// The first is outermost. Put the audit first, which then records what the others
// refuse, and tracing next. Budget before the limits, so that a call waits with its
// reservation made and is not refused after its wait; Rate before Concurrency, so
// that no call holds a place while it waits for its turn. InputCheck last, so that
// what is refused for other reasons is not checked and paid for; a middleware that
// changes the input stands before it.
// The ApplyGuardrail calls of InputCheck go through the client's chain themselves:
// the audit records them, and Budget, Concurrency, Rate and InputCheck let them
// pass, as they do with every operation that runs no model.
//
// A refusal is a *securebedrock.PolicyError whose Rule is one of the Err… values
// here; Budget's is a *BudgetError and InputCheck's an *InputError too. Its text
// holds no prompt, answer, matched text or credentials, and not the text of its
// cause, which errors.Is and errors.As find.
//
// Limits, and budgets with PerModel, are kept for each model, however the caller
// spells it: "anthropic.x" and "arn:aws:bedrock:R::foundation-model/anthropic.x" are
// one, and "eu.anthropic.x" and "arn:aws:bedrock:R:A:inference-profile/eu.anthropic.x"
// are one. An inference profile and the model that it runs are two, as are
// application profiles, provisioned models, prompts and routers: each is a resource
// with a quota of its own. What is kept in memory is bounded, whatever identifiers
// come.
//
// Each constructor lists all faults of its options in one error that wraps
// securebedrock.ErrConfig. All of it may be used by many goroutines and clients.
package middleware
