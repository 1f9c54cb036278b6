package securebedrock

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// inFlight counts the calls of a client that are not over, for Shutdown. A stream is
// over when its Outcome has been given to every OnDone. A call is over when each
// Middleware that runs in the call has returned, on whatever goroutine.
type inFlight struct {
	n       atomic.Int64
	closing atomic.Bool

	mu   sync.Mutex
	idle chan struct{} // made by the first Shutdown; closed when n is zero
	done bool
}

// begin counts a new call in, and refuses it once Shutdown has begun.
func (f *inFlight) begin() bool {
	f.n.Add(1)
	if f.closing.Load() {
		f.end()
		return false
	}
	return true
}

// add counts in what belongs to a call that is counted already.
func (f *inFlight) add() { f.n.Add(1) }

func (f *inFlight) end() {
	if f.n.Add(-1) == 0 && f.closing.Load() {
		f.signal()
	}
}

// close refuses new calls and returns a channel that is closed with the last one.
func (f *inFlight) close() <-chan struct{} {
	f.closing.Store(true)
	f.mu.Lock()
	if f.idle == nil {
		f.idle = make(chan struct{})
	}
	idle := f.idle
	f.mu.Unlock()
	if f.n.Load() == 0 {
		f.signal()
	}
	return idle
}

func (f *inFlight) signal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.idle != nil && !f.done {
		f.done = true
		close(f.idle)
	}
}

// withinCall reports whether the goroutine is inside a call of some Client: in a
// Middleware, a step, an OnDone or an OnEvent. A Shutdown there would wait for its own
// caller. A Middleware may have continued on a goroutine of its own.
func withinCall() bool {
	const pkg = "github.com/securebedrock/securebedrock-go/securebedrock."
	pcs := make([]uintptr, 256)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if name, ok := strings.CutPrefix(f.Function, pkg); ok {
			for _, inside := range []string{"(*chainStep).", "(*pass).", "sender.", "layered.", "answerOf.", "(*completion).", "(*observer)."} {
				if strings.Contains(name, inside) { // an inlined function's has its caller's name first
					return true
				}
			}
		}
		if !more {
			return false
		}
	}
}
