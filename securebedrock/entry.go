package securebedrock

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
)

// entry is one call of the SDK's stack, from its entry into the Middleware chain to
// the chain's return. A Middleware may make several passes through it.
type entry struct {
	id callIdentity // of every Call and Result of this call

	op       *operation
	calls    *inFlight      // the client's
	log      logging.Logger // the client's
	layered  bool           // the client has a Middleware
	next     middleware.InitializeHandler
	facts    Call                  // what the guard, and no Middleware, says of the call; fixed before the chain runs
	judged   atomic.Pointer[Model] // as the rules of the last pass left it
	watched  bool                  // an application's own steps may stand behind the chain
	phase    atomic.Int32          // entryIdle, entryPassing, entryAnswered or entryClosed
	metadata middleware.Metadata   // of the last pass that has ended
	opened   any                   // its output, where that is a stream
	admitted bool                  // before Shutdown, or within a call that was
	live     *duplexWire           // of opened, where that is bidirectional
}

const (
	entryIdle    = iota
	entryPassing // metadata, opened and live belong to the pass
	entryAnswered
	entryClosed // the chain has returned
)

type entryKey struct{}

// entryIn is the call within which ctx was made; nil outside of any.
func entryIn(ctx context.Context) *entry {
	e, _ := ctx.Value(entryKey{}).(*entry)
	return e
}

// admit counts the call in. A call that a Middleware makes is part of the
// Middleware's own call.
func (e *entry) admit(ctx context.Context) {
	outer := entryIn(ctx)
	if outer != nil && outer.admitted && outer.calls == e.calls && outer.phase.Load() != entryClosed {
		e.calls.add()
		e.admitted = true
		return
	}
	e.admitted = e.calls.begin()
}

// drop ends a stream that the caller is not to have. The caller of a bidirectional
// call has the stream already, and must not take it for whole.
func (e *entry) drop(err error) {
	switch {
	case e.opened == nil:
	case e.live != nil:
		e.live.cut(err)
	default:
		eventStreamOf(e.opened).Close()
	}
}

// forget lets go of what only the chain needed. The Outcome of an open stream holds
// the entry, and must not hold the prompt and the SDK's stack with it. The chain has
// returned, and no pass can begin any more.
func (e *entry) forget() {
	e.next, e.metadata, e.opened = nil, middleware.Metadata{}, nil
	if !e.layered {
		e.facts.Input = nil
	}
}

// model is the model as the rules of the last pass left it, or as the chain parsed it.
func (e *entry) model() *Model {
	if m := e.judged.Load(); m != nil {
		return m
	}
	return &e.facts.Model
}

// told is the Call as the guard knows it, with what a Middleware may decide.
func (e *entry) told(call *Call) Call {
	own := e.facts
	own.Model = *e.model()
	own.Input, own.CorrelationID, own.OnEvent = call.Input, call.CorrelationID, call.OnEvent
	return own
}

// layer makes a Middleware's own Call in one allocation.
func (e *entry) layer(call *Call) *Call {
	l := new(struct {
		call    Call
		regions [2]string
	})
	l.call = e.told(call)
	l.call.Model.Regions = append(l.regions[:0:len(l.regions)], l.call.Model.Regions...)
	return &l.call
}

// restore puts the guard's facts back into a Call that a Middleware has passed on.
// A Call that already has them is not written to.
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

// concluded is the Result of a call that has ended. e is nil where no call is known.
func concluded(e *entry, out Outcome) *Result {
	r := &Result{done: new(completion)}
	if e != nil {
		r.done.call, r.done.log = &e.id, e.log
	}
	r.done.complete(&out)
	return r
}

var errLate = errors.New("securebedrock: a Middleware returned before the answer was there")
