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

// BudgetOptions of a Budget.
type BudgetOptions struct {
	// Name tells budgets apart in errors and in a shared Store. It has no slash.
	// Empty: "default".
	Name string
	// Window is the time after which the budget begins anew, in whole seconds.
	// Windows are fixed and follow one another from the Unix epoch on, so that
	// time.Minute, time.Hour and 24*time.Hour are those of UTC. Around a window's end
	// up to two budgets can be spent within the length of one. Required.
	Window time.Duration
	// Tokens and Cost are what may be spent in a window. Zero: no such limit. One is
	// required.
	Tokens, Cost int64
	// Prices are needed for Cost. A model without one is refused.
	Prices []Price
	// Key gives each model (PerModel) or tenant, say, a budget of its own. Nil: all
	// calls share one.
	Key func(ctx context.Context, call *securebedrock.Call) string
	// Estimate says what a call may spend before it is sent. Nil: EstimateTokens.
	Estimate func(call *securebedrock.Call) securebedrock.Usage
	// Store keeps what was spent. Nil: this process's memory.
	Store Store
	// FailOpen is the reason for which calls are sent although the Store fails; they
	// are not counted. Empty: they are refused.
	FailOpen string
	// OnError is told what the Store could not do, by many goroutines at once.
	// Required with a Store of your own: a call that could not be settled stays
	// counted with its estimate, which somebody should know.
	OnError func(error)
}

// PerModel is a Key that gives each model identifier a budget of its own.
func PerModel(_ context.Context, call *securebedrock.Call) string { return call.Model.ID }

const settleTimeout = 5 * time.Second

// Budget refuses a call with a *BudgetError when the window's budget is spent.
// Before the send it reserves an estimate, so that calls at the same time cannot
// all take the last token; at the end it settles to what Bedrock counted, in the
// window in which the call began.
//
// What was not sent, and what a service answered with an error, costs nothing.
// Where a call was sent and no count came back (a cancelled stream, a lost
// connection, an InvokeModel answer that tells none), the estimate stays; of a
// stream that broke off after a first count, the input's count and the output's
// estimate. A call that spends more than its estimate may pass the limit by that
// much. Attempts before the last are not counted: Bedrock does not tell what a
// lost one cost. A middleware further in that fails an answered call has to return
// the Result that it got, or the call seems not to have been sent.
func Budget(opts BudgetOptions) (securebedrock.Middleware, error) {
	var f faults
	if strings.Contains(opts.Name, "/") {
		f.add("Budget", "Name", "%q has a slash", opts.Name)
	}
	if opts.Window < time.Second || opts.Window%time.Second != 0 {
		f.add("Budget", "Window", "%s; whole seconds, one at least, are needed", opts.Window)
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
	if opts.Store != nil && opts.OnError == nil {
		f.add("Budget", "OnError", "a Store can fail, and a call that could not be settled must not go unnoticed")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	b := &budget{opts}
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
	var key string
	if b.Key != nil {
		key = b.Key(ctx, call)
	}
	price, ok := b.price(call.Model.ID)
	if !ok {
		return nil, b.refuse(call, key, nil, "budget %q has no price for the model; add one to Prices", b.Name)
	}
	estimate := b.Estimate(call)
	reserved, limit := price.amount(estimate), Amount{b.Tokens, b.Cost}
	r, ok, err := b.Store.Reserve(ctx, b.Name+"/"+key, b.Window, limit, reserved)
	switch {
	case err != nil && b.FailOpen == "":
		return nil, b.refuse(call, key, err, "the store of budget %q could not be asked; mend it, or say in FailOpen why calls may go without", b.Name)
	case err != nil:
		b.failed("a call goes without", err)
		return next(ctx, call)
	case !ok && !reserved.fits(limit, Amount{}):
		return nil, b.refuse(call, key, nil, "the call may need more than all of budget %q; give it a lower maxTokens, or raise the budget", b.Name)
	case !ok:
		e := b.refuse(call, key, nil, "budget %q has no room for this call; its window ends at %s", b.Name, r.Ends.UTC().Format(time.RFC3339))
		e.Frees = r.Ends
		return nil, e
	}
	return once(func() (*securebedrock.Result, error) {
		res, err := next(ctx, call)
		if p, ok := b.price(call.Model.ID); ok { // an inner middleware may have chosen another model
			price = p
		}
		return res, err
	}, func(e ending) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		defer cancel()
		if err := b.Store.Settle(ctx, r, spent(price, e, estimate, reserved)); err != nil {
			b.failed("a call could not be settled and stays counted with its estimate", err)
		}
	})
}

func (b *budget) refuse(call *securebedrock.Call, key string, cause error, format string, args ...any) *BudgetError {
	return &BudgetError{Name: b.Name, Key: key, Limit: Amount{b.Tokens, b.Cost}, refusal: refuse(ErrBudget, call, cause, format, args...)}
}

func (b *budget) failed(what string, err error) {
	if b.OnError != nil {
		b.OnError(fmt.Errorf("middleware: budget %q: %s: %w", b.Name, what, err))
	}
}

func (b *budget) price(model string) (Price, bool) {
	for _, p := range b.Prices {
		if matches(p.Model, model) {
			return p, true
		}
	}
	return Price{}, b.Cost == 0
}

// spent is what a call cost in the end.
func spent(price Price, e ending, estimate securebedrock.Usage, reserved Amount) Amount {
	var api smithy.APIError
	u := e.Usage
	switch {
	case e.panicked: // it may have been sent
		return reserved
	case e.Attempts == 0:
		return Amount{}
	case u == securebedrock.Usage{} && e.Events == 0 && errors.As(e.Err, &api):
		return Amount{}
	case u == securebedrock.Usage{}:
		return reserved
	case e.StopReason == "" && (e.Err != nil || e.Canceled): // a stream's first count, of its input
		u.OutputTokens = max(u.OutputTokens, estimate.OutputTokens)
	}
	return price.amount(u)
}
