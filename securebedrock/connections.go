package securebedrock

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
)

// connections are a client's own, so that Close can end them all once the last
// exchange on them is over. http.Transport alone closes those that happen to be
// idle at that moment.
type connections struct {
	mu       sync.Mutex
	open     map[*connection]struct{}
	inFlight int
	closed   bool
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
		if cs.closed && cs.inFlight == 0 {
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

func (cs *connections) sweep() {
	cs.mu.Lock()
	var all []*connection
	if cs.closed && cs.inFlight == 0 {
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
}

// Do implements the SDK's HTTPClient.
func (d *roundTripDoer) Do(req *http.Request) (*http.Response, error) {
	d.conns.begin()
	var resp *http.Response
	var err error
	if x := exchangeOf(req.Context()); x != nil {
		resp, err = x.roundTrip(d.rt, req, d.timeouts)
	} else {
		resp, err = watched(d.rt, req, d.timeouts)
	}
	if err != nil {
		d.conns.end()
		return nil, err
	}
	resp.Body = &countedBody{ReadCloser: resp.Body, end: sync.OnceFunc(d.conns.end)}
	return resp, nil
}

type countedBody struct {
	io.ReadCloser
	end func()
}

func (b *countedBody) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}
