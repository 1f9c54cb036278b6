package securebedrock

import (
	"context"
	"net"
	"time"
)

// bounded bounds a dial by Timeouts.Connect, also one of the owner's that heeds no
// context, and has the system find out about a peer that is gone.
func (dial dialFunc) bounded(t Timeouts) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if t.Connect > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, t.Connect)
			defer cancel()
		}
		type result struct {
			conn net.Conn
			err  error
		}
		done := make(chan result, 1)
		go func() {
			conn, err := dial(ctx, network, addr)
			done <- result{conn, err}
		}()
		select {
		case r := <-done:
			if tcp, ok := r.conn.(*net.TCPConn); ok && r.err == nil {
				watchPeer(tcp, t.Read)
			}
			return r.conn, r.err
		case <-ctx.Done():
		}
		go func() {
			if r := <-done; r.err == nil && r.conn != nil {
				r.conn.Close() // it came too late
			}
		}()
		return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
	}
}

// watchPeer sets the TCP keep-alive and, on Linux, the time for which sent bytes
// may stay unacknowledged, so that a peer that is gone becomes an error of the
// connection before Timeouts.Read ends the exchange as a silent one. HTTP/1.1 has
// no other sign of life.
func watchPeer(conn *net.TCPConn, read time.Duration) {
	if read <= 0 {
		read = defaultReadTimeout
	}
	// A system that refuses one of them is a system without it.
	_ = conn.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable:   true,
		Idle:     min(max(read/2, time.Second), 30*time.Second),
		Interval: min(max(read/8, time.Second), 10*time.Second),
		Count:    3,
	})
	setUserTimeout(conn, max(read*7/8, time.Second))
}
