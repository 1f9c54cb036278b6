package proxy

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
)

// TestServerLeavesOptionsToTheDoor sends "OPTIONS *", which net/http would answer by itself.
func TestServerLeavesOptionsToTheDoor(t *testing.T) {
	var targets []string
	door := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		targets = append(targets, r.RequestURI)
		w.WriteHeader(http.StatusForbidden)
	})
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	server := newServer(door, nil, slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- serve(server, l, false) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer conn.Close()
	_, err = fmt.Fprint(conn, "OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	must(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	_, err = io.Copy(io.Discard, res.Body)
	must(t, err)
	must(t, server.Close())
	must(t, <-served)
	if res.StatusCode != http.StatusForbidden || len(targets) != 1 {
		t.Errorf("status %d, and the door has seen %q", res.StatusCode, targets)
	}
}
