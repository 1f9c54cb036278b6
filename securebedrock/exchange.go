package securebedrock

import (
	"context"

	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/seal"
)

// exchange holds the facts of one pass through the rules, of which a Middleware may
// make several. While an exchange is approved, it is the seal: credentials and the
// wire are open to it alone. The exchange stands among the stack's values, which the
// SDK clears when another call begins with the same context. The seal ends with the
// pass.
type exchange struct {
	op        *operation
	id        string // Call.ID
	unguarded string // Call.Unguarded
	onEvent   func(any)
	watched   bool // an application's own steps may stand in the stack
	print     *seal.Fingerprint

	model   Model // as the rules find it
	seal    seal.Seal
	input   any          // what the rules approved
	request seal.Request // what the serializer made of it

	delivery        delivery
	afterSerializer middleware.SerializeHandler
	next            middleware.FinalizeHandler // behind the retry loop

	result *stream // the end of the exchange and its Outcome
}

// newExchange makes the exchange of a pass. The end of a stream is an object of its
// own, since the end outlives the call.
func newExchange(e *entry, call *Call) *exchange {
	var ex *exchange
	if e.op.stream {
		ex = &exchange{result: new(stream)}
	} else {
		both := new(struct { // one allocation
			exchange exchange
			result   stream
		})
		ex = &both.exchange
		ex.result = &both.result
	}
	ex.op, ex.id, ex.unguarded, ex.watched = e.op, e.facts.ID, e.facts.Unguarded, e.watched
	ex.model, ex.onEvent = *e.model(), call.OnEvent
	ex.result.op, ex.result.start = e.op, e.facts.Start
	ex.result.done.call, ex.result.done.log = &e.id, e.log
	return ex
}

type exchangeKey struct{}

// carried puts the exchange among the stack's values of a context.
func (ex *exchange) carried(ctx context.Context) context.Context {
	return middleware.WithStackValue(ctx, exchangeKey{}, ex)
}

func exchangeOf(ctx context.Context) *exchange {
	ex, _ := middleware.GetStackValue(ctx, exchangeKey{}).(*exchange)
	return ex
}

type selfKey struct{}

// withSelf returns a context in which ctx can be found again, however far a context
// derives from it.
func withSelf(ctx context.Context) context.Context { return context.WithValue(ctx, selfKey{}, ctx) }

// selfOf is the context that withSelf was given; nil where there is none.
func selfOf(ctx context.Context) context.Context {
	own, _ := ctx.Value(selfKey{}).(context.Context)
	return own
}

// named makes the public error of a refusal in this exchange.
func (ex *exchange) named(err error) error { return named(err, ex.op.name, ex.model.ID) }
