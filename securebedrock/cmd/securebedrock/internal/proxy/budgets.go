package proxy

import (
	"cmp"
	"context"
	"errors"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// budgets bounds the tokens of each caller that has a budget. Nil where none has one. What
// was spent is kept in memory: a budget begins anew with the proxy.
func budgets(callers []configfile.ProxyCaller) (securebedrock.Middleware, error) {
	each := map[string]securebedrock.Middleware{}
	var faults []error
	for _, c := range callers {
		if c.Budget.Tokens == 0 {
			continue
		}
		budget, err := middleware.Budget(middleware.BudgetOptions{
			Name: c.Name, Tokens: c.Budget.Tokens, Window: cmp.Or(c.Budget.Window, defaultWindow),
		})
		faults = append(faults, err)
		each[c.Name] = budget
	}
	if err := errors.Join(faults...); err != nil || len(each) == 0 {
		return nil, err
	}
	return func(next securebedrock.Handler) securebedrock.Handler {
		bounded := make(map[string]securebedrock.Handler, len(each))
		for name, budget := range each {
			bounded[name] = budget(next)
		}
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			caller, _ := bedrockhttp.CallerOf(ctx)
			if handler, ok := bounded[caller.Name]; ok {
				return handler(ctx, call)
			}
			return next(ctx, call)
		}
	}, nil
}
