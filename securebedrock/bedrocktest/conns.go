package bedrocktest

import (
	"net"
	"net/http"
	"sync"
)

// handlerCount counts the running handlers, so that Close can wait for them. It admits
// none once Close has begun.
type handlerCount struct {
	mu     sync.Mutex
	idle   *sync.Cond
	n      int
	closed bool
}

func (h *handlerCount) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.n++
	return true
}

func (h *handlerCount) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n--
	h.idle.Broadcast()
}

// close reports whether this call was the first.
func (h *handlerCount) close() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	first := !h.closed
	h.closed = true
	return first
}

func (h *handlerCount) wait() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.n > 0 {
		h.idle.Wait()
	}
}

// connections holds the open connections.
type connections struct {
	mu   sync.Mutex
	none *sync.Cond
	open map[net.Conn]struct{}
}

func (c *connections) observe(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
		c.none.Broadcast()
	default:
		if c.open == nil {
			c.open = make(map[net.Conn]struct{})
		}
		c.open[conn] = struct{}{}
	}
}

func (c *connections) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

func (c *connections) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.open) > 0 {
		c.none.Wait()
	}
}
