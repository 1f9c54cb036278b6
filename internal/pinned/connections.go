package pinned

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
)

// Connections are a client's own. Close ends them all once the last exchange is
// over; http.Transport alone closes the connections that are idle at that moment.
// The zero value is ready for use.
type Connections struct {
	// Killed makes the error of an exchange that Kill has ended, from the error
	// that the exchange saw. Nil leaves that error as it is.
	Killed func(error) error

	mu       sync.Mutex
	open     map[*connection]struct{}
	inFlight int
	closed   bool
	killed   bool
}

// connection leaves the list when it is closed.
type connection struct {
	net.Conn
	all *Connections
}

func (c *connection) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// track puts the connections that dial makes on the list.
func (cs *Connections) track(dial Dial) Dial {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		c := &connection{Conn: conn, all: cs}
		cs.mu.Lock()
		defer cs.mu.Unlock()
		if cs.overLocked() {
			conn.Close() // net/http dialled ahead for a call that has found another connection
			return nil, net.ErrClosed
		}
		if cs.open == nil {
			cs.open = make(map[*connection]struct{})
		}
		cs.open[c] = struct{}{}
		return c, nil
	}
}

func (cs *Connections) begin() {
	cs.mu.Lock()
	cs.inFlight++
	cs.mu.Unlock()
}

func (cs *Connections) end() {
	cs.mu.Lock()
	cs.inFlight--
	cs.mu.Unlock()
	cs.sweep()
}

// Close ends every connection now, or with the last exchange.
func (cs *Connections) Close() {
	cs.mu.Lock()
	cs.closed = true
	cs.mu.Unlock()
	cs.sweep()
}

// Kill ends every connection, whatever is in flight.
func (cs *Connections) Kill() {
	cs.mu.Lock()
	cs.killed = true
	cs.mu.Unlock()
	cs.sweep()
}

// overLocked reports whether no connection may stay open. cs.mu is held.
func (cs *Connections) overLocked() bool { return cs.killed || cs.closed && cs.inFlight == 0 }

func (cs *Connections) sweep() {
	cs.mu.Lock()
	var all []*connection
	if cs.overLocked() {
		for c := range cs.open {
			all = append(all, c)
		}
	}
	cs.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}

// explain puts the end of the client in the place of the error that it caused, and of
// an io.EOF: a server that sees the connection close may end the answer in order.
func (cs *Connections) explain(err error) error {
	if err == nil || cs.Killed == nil {
		return err
	}
	cs.mu.Lock()
	killed := cs.killed
	cs.mu.Unlock()
	if !killed {
		return err
	}
	return cs.Killed(err)
}

// counted has the exchange end with the answer's body.
func (cs *Connections) counted(resp *http.Response) *http.Response {
	resp.Body = &countedBody{ReadCloser: resp.Body, conns: cs}
	return resp
}

type countedBody struct {
	io.ReadCloser
	conns *Connections
	once  sync.Once
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	return n, b.conns.explain(err)
}

func (b *countedBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(b.conns.end)
	return err
}
