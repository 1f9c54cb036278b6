package securebedrock

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// duplexPipe is the reading end of the pipe into which the SDK writes what the
// caller sends. The SDK never closes the pipe: a Send, or a Close, after the answer has
// ended would wait for ever. The zero value is no pipe.
type duplexPipe struct{ r *io.PipeReader }

func pipeOf(request any) duplexPipe {
	if req, ok := request.(*smithyhttp.Request); ok && req != nil {
		if r, ok := req.GetStream().(*io.PipeReader); ok {
			return duplexPipe{r}
		}
	}
	return duplexPipe{}
}

// fail ends the sending side: from now on Send returns err.
func (p duplexPipe) fail(err error) {
	if p.r != nil {
		p.r.CloseWithError(err)
	}
}

// discard takes what is still sent after a proper end, until the SDK has closed its
// end of the pipe. An error here would become the error of a stream that ended well.
func (p duplexPipe) discard() {
	if p.r != nil {
		go func() { _, _ = io.Copy(io.Discard, p.r) }()
	}
}

// duplexWire is a bidirectional stream on the wire. The end of the context closes both
// of its bodies. net/http's HTTP/2 does not look at the request's context while it
// waits for the request's body (Go 1.26), and on this operation it always waits.
//
// duplexWire also watches for silence. A byte that arrives, and an event that the
// transport takes from the caller, are signs of life. The timer runs only while
// somebody waits for the answer. A caller who is slow to take events is no silent
// server.
type duplexWire struct {
	pipe   duplexPipe
	sends  *sentEvents
	after  time.Duration
	ended  func() error // why the context is over; nil before the request is sent
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	timer    *time.Timer
	waiting  bool
	finished bool          // the answer's body is closed
	cause    error         // for which it was cut
	body     io.ReadCloser // of the answer
}

func newDuplexWire(pipe duplexPipe) *duplexWire {
	x := &duplexWire{pipe: pipe}
	x.sends = newSentEvents(x)
	return x
}

// discard drops what the caller still sends to an exchange that has ended well.
func (x *duplexWire) discard() { _ = x.sends.Close() }

type duplexWireKey struct{}

func duplexWireOf(ctx context.Context) *duplexWire {
	x, _ := ctx.Value(duplexWireKey{}).(*duplexWire)
	return x
}

// duplexClient is a pinned.Client for streams in both directions.
type duplexClient struct{ *pinned.Client }

// Do implements aws.HTTPClient.
func (c duplexClient) Do(req *http.Request) (*http.Response, error) {
	if x := duplexWireOf(req.Context()); x != nil {
		return c.DoExchange(req, x)
	}
	return c.Client.Do(req)
}

// RoundTrip implements pinned.Exchange: the request is sent under the stream's own
// watch.
func (x *duplexWire) RoundTrip(rt http.RoundTripper, req *http.Request, t *pinned.Timeouts) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	x.after, x.cancel = t.Read, cancel
	x.ended = func() error { return context.Cause(ctx) }
	context.AfterFunc(ctx, func() { x.cut(context.Cause(ctx)) })
	if x.after > 0 {
		x.mu.Lock()
		x.waiting = true
		x.timer = time.AfterFunc(x.after+2*t.Connect, x.silent)
		x.mu.Unlock()
	}
	req = req.WithContext(ctx)
	if x.pipe.r != nil {
		req.Body = x.sends
		go x.sends.pump()
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		if cause := x.causeOf(); cause != nil {
			err = cause
		}
		err = t.Connecting(ctx, err)
		x.end()
		return nil, err
	}
	x.rest()
	x.mu.Lock()
	x.body = resp.Body
	cut := x.cause != nil
	x.mu.Unlock()
	if cut {
		_ = resp.Body.Close()
	}
	resp.Body = &receivedEvents{resp.Body, x}
	return resp, nil
}

func (x *duplexWire) silent() {
	x.cancel(&TimeoutError{Rule: ErrReadTimeout, After: x.after})
}

// cut ends both directions at once, with an error for the reader and the sender.
func (x *duplexWire) cut(cause error) {
	x.mu.Lock()
	if x.finished || x.cause != nil {
		x.mu.Unlock()
		return
	}
	x.cause = cause
	body := x.body
	x.mu.Unlock()
	x.pipe.fail(cause)
	if body != nil {
		_ = body.Close()
	}
}

// causeOf is why the exchange was cut; nil where it was not.
func (x *duplexWire) causeOf() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cause == nil && !x.finished && x.ended != nil {
		return x.ended() // cut is about to run
	}
	return x.cause
}

// end frees what the exchange holds. The answer is over by then.
func (x *duplexWire) end() {
	x.mu.Lock()
	x.finished = true
	if x.timer != nil {
		x.timer.Stop()
	}
	x.mu.Unlock()
	x.cancel(nil)
}

// await starts the wait for a byte, rest ends it.
func (x *duplexWire) await() { x.wait(true) }
func (x *duplexWire) rest()  { x.wait(false) }

func (x *duplexWire) wait(waiting bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.timer == nil || x.finished {
		return
	}
	x.waiting = waiting
	if waiting {
		x.timer.Reset(x.after)
	} else {
		x.timer.Stop()
	}
}

// sent notes that the transport has taken something from the caller.
func (x *duplexWire) sent() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.timer != nil && x.waiting && !x.finished {
		x.timer.Reset(x.after)
	}
}

// sentEvents is the request's body. net/http closes the body where the server has ended
// the exchange, and waits for the body's Read to return. So Read must not wait in the
// pipe. A goroutine of its own reads the pipe, until the SDK has closed it.
type sentEvents struct {
	x     *duplexWire
	ready chan []byte   // handed over one at a time
	taken chan struct{} // the transport is done with it
	stop  chan struct{} // closed where nobody reads any more
	once  sync.Once

	rest []byte
	err  error // after the last
}

func newSentEvents(x *duplexWire) *sentEvents {
	return &sentEvents{x: x, ready: make(chan []byte), taken: make(chan struct{}), stop: make(chan struct{})}
}

// pump hands over what the caller sends, and drops what nobody reads.
func (b *sentEvents) pump() {
	var buf [8 << 10]byte
	for {
		n, err := b.x.pipe.r.Read(buf[:])
		if n > 0 {
			select {
			case b.ready <- buf[:n]:
				select {
				case <-b.taken:
				case <-b.stop:
					// The transport may still copy from buf.
					_, _ = io.Copy(io.Discard, b.x.pipe.r)
					return
				}
			case <-b.stop:
			}
		}
		if err != nil {
			b.err = err
			close(b.ready)
			return
		}
	}
}

// Read implements io.Reader.
func (b *sentEvents) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		select {
		case got, ok := <-b.ready:
			if !ok {
				return 0, b.err
			}
			b.rest = got
			b.x.sent()
		case <-b.stop:
			return 0, io.ErrClosedPipe
		}
	}
	n := copy(p, b.rest)
	if b.rest = b.rest[n:]; len(b.rest) == 0 {
		select {
		case b.taken <- struct{}{}:
		case <-b.stop:
		}
	}
	return n, nil
}

// Close implements io.Closer.
func (b *sentEvents) Close() error {
	b.once.Do(func() { close(b.stop) })
	return nil
}

// receivedEvents is the answer's body.
type receivedEvents struct {
	io.ReadCloser
	x *duplexWire
}

func (b *receivedEvents) Read(p []byte) (int, error) {
	b.x.await()
	n, err := b.ReadCloser.Read(p)
	b.x.rest()
	if err != nil {
		if cause := b.x.causeOf(); cause != nil {
			err = cause
		}
	}
	return n, err
}

func (b *receivedEvents) Close() error {
	err := b.ReadCloser.Close()
	b.x.end()
	return err
}
