package middleware

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// BudgetOptions are the options of Budget.
type BudgetOptions struct {
	// Name identifies the budget in errors and in a shared Store. Name has no
	// slash. Empty: "default".
	Name string
	// Window is the time after which the budget starts again, in whole seconds.
	// Windows are fixed and follow one another from the Unix epoch: time.Minute,
	// time.Hour and 24*time.Hour start with the minute, hour and day in UTC. Around
	// the end of a window, up to two budgets can be spent within the length of one
	// window. Required.
	Window time.Duration
	// Tokens and Cost are the limits of a window. Zero: no such limit. At least one
	// is required.
	Tokens, Cost int64
	// Prices are required with Cost. A call is refused if no Price matches its
	// model and the service tier that it asks for. A call is settled with the price
	// of the tier that served it, if there is one.
	Prices []Price
	// Key selects the budget of a call, for example one budget for each model
	// (PerModel) or tenant. Nil: all calls share one budget.
	Key func(ctx context.Context, call *securebedrock.Call) string
	// Estimate returns what a call may spend, before the call is sent. Nil:
	// EstimateTokens.
	Estimate func(call *securebedrock.Call) securebedrock.Usage
	// Store holds what was spent. Nil: the memory of this process. A Store that
	// panics or does not return has failed. Budget waits for Reserve until the
	// call's context ends, and for Settle for 5 s, also when the Store ignores its
	// context.
	Store Store
	// FailOpen is the reason to send calls although the Store has failed. These
	// calls are not counted. Empty: these calls are refused.
	FailOpen string
	// OnError receives the errors of the Store. Many goroutines may call OnError at
	// the same time. OnError is required with a Store of your own: a call that
	// could not be settled stays counted with its estimate, and somebody should
	// know. OnError also receives the error when a call was given up while the
	// Store reserved for the call. A panic of OnError is caught.
	OnError func(error)
}

// PerModel is a BudgetOptions.Key that gives each model its own budget. All
// spellings of a model share one budget.
func PerModel(_ context.Context, call *securebedrock.Call) string { return nameOf(call.Model.ID) }

const (
	releaseTimeout = 2 * time.Second // a caller waits this long, possibly one who gave up
)

// Budget refuses a call with a *BudgetError when the budget of the window is spent.
// Before the send, Budget reserves an estimate, so that calls at the same time
// cannot all take the last token. At the end of the call, Budget replaces the
// estimate by what Bedrock counted, in the window in which the call began.
//
// These calls cost nothing: a call that was not sent; a call that a service
// answered with an error, also in the first frame of a stream; a prompt that the
// guardrail blocked before the model ran.
//
// The estimate stays counted if a call was sent and no count came back: a cancelled
// stream, a lost connection, or an InvokeModel answer without a count. If a stream
// broke off after a first count, Budget counts the input of that count and the
// estimate of the output.
//
// A call that spends more than its estimate may exceed the limit by the difference.
// Attempts before the last are not counted: Bedrock does not report the cost of a
// lost attempt. A middleware further in that fails an answered call must return the
// Result that it received. Otherwise the call seems not to have been sent.
//
// A panic of Key or Estimate refuses the call. A panic of the Store counts as a
// failure of the Store. A panic of OnError is caught.
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
		if p.Model == "" || min(p.Input, p.Output, p.CacheRead, p.CacheWrite, p.CacheWrite1h) < 0 {
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
	if _, ours := b.Store.(*Memory); !ours {
		b.Store = &foreignStore{Store: b.Store, slots: make(chan struct{}, maxStoreCalls)}
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
	var estimate securebedrock.Usage
	if err := caught("BudgetOptions.Key or Estimate", func() error {
		if b.Key != nil {
			key = b.Key(ctx, call)
		}
		estimate = b.Estimate(call)
		return nil
	}); err != nil {
		e := b.refuse(call, key, err, "a function of budget %q panicked: Key or Estimate; mend it", b.Name)
		e.name = nameBudgetFailed
		return nil, e
	}
	asked := tierOf(call.Input)
	price, ok := b.price(call.Model.ID, asked)
	if !ok {
		e := b.refuse(call, key, nil, "budget %q has no price for the model in the service tier %s; add one to Prices", b.Name, known(asked))
		e.name = nameBudgetPrice
		return nil, e
	}
	hour := cachesForAnHour(call.Input)
	reserved, limit := price.amount(estimate, hour), Amount{b.Tokens, b.Cost}
	r, ok, err := b.Store.Reserve(ctx, b.Name+"/"+key, b.Window, limit, reserved)
	if err != nil {
		return b.withoutStore(ctx, call, next, key, r, err)
	}
	if !ok {
		return nil, b.full(call, key, r, reserved, limit)
	}
	model := call.Model.ID // copied: an open stream must not keep the call and its prompt in memory
	return once(func() (*securebedrock.Result, error) {
		res, err := next(ctx, call)
		model = call.Model.ID
		if p, ok := b.price(model, tierOf(call.Input)); ok { // an inner middleware may have chosen another model
			price = p
		}
		return res, err
	}, func(e ending) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		defer cancel()
		if p, ok := b.price(model, e.ServiceTier); ok && e.ServiceTier != "" {
			price = p
		}
		if err := b.Store.Settle(ctx, r, spent(price, e, estimate, reserved, hour)); err != nil {
			b.failed("a call could not be settled and stays counted with its estimate", err)
		}
	})
}

// withoutStore refuses a call for which the Store failed, or sends the call uncounted.
// A Reservation with an ID means that the Store may have reserved. That Reservation is
// settled with nothing, also when the caller has gone.
func (b *budget) withoutStore(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler, key string, r Reservation, err error) (*securebedrock.Result, error) {
	if r.ID != "" {
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		settleErr := b.Store.Settle(release, r, Amount{})
		cancel()
		if settleErr != nil {
			b.failed("a call was given up while the store reserved for it, and the reservation could not be released: it may stay counted", errors.Join(err, settleErr))
		} else {
			b.failed("a call was given up while the store reserved for it; the reservation is released", err)
		}
	}
	if b.FailOpen == "" {
		e := b.refuse(call, key, err, "the store of budget %q could not be asked; mend it, or say in FailOpen why calls may go without", b.Name)
		e.name = nameBudgetStore
		return nil, e
	}
	b.failed("a call goes without", err)
	return next(ctx, call)
}

// full refuses a call for which there is no room. The error says how much the call
// would need.
func (b *budget) full(call *securebedrock.Call, key string, r Reservation, needed, limit Amount) *BudgetError {
	// If there seems to be room, the Store has not reported what is spent.
	told := !needed.fits(limit, r.Spent)
	left := Amount{Tokens: max(limit.Tokens-r.Spent.Tokens, 0), Cost: max(limit.Cost-r.Spent.Cost, 0)}
	var e *BudgetError
	if needed.fits(limit, Amount{}) {
		numbers := needed.of(limit) + " may be needed"
		if told {
			numbers += ", " + left.of(limit) + " left"
		}
		e = b.refuse(call, key, nil, "budget %q has no room for this call (%s); its window ends at %s", b.Name, numbers, r.Ends.UTC().Format(time.RFC3339))
		e.Frees = r.Ends
	} else {
		e = b.refuse(call, key, nil, "the call may need more than all of budget %q (%s of %s); give it a lower maxTokens, or raise the budget", b.Name, needed.of(limit), limit.of(limit))
	}
	e.Needed = needed
	if told {
		e.Left = left
	}
	return e
}

func (b *budget) refuse(call *securebedrock.Call, key string, cause error, format string, args ...any) *BudgetError {
	return &BudgetError{Name: b.Name, Key: key, Limit: Amount{b.Tokens, b.Cost}, refusal: refuse(ErrBudget, call, cause, format, args...)}
}

// failed calls OnError. A panic of OnError has no receiver.
func (b *budget) failed(what string, err error) {
	if b.OnError != nil {
		_ = caught("BudgetOptions.OnError", func() error {
			b.OnError(fmt.Errorf("middleware: budget %q: %s: %w", b.Name, what, err))
			return nil
		})
	}
}

func (b *budget) price(model, tier string) (Price, bool) {
	name := nameOf(model)
	for _, p := range b.Prices {
		if p.fits(model, name, tier) {
			return p, true
		}
	}
	return Price{}, b.Cost == 0
}

// spent returns the final cost of a call.
func spent(price Price, e ending, estimate securebedrock.Usage, reserved Amount, hour bool) Amount {
	u := e.Usage
	switch {
	case e.panicked: // the call may have been sent
		return reserved
	case e.Attempts == 0:
		return Amount{}
	case u == securebedrock.Usage{}:
		if unanswered(e.Outcome) || e.Counted && e.Guardrail.Intervened && e.Err == nil {
			return Amount{}
		}
		return reserved
	case e.StopReason == "" && (e.Err != nil || e.Canceled): // a stream's first count, which is of the input
		u.OutputTokens = max(u.OutputTokens, estimate.OutputTokens)
	}
	return price.amount(u, hour)
}

// unanswered reports whether a call that was sent failed before the model produced
// anything: a service answered with an error, or no model was reached. The error may
// be the first frame of a stream, which counts as an event.
func unanswered(o securebedrock.Outcome) bool {
	var api smithy.APIError
	if errors.As(o.Err, &api) {
		return o.Events <= 1
	}
	if o.Events > 0 {
		return false
	}
	var dial *net.OpError
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	return errors.Is(o.Err, securebedrock.ErrRedirect) || errors.Is(o.Err, securebedrock.ErrConnectTimeout) ||
		errors.As(o.Err, &dial) && (dial.Op == "dial" || dial.Op == "proxyconnect") || errors.As(o.Err, &name) || errors.As(o.Err, &certificate)
}
