package middleware

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Amount is what calls spend. Cost is in millionths of the owner's currency, so
// that sums are exact.
type Amount struct{ Tokens, Cost int64 }

// Price is what a model costs, in millionths of the owner's currency for a million
// tokens: 3 USD for a million tokens is 3_000_000.
type Price struct {
	// Model is a model identifier as the caller writes it; '*' matches any run of
	// characters. The first Price that matches counts.
	Model                                string
	Input, Output, CacheRead, CacheWrite int64
}

// BudgetOptions of a Budget.
type BudgetOptions struct {
	// Name tells budgets apart in errors and in a shared Store. Empty: "default".
	Name string
	// Window is the time after which the budget begins anew: windows follow one
	// another from the Unix epoch on, so that 24 h is a UTC day. Required.
	Window time.Duration
	// Tokens and Cost are what may be spent in a window. Zero: no such limit. One is
	// required.
	Tokens, Cost int64
	// Prices are needed for Cost. A model without one is refused.
	Prices []Price
	// Key gives each tenant, say, a budget of its own. Nil: all calls share one.
	Key func(ctx context.Context, call *securebedrock.Call) string
	// Estimate says what a call may spend before it is sent. Nil: EstimateTokens.
	Estimate func(call *securebedrock.Call) securebedrock.Usage
	// Store keeps what was spent. Nil: this process's memory.
	Store Store
	// FailOpen is the reason for which calls are sent although the Store fails.
	// Empty: they are refused.
	FailOpen string
	// OnError is told what the Store could not do. It may be called by many
	// goroutines at once.
	OnError func(error)
}

// Window is one of a budget's windows.
type Window struct {
	ID   int64 // the number of whole windows since the Unix epoch
	Ends time.Time
}

// Store keeps what was spent, for many goroutines, and for many processes where it
// can.
type Store interface {
	// Reserve adds amount to what key has spent in its window of now, and returns
	// that window, unless a limit would be passed: then it adds nothing and returns
	// false. A limit of zero is none.
	Reserve(ctx context.Context, key string, window time.Duration, limit, amount Amount) (Window, bool, error)
	// Settle adds amount, which may be negative, to what key has spent in w. A
	// window that is over may be forgotten.
	Settle(ctx context.Context, key string, window time.Duration, w Window, amount Amount) error
}

const settleTimeout = 5 * time.Second

// Budget refuses a call when the window's budget is spent. Before the send it
// reserves an estimate, so that calls at the same time cannot all take the last
// token; at the end it settles to what Bedrock counted. What was not sent, and
// what a service answered with an error, costs nothing; where a call was sent and
// no count came back (a cancelled stream, a lost connection), the estimate stays.
// A call that spends more than its estimate may pass the limit by that much.
func Budget(opts BudgetOptions) (securebedrock.Middleware, error) {
	var f faults
	if opts.Window <= 0 {
		f.add("Budget", "Window", "%s; a positive time is needed", opts.Window)
	}
	if opts.Tokens < 0 || opts.Cost < 0 || opts.Tokens == 0 && opts.Cost == 0 {
		f.add("Budget", "Tokens, Cost", "one limit at least is needed, and none below zero")
	}
	if opts.Cost > 0 && len(opts.Prices) == 0 {
		f.add("Budget", "Prices", "Cost needs the models' prices")
	}
	for _, p := range opts.Prices {
		if p.Model == "" || min(p.Input, p.Output, p.CacheRead, p.CacheWrite) < 0 {
			f.add("Budget", "Prices", "%q: a model and prices that are not negative are needed", p.Model)
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	b := &budget{BudgetOptions: opts}
	b.Prices = slices.Clone(opts.Prices)
	if b.Name == "" {
		b.Name = "default"
	}
	if b.Estimate == nil {
		b.Estimate = EstimateTokens
	}
	if b.Store == nil {
		b.Store = NewMemory()
	}
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			if !infers(call.Operation) {
				return next(ctx, call)
			}
			return b.handle(ctx, call, next)
		}
	}, nil
}

type budget struct{ BudgetOptions }

func (b *budget) handle(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
	price, ok := b.price(call.Model.ID)
	if !ok {
		return nil, refuse(ErrBudget, call, "budget %q has no price for the model; add one to Prices", b.Name)
	}
	key := b.Name
	if b.Key != nil {
		key += "/" + b.Key(ctx, call)
	}
	limit := Amount{b.Tokens, b.Cost}
	reserved := price.amount(b.Estimate(call))
	w, ok, err := b.Store.Reserve(ctx, key, b.Window, limit, reserved)
	switch {
	case err != nil && b.FailOpen == "":
		return nil, refuse(because(ErrBudget, err), call, "the store of budget %q could not be asked; mend it, or say in FailOpen why calls may go without", b.Name)
	case err != nil:
		b.failed(fmt.Errorf("middleware: budget %q: a call goes without: %w", b.Name, err))
		return next(ctx, call)
	case !ok:
		return nil, refuse(ErrBudget, call, "budget %q has no room for this call; its window ends at %s", b.Name, w.Ends.UTC().Format(time.RFC3339))
	}
	settle := context.WithoutCancel(ctx)
	return once(func() (*securebedrock.Result, error) { return next(ctx, call) }, func(o securebedrock.Outcome, told bool) {
		rest := b.spent(price, o, reserved, told)
		rest.Tokens -= reserved.Tokens
		rest.Cost -= reserved.Cost
		if rest == (Amount{}) {
			return
		}
		ctx, cancel := context.WithTimeout(settle, settleTimeout)
		defer cancel()
		if err := b.Store.Settle(ctx, key, b.Window, w, rest); err != nil {
			b.failed(fmt.Errorf("middleware: budget %q: a call could not be settled: %w", b.Name, err))
		}
	})
}

func (b *budget) failed(err error) {
	if b.OnError != nil {
		b.OnError(err)
	}
}

// spent is what a call cost in the end.
func (b *budget) spent(price Price, o securebedrock.Outcome, reserved Amount, told bool) Amount {
	var api smithy.APIError
	switch {
	case o.Usage != (securebedrock.Usage{}):
		return price.amount(o.Usage)
	case !told && o.Err == nil: // a panic: it may have been sent
		return reserved
	case o.Attempts == 0:
		return Amount{}
	case o.Events == 0 && errors.As(o.Err, &api):
		return Amount{}
	}
	return reserved
}

func (b *budget) price(model string) (Price, bool) {
	for _, p := range b.Prices {
		if matches(p.Model, model) {
			return p, true
		}
	}
	return Price{}, b.Cost == 0
}

func (p Price) amount(u securebedrock.Usage) Amount {
	const million = 1_000_000
	cost := u.InputTokens*p.Input + u.OutputTokens*p.Output + u.CacheReadTokens*p.CacheRead + u.CacheWriteTokens*p.CacheWrite
	return Amount{
		Tokens: max(u.TotalTokens, u.InputTokens+u.OutputTokens+u.CacheReadTokens+u.CacheWriteTokens),
		Cost:   (cost + million - 1) / million,
	}
}

// matches is the pattern of securebedrock.Options.Models.
func matches(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}
