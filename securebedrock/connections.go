package securebedrock

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// connections are a client's own, so that Close can end them all once the last
// exchange on them is over. http.Transport alone closes those that happen to be
// idle at that moment.
type connections struct {
	mu       sync.Mutex
	open     map[*connection]struct{}
	inFlight int
	closed   bool
	killed   bool // Shutdown could wait no longer
}

// connection takes itself off the list when it is closed.
type connection struct {
	net.Conn
	all *connections
}

func (c *connection) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

func (cs *connections) track(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		c := &connection{Conn: conn, all: cs}
		cs.mu.Lock()
		defer cs.mu.Unlock()
		if cs.killed || cs.closed && cs.inFlight == 0 {
			conn.Close() // dialled ahead for a call that has found another
			return nil, net.ErrClosed
		}
		if cs.open == nil {
			cs.open = make(map[*connection]struct{})
		}
		cs.open[c] = struct{}{}
		return c, nil
	}
}

func (cs *connections) begin() {
	cs.mu.Lock()
	cs.inFlight++
	cs.mu.Unlock()
}

func (cs *connections) end() {
	cs.mu.Lock()
	cs.inFlight--
	cs.mu.Unlock()
	cs.sweep()
}

// close ends every connection now, or with the last exchange.
func (cs *connections) close() {
	cs.mu.Lock()
	cs.closed = true
	cs.mu.Unlock()
	cs.sweep()
}

// kill ends every connection, whatever is in flight.
func (cs *connections) kill() {
	cs.mu.Lock()
	cs.killed = true
	cs.mu.Unlock()
	cs.sweep()
}

func (cs *connections) dead() bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.killed
}

func (cs *connections) sweep() {
	cs.mu.Lock()
	var all []*connection
	if cs.killed || cs.closed && cs.inFlight == 0 {
		for c := range cs.open {
			all = append(all, c)
		}
	}
	cs.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}

// roundTripDoer sends a request once, under the read timeout. It is a round trip
// and not an http.Client's Do, so no redirect is ever followed and no cookie kept.
type roundTripDoer struct {
	rt       http.RoundTripper
	conns    *connections
	timeouts Timeouts
	free     bool // what it sends costs nothing
}

// Do implements the SDK's HTTPClient.
func (d *roundTripDoer) Do(req *http.Request) (*http.Response, error) {
	d.conns.begin()
	var resp *http.Response
	var err error
	if x := duplexWireOf(req.Context()); x != nil {
		resp, err = x.roundTrip(d.rt, req, d.timeouts)
	} else {
		resp, err = watched(d.rt, req, d.timeouts, !d.free)
	}
	if err != nil {
		d.conns.end()
		return nil, d.conns.explain(err)
	}
	pinned.TrustDate(resp.Header, time.Now())
	resp.Body = &countedBody{ReadCloser: resp.Body, conns: d.conns, end: sync.OnceFunc(d.conns.end)}
	return resp, nil
}

// explain puts the client's end in the place of the error that it caused. A
// PolicyError is not sent again.
func (cs *connections) explain(err error) error {
	if err == nil || err == io.EOF || !cs.dead() {
		return err
	}
	return &PolicyError{Rule: fmt.Errorf("%w: %w", ErrConfig, err), Detail: "the client was closed"}
}

type countedBody struct {
	io.ReadCloser
	conns *connections
	end   func()
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	return n, b.conns.explain(err)
}

func (b *countedBody) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}
