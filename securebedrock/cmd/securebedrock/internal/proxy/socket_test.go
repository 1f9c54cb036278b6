package proxy

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

func TestSocket(t *testing.T) {
	for _, row := range []struct {
		what, want string
		prepare    func(t *testing.T, path string)
	}{
		{"a folder that is not there", "", func(t *testing.T, path string) {}},
		{"a folder of its own", "", func(t *testing.T, path string) { must(t, os.Mkdir(filepath.Dir(path), 0o700)) }},
		{"a folder that others can enter", "others can reach the socket; chmod 700", func(t *testing.T, path string) {
			must(t, os.Mkdir(filepath.Dir(path), 0o700))
			must(t, os.Chmod(filepath.Dir(path), 0o711)) // whatever the umask
		}},
		{"a folder that a group can read", "chmod 700", func(t *testing.T, path string) {
			must(t, os.Mkdir(filepath.Dir(path), 0o700))
			must(t, os.Chmod(filepath.Dir(path), 0o740))
		}},
		{"a file in its place", "is there and is no socket", func(t *testing.T, path string) {
			must(t, os.Mkdir(filepath.Dir(path), 0o700))
			must(t, os.WriteFile(path, nil, 0o600))
		}},
		{"a link in its place", "is there and is no socket", func(t *testing.T, path string) {
			must(t, os.Mkdir(filepath.Dir(path), 0o700))
			must(t, os.Symlink(path+"x", path))
		}},
		{"a socket that was left behind", "", func(t *testing.T, path string) {
			must(t, os.Mkdir(filepath.Dir(path), 0o700))
			l, err := net.Listen("unix", path)
			must(t, err)
			l.(*net.UnixListener).SetUnlinkOnClose(false)
			must(t, l.Close())
		}},
		{"a socket on which somebody answers", "another process listens on", func(t *testing.T, path string) {
			must(t, os.Mkdir(filepath.Dir(path), 0o700))
			l, err := net.Listen("unix", path)
			must(t, err)
			t.Cleanup(func() { l.Close() })
		}},
	} {
		t.Run(row.what, func(t *testing.T) {
			dir := socketDir(t)
			path := filepath.Join(dir, "run", "x.sock")
			row.prepare(t, path)
			p := newPlan(Settings{File: configfile.File{Proxy: &configfile.Proxy{Listen: "unix:" + path}}})
			l, err := listen(t.Context(), p)
			if row.want != "" {
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Fatalf("got %v", err)
				}
				return
			}
			must(t, err)
			info, err := os.Stat(path)
			must(t, err)
			if info.Mode() != os.ModeSocket|0o600 {
				t.Errorf("the mode is %v", info.Mode())
			}
			must(t, l.Close())
			if _, err := os.Stat(path); err == nil {
				t.Error("the socket is left behind")
			}
		})
	}
	p := newPlan(Settings{Dir: "/", File: configfile.File{Proxy: &configfile.Proxy{Listen: "unix:" + strings.Repeat("x", 120)}}})
	if _, err := listen(t.Context(), p); err == nil || !strings.Contains(err.Error(), "choose a shorter one") {
		t.Errorf("a long path: %v", err)
	}
}

// TestConnectionsAreBounded opens one connection more than the plan permits.
func TestConnectionsAreBounded(t *testing.T) {
	p := newPlan(Settings{File: configfile.File{Proxy: &configfile.Proxy{Listen: "127.0.0.1:0", Limits: configfile.ProxyLimits{MaxConnections: 1}}}})
	l, err := listen(t.Context(), p)
	must(t, err)
	defer l.Close()
	var ended atomic.Bool // the first connection
	accepted := make(chan bool, 2)
	open := make(chan net.Conn, 2)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(open)
				return
			}
			accepted <- ended.Load()
			open <- c
		}
	}()
	for range 2 {
		c, err := net.Dial("tcp", l.Addr().String())
		must(t, err)
		defer c.Close()
	}
	first := <-open
	time.Sleep(50 * time.Millisecond) // time for the second, were there no bound
	ended.Store(true)
	must(t, first.Close())
	<-accepted
	if after := <-accepted; !after {
		t.Error("two connections are open where one is permitted")
	}
	must(t, (<-open).Close())
}
