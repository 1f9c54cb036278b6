package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Defaults of Timeouts.
const (
	defaultConnectTimeout = 5 * time.Second
	defaultReadTimeout    = 60 * time.Second
)

// withDefaults fills zero fields and turns negative ones into zero, for none.
func (t Timeouts) withDefaults() Timeouts {
	pick := func(d, zero time.Duration) time.Duration {
		switch {
		case d == 0:
			return zero
		case d < 0:
			return 0
		}
		return d
	}
	return Timeouts{
		Connect: pick(t.Connect, defaultConnectTimeout),
		Read:    pick(t.Read, defaultReadTimeout),
		Call:    pick(t.Call, 0),
	}
}

// TimeoutError says which of the Timeouts has passed. Its Timeout method makes it
// a timeout for whoever asks a net.Error. errors.Is takes Timeouts.Call for
// context.DeadlineExceeded too.
type TimeoutError struct {
	Rule  error         // ErrConnectTimeout, ErrReadTimeout or ErrCallTimeout
	After time.Duration // the bound
	Err   error         // what it ended; may be nil

	sent bool // the request was wholly sent, and doing it twice costs twice
}

// Error names the bound.
func (e *TimeoutError) Error() string {
	text := "longer than Timeouts.Call"
	switch e.Rule {
	case ErrConnectTimeout:
		text = "no connection within Timeouts.Connect"
	case ErrReadTimeout:
		text = "no byte for Timeouts.Read"
	}
	text = fmt.Sprintf("securebedrock: %v: %s, %v", e.Rule, text, e.After)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the rule and what it ended.
func (e *TimeoutError) Unwrap() []error {
	all := []error{e.Rule}
	if e.Rule == ErrCallTimeout {
		all = append(all, context.DeadlineExceeded)
	}
	if e.Err != nil {
		all = append(all, e.Err)
	}
	return all
}

// Timeout implements net.Error: always true.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary implements net.Error: true but for the whole call's.
func (e *TimeoutError) Temporary() bool { return e.Rule != ErrCallTimeout }

// connectTimeout recognises a dial or a handshake that took too long, by what
// net.Dialer and http.Transport return for one.
func connectTimeout(ctx context.Context, err error, after time.Duration) error {
	var timeout net.Error
	if ctx.Err() != nil || !errors.As(err, &timeout) || !timeout.Timeout() {
		return err
	}
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "read" || op.Op == "write") { // a connection that there was
		return err
	}
	return &TimeoutError{Rule: ErrConnectTimeout, After: after, Err: err}
}

// watch ends one exchange when nothing arrives for a while. It watches the
// exchange and not its connection, since on HTTP/2 other exchanges keep a
// connection busy while this one is silent.
type watch struct {
	after  time.Duration
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	timer    *time.Timer
	answered bool // headers have arrived: sending no longer counts
	whole    bool // the request has wholly been taken by the transport
	costs    bool // the request's work is paid for, each time
	fired    bool
}

// startWatch derives the exchange's context. allowance is added to the first
// wait, for the connection to be made.
func startWatch(ctx context.Context, after, allowance time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{after: after, cancel: cancel}
	if after > 0 {
		w.timer = time.AfterFunc(after+allowance, w.fire)
	}
	return ctx, w
}

func (w *watch) fire() {
	w.mu.Lock()
	w.fired = true
	w.mu.Unlock()
	w.cancel(ErrReadTimeout)
}

// arm starts the wait anew; from the sending side only until the answer begins.
func (w *watch) arm(sending bool) {
	if w.timer == nil {
		return
	}
	w.mu.Lock()
	if !w.fired && !(sending && w.answered) {
		w.timer.Reset(w.after)
	}
	w.mu.Unlock()
}

func (w *watch) disarm() {
	if w.timer == nil {
		return
	}
	w.mu.Lock()
	w.answered = true
	w.timer.Stop()
	w.mu.Unlock()
}

// end frees the context. Nothing may arrive after it.
func (w *watch) end() {
	w.disarm()
	w.cancel(nil)
}

// explain puts the timeout in the place of the cancellation that it caused.
func (w *watch) explain(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fired {
		return &TimeoutError{Rule: ErrReadTimeout, After: w.after, sent: w.costs && w.whole}
	}
	return err
}

// sentBody tells the watch that the request is still on its way out. It has no
// WriteTo: smithy-go's closed body answers one with io.EOF, which net/http takes
// for a failed request where the answer comes before the body is wholly sent.
type sentBody struct {
	io.ReadCloser
	w *watch
}

func (b *sentBody) Read(p []byte) (int, error) {
	b.w.arm(true)
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.w.mu.Lock()
		b.w.whole = true
		b.w.mu.Unlock()
	}
	return n, err
}

// receivedBody watches an answer's body. The timer runs only while someone
// waits for a byte, so a slow reader is no silent server.
type receivedBody struct {
	io.ReadCloser
	w *watch
}

func (b *receivedBody) Read(p []byte) (int, error) {
	b.w.arm(false)
	n, err := b.ReadCloser.Read(p)
	b.w.disarm()
	return n, b.w.explain(err)
}

func (b *receivedBody) Close() error {
	err := b.ReadCloser.Close()
	b.w.end()
	return err
}

// watched sends a request under the read timeout.
func watched(rt http.RoundTripper, req *http.Request, t Timeouts, costs bool) (*http.Response, error) {
	ctx, w := startWatch(req.Context(), t.Read, 2*t.Connect)
	req = req.WithContext(ctx)
	w.costs = costs
	w.whole = req.Body == nil || req.Body == http.NoBody
	if req.Body != nil {
		req.Body = &sentBody{req.Body, w}
	}
	resp, err := rt.RoundTrip(req)
	w.disarm()
	if err != nil {
		err = w.explain(connectTimeout(ctx, err, t.Connect))
		w.end()
		return nil, err
	}
	resp.Body = &receivedBody{resp.Body, w}
	return resp, nil
}

// pings returns when HTTP/2 asks a silent connection for a sign of life, and how
// long it waits for that. Both together are shorter than the timeouts, so that a
// dead connection fails as one, with all exchanges on it, before a silent model
// does.
func (t Timeouts) pings() (after, timeout time.Duration) {
	after, timeout = 15*time.Second, 15*time.Second
	for _, bound := range [...]time.Duration{t.Read, t.Call} {
		if bound > 0 {
			after, timeout = min(after, bound/4), min(timeout, bound*5/8)
		}
	}
	return after, timeout
}

// bounded derives a pass's context: with Timeouts.Call, and for a stream with a
// way to end it.
func (g *guard) bounded(ctx context.Context, op *operation) (context.Context, context.CancelCauseFunc) {
	if g.timeouts.Call == 0 && !op.stream {
		return ctx, func(error) {}
	}
	cancelTimeout := context.CancelFunc(func() {})
	if g.timeouts.Call > 0 {
		ctx, cancelTimeout = context.WithTimeoutCause(ctx, g.timeouts.Call, &TimeoutError{Rule: ErrCallTimeout, After: g.timeouts.Call})
	}
	if !op.stream {
		return ctx, func(error) { cancelTimeout() }
	}
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, func(cause error) { cancel(cause); cancelTimeout() }
}
