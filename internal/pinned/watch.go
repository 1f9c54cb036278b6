package pinned

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// idleWatch ends one exchange when nothing arrives for a while. It watches the
// exchange and not the connection: on HTTP/2, other exchanges keep a connection busy
// while this one is silent.
type idleWatch struct {
	timeouts *Timeouts
	cancel   context.CancelCauseFunc
	cause    func() error // why the exchange's context is over

	mu       sync.Mutex
	timer    *time.Timer
	answered bool // headers have arrived: sending no longer counts
	whole    bool // the transport has taken the whole request
	costs    bool // the request's work is paid for, each time
}

// startWatch derives the exchange's context. The first wait is longer by the time
// that a dial and a handshake may take.
func startWatch(ctx context.Context, t *Timeouts) (context.Context, *idleWatch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &idleWatch{timeouts: t, cancel: cancel, cause: func() error { return context.Cause(ctx) }}
	if t.Read > 0 {
		w.timer = time.AfterFunc(t.Read+2*t.Connect, w.fire)
	}
	return ctx, w
}

func (w *idleWatch) fire() { w.cancel(refusal.ReadTimeout) }

// arm starts the wait anew. The sending side arms only until the answer begins.
func (w *idleWatch) arm(sending bool) {
	if w.timer == nil {
		return
	}
	w.mu.Lock()
	if w.cause() == nil && !(sending && w.answered) {
		w.timer.Reset(w.timeouts.Read)
	}
	w.mu.Unlock()
}

func (w *idleWatch) disarm() {
	if w.timer == nil {
		return
	}
	w.mu.Lock()
	w.answered = true
	w.timer.Stop()
	w.mu.Unlock()
}

// end frees the context. Nothing may arrive after end.
func (w *idleWatch) end() {
	w.disarm()
	w.cancel(nil)
}

// explain puts the timeout in the place of the cancellation that it caused, and the end
// of the context in the place of io.EOF: a server that sees the connection close may end
// the answer in order, and a TLS connection reads that end before it is closed.
func (w *idleWatch) explain(err error) error {
	if err == nil {
		return nil
	}
	switch cause := w.cause(); {
	case cause == refusal.ReadTimeout: //nolint:errorlint // as fire gave it, and no error of the caller's around it
		w.mu.Lock()
		sent := w.costs && w.whole
		w.mu.Unlock()
		return w.timeouts.Passed(Timeout{Rule: refusal.ReadTimeout, After: w.timeouts.Read, Sent: sent})
	case cause != nil && err == io.EOF:
		return cause
	}
	return err
}

// sentBody tells the watch that the request is still on its way out. It has no
// WriteTo: smithy-go's closed body answers WriteTo with io.EOF, and net/http takes
// that for a failed request where the answer comes before the body is wholly sent.
type sentBody struct {
	io.ReadCloser
	w *idleWatch
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

// receivedBody watches an answer's body. The timer runs only while a reader waits
// for a byte, so a slow reader is no silent server.
type receivedBody struct {
	io.ReadCloser
	w *idleWatch
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
func watched(rt http.RoundTripper, req *http.Request, t *Timeouts, costs bool) (*http.Response, error) {
	ctx, w := startWatch(req.Context(), t)
	req = req.WithContext(ctx)
	w.costs = costs
	if w.whole = req.Body == nil || req.Body == http.NoBody; !w.whole {
		req.Body = &sentBody{req.Body, w}
	}
	resp, err := rt.RoundTrip(req)
	w.disarm()
	if err != nil {
		err = w.explain(t.Connecting(ctx, err))
		w.end()
		return nil, err
	}
	resp.Body = &receivedBody{resp.Body, w}
	return resp, nil
}
