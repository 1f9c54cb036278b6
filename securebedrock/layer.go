package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// chain composes middleware, the first outermost.
func chain(mws []Middleware, h Handler) (Handler, error) {
	var faults []error
	for i := len(mws) - 1; i >= 0; i-- {
		own := mws[i](h)
		if own == nil {
			faults = append(faults, fmt.Errorf("%w: Middleware: number %d returned a nil Handler", ErrConfig, i+1))
		}
		h = layered(own)
	}
	return h, errors.Join(faults...)
}

// layered gives a Middleware a Call of its own, in which the guard's facts stand,
// and keeps what Handler promises where the Middleware answers or refuses by itself:
// a Result that is not nil, with an Outcome of this call.
func layered(h Handler) Handler {
	return func(ctx context.Context, call *Call) (*Result, error) {
		e, err := entryOf(ctx, call)
		if err != nil {
			return concluded(nil, Outcome{Err: err}), err
		}
		if e.admitted { // counted in by itself: the one before may not wait for it
			e.calls.add()
			defer e.calls.end()
		}
		res, err := h(ctx, e.layer(call))
		e.restore(call)
		if res != nil && res.done != nil && res.done.entry == e {
			return res, err
		}
		own := concluded(e, Outcome{Err: err, Latency: time.Since(e.facts.Start), Canceled: errors.Is(err, context.Canceled)})
		if res != nil {
			own.Output = res.Output // res itself may serve other calls too
		}
		return own, err
	}
}

// concluded is the Result of a call that has ended.
func concluded(e *entry, out Outcome) *Result {
	r := &Result{done: &completion{entry: e}}
	if e != nil {
		r.done.log = e.log
	}
	r.done.complete(&out)
	return r
}

// entryOf finds the call that a Middleware passes on. It must be the one that the
// Middleware was given, with a context that derives from the one it was given.
func entryOf(ctx context.Context, call *Call) (*entry, error) {
	var e *entry
	if ctx != nil {
		e, _ = ctx.Value(entryKey{}).(*entry)
	}
	detail := ""
	switch {
	case call == nil:
		detail = "a Middleware passed on no Call"
	case e == nil:
		detail = "a Middleware passed on a context that does not derive from the one it was given"
	case call.entry != e:
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

// told is the Call as the guard knows it, with what a Middleware may decide.
func (e *entry) told(call *Call) Call {
	own := e.facts
	if m := e.judged.Load(); m != nil {
		own.Model = *m
	}
	own.Input, own.CorrelationID, own.OnEvent = call.Input, call.CorrelationID, call.OnEvent
	return own
}

// layer makes a Middleware's own Call in one allocation.
func (e *entry) layer(call *Call) *Call {
	l := new(struct {
		call    Call
		regions [8]string
	})
	l.call = e.told(call)
	l.call.Model.Regions = append(l.regions[:0:len(l.regions)], l.call.Model.Regions...)
	return &l.call
}

// restore puts the guard's facts back into a Call that a Middleware has passed on.
// A Call that has them already is not written to.
func (e *entry) restore(call *Call) {
	own := e.told(call)
	if call.ID == own.ID && call.Operation == own.Operation && call.Region == own.Region && call.Host == own.Host &&
		call.RoleARN == own.RoleARN && call.SessionName == own.SessionName && call.Guardrail == own.Guardrail &&
		call.Unguarded == own.Unguarded && call.Start.Equal(own.Start) && sameModel(call.Model, own.Model) {
		return
	}
	own.Model.Regions = slices.Clone(own.Model.Regions)
	*call = own
}

func sameModel(a, b Model) bool {
	return a.ID == b.ID && a.Kind == b.Kind && a.Prefix == b.Prefix && a.Region == b.Region &&
		a.Account == b.Account && a.partition == b.partition && slices.Equal(a.Regions, b.Regions)
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
