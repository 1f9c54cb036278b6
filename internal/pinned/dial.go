package pinned

import (
	"context"
	"net"
	"time"
)

// Dial makes a TCP connection.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// within bounds a dial by Timeouts.Connect, also a dialer of the owner's that heeds
// no context. The system is told to find out about a peer that is gone.
func (dial Dial) within(t Timeouts) Dial {
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
				r.conn.Close() // the connection came too late
			}
		}()
		return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
	}
}

// longSilence stands for Timeouts.Read where there is none.
const longSilence = 60 * time.Second

// watchPeer sets the TCP keep-alive and, on Linux, the time for which sent bytes may
// stay unacknowledged. A peer that is gone so becomes an error of the connection
// before Timeouts.Read ends the exchange as a silent one. HTTP/1.1 has no other sign
// of life.
func watchPeer(conn *net.TCPConn, read time.Duration) {
	if read <= 0 {
		read = longSilence
	}
	// A system that refuses a setting is treated as one without the setting.
	_ = conn.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable:   true,
		Idle:     min(max(read/2, time.Second), 30*time.Second),
		Interval: min(max(read/8, time.Second), 10*time.Second),
		Count:    3,
	})
	setUserTimeout(conn, max(read*7/8, time.Second))
}
