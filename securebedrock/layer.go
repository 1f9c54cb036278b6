package securebedrock

import (
	"context"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// composeMiddleware makes one Handler of Middleware, the first outermost.
func composeMiddleware(mws []Middleware, h Handler) (Handler, error) {
	var faults refusal.Faults
	for i := len(mws) - 1; i >= 0; i-- {
		own := mws[i](h)
		if own == nil {
			faults.Add("Middleware", "number %d returned a nil Handler", i+1)
		}
		h = layered(own, i == 0)
	}
	return h, faults.Err()
}

// layered gives a Middleware a Call of its own, in which the guard's facts stand,
// and keeps what Handler promises where the Middleware answers or refuses by itself:
// a Result that is not nil, with an Outcome of this call. The outermost Middleware is
// given the Call that the chain begins with, which nobody else knows.
func layered(h Handler, outermost bool) Handler {
	return func(ctx context.Context, call *Call) (*Result, error) {
		e, err := entryOf(ctx, call)
		if err != nil {
			return concluded(nil, Outcome{Err: err}), err
		}
		if e.admitted { // each layer is counted by itself: the layer outside may not wait for it
			e.calls.add()
			defer e.calls.end()
		}
		own := call
		if !outermost {
			own = e.layer(call)
		}
		res, err := h(ctx, own)
		if !outermost {
			e.restore(call)
		}
		if res != nil && res.done != nil && res.done.call == &e.id {
			return res, err
		}
		made := concluded(e, Outcome{Err: err, Latency: time.Since(e.facts.Start), Canceled: canceledByCaller(err)})
		if res != nil {
			made.Output = res.Output // res itself may serve other calls too
		}
		return made, err
	}
}

// entryOf finds the call that a Middleware passes on. It must be the one that the
// Middleware was given, with a context that derives from the one it was given.
func entryOf(ctx context.Context, call *Call) (*entry, error) {
	var e *entry
	if ctx != nil {
		e = entryIn(ctx)
	}
	var detail string
	switch {
	case call == nil:
		detail = "a Middleware passed on no Call"
	case e == nil:
		detail = "a Middleware passed on a context that does not derive from the one it was given"
	case call.identity != &e.id:
		detail = "a Middleware passed on a Call that is not the one it was given or a copy of it"
	default:
		return e, nil
	}
	p := &PolicyError{Rule: ErrConfig, Detail: detail}
	switch {
	case e != nil:
		p.Operation, p.Model = e.op.name, e.facts.Model.ID
	case call != nil:
		p.Operation = call.Operation
	}
	return nil, p
}

type correlationKey struct{}

// WithCorrelationID returns a context whose calls carry id as Call.CorrelationID:
// the application's own name for what the calls belong to, such as the ID of the
// request that it serves. Records carry it; nothing of it is sent to Bedrock.
func WithCorrelationID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, correlationKey{}, id)
}

func correlationID(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey{}).(string)
	return id
}
