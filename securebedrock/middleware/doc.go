// Package middleware provides what applications put around their calls in addition to
// the rules: budgets of tokens and cost, limits on calls in flight and per second, and a
// check of the input before a model is called and billed.
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
// The first middleware is the outermost. Use this order:
//
//   - the audit first, so that it records what the others refuse; then tracing
//   - Budget before the limits, so that a call that has waited is not refused for its cost
//   - Rate before Concurrency, so that no call holds a place while it waits for its turn
//   - a middleware that changes the input before InputCheck
//   - InputCheck last, so that no check is paid for a call that is refused anyway
//
// The ApplyGuardrail calls of InputCheck pass through the same chain. The audit records
// them. Budget, Concurrency, Rate and InputCheck let them pass, as they do with every
// operation that runs no model.
//
// # Refusals
//
// A refusal is a *securebedrock.PolicyError whose Rule is one of the Err… values of this
// package. A refusal by Budget is a *BudgetError too, and one by InputCheck an *InputError.
// The text of the error holds no prompt, answer, matched text or credentials, and not the text of its
// cause; errors.Is and errors.As find the cause.
//
// # Models
//
// Limits, and budgets with PerModel, count by model. Two spellings of one model count as
// one: "anthropic.x" and "arn:aws:bedrock:R::foundation-model/anthropic.x", or
// "eu.anthropic.x" and "arn:aws:bedrock:R:A:inference-profile/eu.anthropic.x". An
// inference profile and the model that the profile runs count separately. So do
// application profiles, provisioned models, prompts and routers: each is a resource with
// a quota of its own. The memory used is bounded for any set of identifiers.
//
// Each constructor lists all faults of its options in one error that wraps
// securebedrock.ErrConfig. All of this package is safe for concurrent use, also by
// several clients.
package middleware
