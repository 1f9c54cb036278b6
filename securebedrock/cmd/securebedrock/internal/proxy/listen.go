package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/netutil"
)

// listen opens the address of a plan. A connection beyond the bound waits until another
// one ends.
func listen(ctx context.Context, p plan) (net.Listener, error) {
	if p.network == "unix" {
		if err := prepareSocket(ctx, p.address); err != nil {
			return nil, fmt.Errorf("proxy.listen: %w", err)
		}
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, p.family(), p.address)
	if err != nil {
		return nil, fmt.Errorf("proxy.listen: %w; end the process that listens there, or choose another address", err)
	}
	if p.network == "unix" {
		if err := closeSocket(p.address); err != nil {
			return nil, errors.Join(fmt.Errorf("proxy.listen: %w", err), l.Close())
		}
	}
	return netutil.LimitListener(l, p.Limits.MaxConnections), nil
}

// family is the network as net.Listen takes it. Under "tcp", "0.0.0.0" would mean every
// address of IPv6, too.
func (p *plan) family() string {
	if at, err := netip.ParseAddrPort(p.address); p.network == "tcp" && err == nil && at.Addr().Is4() {
		return "tcp4"
	}
	return p.network
}

// answers reports whether a process listens on a socket.
func answers(ctx context.Context, path string) (bool, error) {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err == nil {
		return true, conn.Close()
	}
	if isRefused(err) {
		return false, nil
	}
	return false, err
}
