package securebedrock

import (
	"context"
	"net"
	"testing"
	"time"
)

// A dial that succeeds at once is never taken for one that took too long.
func TestFastDialIsNoTimeout(t *testing.T) {
	dial := dialFunc(func(context.Context, string, string) (net.Conn, error) { return new(net.TCPConn), nil }).bounded(Timeouts{Connect: time.Minute})
	for range 5000 {
		if _, err := dial(t.Context(), "tcp", "127.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
	}
}
