package pinned

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// A peer that is gone becomes an error of the connection before Timeouts.Read is
// over: the system's own timers follow Read. No test can cut a loopback's cable.
func TestSystemWatchesThePeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dial := Dial((&net.Dialer{}).DialContext).within(Timeouts{Connect: time.Second, Read: 16 * time.Second})
	conn, err := dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		for option, want := range map[int]int{tcpUserTimeout: 14000, syscall.TCP_KEEPIDLE: 8, syscall.TCP_KEEPINTVL: 2, syscall.TCP_KEEPCNT: 3} {
			if got, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, option); err != nil || got != want {
				t.Errorf("option %d is %d, want %d: %v", option, got, want, err)
			}
		}
	})
}
