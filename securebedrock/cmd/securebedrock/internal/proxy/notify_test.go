package proxy

import (
	"net"
	"path/filepath"
	"testing"
)

func TestNotify(t *testing.T) {
	must(t, notify(t.Context(), fakeEnv(), "READY=1"))
	dir := socketDir(t)
	path := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path})
	must(t, err)
	defer conn.Close()
	must(t, notify(t.Context(), fakeEnv("NOTIFY_SOCKET="+path), "READY=1"))
	got := make([]byte, 64)
	n, err := conn.Read(got)
	must(t, err)
	if string(got[:n]) != "READY=1" {
		t.Errorf("systemd received %q", got[:n])
	}
	if err := notify(t.Context(), fakeEnv("NOTIFY_SOCKET="+path+"x"), "READY=1"); err == nil {
		t.Error("a socket that is not there is no error")
	}
}
