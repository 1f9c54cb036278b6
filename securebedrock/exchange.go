package securebedrock

import (
	"context"
	"errors"
	"time"

	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// exchange is one pass through the rules, of which a Middleware may
// make several. While it is approved, it is the seal: credentials and the wire are
// open to it alone. It stands among the stack's values, which the SDK clears when
// another call begins with the same context, and the seal ends with the pass.
type exchange struct {
	context.Context // the exchange's own

	g     *guard
	op    *operation
	call  Call // own copy, in which the rules write what they find
	print *fingerprint

	parsed    *Model // of the input as it came; nil or empty where that was not asked
	seal      seal
	input     any    // what the rules approved
	wire      wire   // what the serializer made of it
	accessKey string // of the credentials that the last attempt was given
	token     string // their session token
	principal string // theirs too
	sends     int    // attempts that the gate has let through
	throttled int    // of them
	attempt   attempt
	wait      time.Duration
	idleFrom  time.Time // zero while an attempt is on its way

	result *stream // the end of the exchange and its Outcome
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

// named completes a refusal with what the call was.
func (ex *exchange) named(err error) error { return named(err, ex.op, ex.call.Model.ID) }

func named(err error, op *operation, model string) error {
	var p *PolicyError
	var r *refusal.Refusal
	switch {
	case errors.As(err, &p):
		p.Operation, p.Model = op.name, model
	case errors.As(err, &r):
		return &PolicyError{Rule: r.Rule, Operation: op.name, Model: model, Detail: r.Detail}
	}
	return err
}
