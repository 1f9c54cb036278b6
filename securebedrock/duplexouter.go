package securebedrock

import (
	"bytes"
	"context"
	"runtime"
	"strconv"
	"sync"
	"weak"

	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
)

// outermost makes duplexStep the first step of a call on the Runtime client, whose
// caller's own options come after ours: a step that they put before it, and which
// fails, would leave the caller waiting for ever.
//
// The SDK starts its span between the last of the options and the run of the stack,
// on the same goroutine (bedrockruntime v1.63.11, invokeEventStreamOperation). It
// gives the span the context and not the stack, and the options the stack and not
// the context. So the goroutine joins the two. Where the per-call options bring
// another TracerProvider, duplexStep stays where it is.
type outermost struct {
	tracing.TracerProvider

	mu        sync.Mutex
	assembled map[uint64]weak.Pointer[assembly]
}

// assembly is one call's stack while options are applied to it. It lives as long
// as the stack: where an option fails, nobody takes it off the list.
type assembly struct {
	stack *middleware.Stack
	step  *duplexStep
}

// note puts a stack on the list of those that are being assembled.
func (o *outermost) note(stack *middleware.Stack, step *duplexStep) {
	a := &assembly{stack, step}
	step.assembly = a
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, p := range o.assembled {
		if p.Value() == nil {
			delete(o.assembled, id)
		}
	}
	if o.assembled == nil {
		o.assembled = make(map[uint64]weak.Pointer[assembly])
	}
	o.assembled[goroutine()] = weak.Make(a)
}

// Tracer implements tracing.TracerProvider.
func (o *outermost) Tracer(scope string, opts ...tracing.TracerOption) tracing.Tracer {
	return &outermostTracer{o.TracerProvider.Tracer(scope, opts...), o}
}

type outermostTracer struct {
	tracing.Tracer
	o *outermost
}

// StartSpan implements tracing.Tracer.
func (t *outermostTracer) StartSpan(ctx context.Context, name string, opts ...tracing.SpanOption) (context.Context, tracing.Span) {
	if middleware.GetOperationName(ctx) == duplexOperation && duplexOf(ctx) == nil {
		t.o.arrange()
	}
	return t.Tracer.StartSpan(ctx, name, opts...)
}

func (o *outermost) arrange() {
	id := goroutine()
	o.mu.Lock()
	a := o.assembled[id].Value()
	delete(o.assembled, id)
	o.mu.Unlock()
	if a != nil {
		_ = a.stack.Initialize.Add(a.step, middleware.Before) // never an error
	}
}

// goroutine is the number of the running goroutine: the first line of its own
// trace is "goroutine 18 [running]:".
func goroutine() uint64 {
	var buf [64]byte
	line := buf[:runtime.Stack(buf[:], false)]
	line = bytes.TrimPrefix(line, []byte("goroutine "))
	digits, _, _ := bytes.Cut(line, []byte(" "))
	id, _ := strconv.ParseUint(string(digits), 10, 64)
	return id
}
