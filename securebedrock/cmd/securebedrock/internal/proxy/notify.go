package proxy

import (
	"context"
	"net"
	"strings"
)

// notify tells systemd what state the proxy is in, where systemd asks for it (Type=notify,
// https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html). A caller's
// unit that starts after the proxy's then finds the keys written.
func notify(ctx context.Context, env func(string) (string, bool), state string) error {
	path, _ := env("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if name, abstract := strings.CutPrefix(path, "@"); abstract {
		path = "\x00" + name
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unixgram", path)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(state))
	return err
}
