package securebedrock

import (
	"bytes"
	"context"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"weak"

	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
)

// outermost makes duplexStep the first step of a call on the Runtime client. The
// options of that client's caller come after the guard's. A step that they put before
// duplexStep, and that fails, would leave the caller waiting for ever.
//
// The SDK starts its span between the last of the options and the run of the stack,
// on the same goroutine (bedrockruntime v1.63.11, invokeEventStreamOperation). The
// span gets the context and not the stack. The options get the stack and not the
// context. The goroutine joins the two, together with the depth of the SDK's function
// on that goroutine, since an option may make a call of its own. Where the per-call
// options bring another TracerProvider, duplexStep stays where it is.
type outermost struct {
	tracing.TracerProvider

	mu        sync.Mutex
	assembled map[sdkFrame]weak.Pointer[assembly]
}

// assembly is one call's stack while options are applied to the stack. An assembly
// lives as long as the stack. Where an option fails, nobody takes it off the list.
type assembly struct {
	stack *middleware.Stack
	step  middleware.InitializeMiddleware
}

// note puts a stack on the list of those that are being assembled. The caller keeps
// what note returns for as long as the stack lives.
func (o *outermost) note(stack *middleware.Stack, step middleware.InitializeMiddleware) *assembly {
	a := &assembly{stack, step}
	o.mu.Lock()
	defer o.mu.Unlock()
	for f, p := range o.assembled {
		if p.Value() == nil {
			delete(o.assembled, f)
		}
	}
	if o.assembled == nil {
		o.assembled = make(map[sdkFrame]weak.Pointer[assembly])
	}
	o.assembled[assemblingFrame()] = weak.Make(a)
	return a
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
	f := assemblingFrame()
	o.mu.Lock()
	a := o.assembled[f].Value()
	delete(o.assembled, f)
	o.mu.Unlock()
	if a != nil {
		_ = a.stack.Initialize.Add(a.step, middleware.Before) // never an error
	}
}

// sdkFrame identifies the SDK's function that assembles a stack: a goroutine, and the
// number of functions that wait below that function there.
type sdkFrame struct {
	goroutine uint64
	depth     int
}

// assemblingFrame returns the innermost sdkFrame of the running goroutine.
func assemblingFrame() sdkFrame {
	pcs := make([]uintptr, 128)
	n := runtime.Callers(1, pcs)
	for n == len(pcs) {
		pcs = make([]uintptr, 2*len(pcs))
		n = runtime.Callers(1, pcs)
	}
	depth, found := 0, false
	for frames := runtime.CallersFrames(pcs[:n]); ; depth++ {
		f, more := frames.Next()
		if !found && strings.HasSuffix(f.Function, "bedrockruntime.(*Client).invokeEventStreamOperation") {
			depth, found = 0, true
		}
		if !more {
			return sdkFrame{goroutineID(), depth}
		}
	}
}

// goroutineID returns the number of the running goroutine. The first line of the
// goroutine's own trace is "goroutine 18 [running]:".
func goroutineID() uint64 {
	var buf [64]byte
	line := buf[:runtime.Stack(buf[:], false)]
	line = bytes.TrimPrefix(line, []byte("goroutine "))
	digits, _, _ := bytes.Cut(line, []byte(" "))
	id, _ := strconv.ParseUint(string(digits), 10, 64)
	return id
}
