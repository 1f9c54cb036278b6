package proxy

import (
	"net"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

// TestListenKeepsToItsFamily: 0.0.0.0 is every address of IPv4 and none of IPv6.
func TestListenKeepsToItsFamily(t *testing.T) {
	for address, want := range map[string]string{"0.0.0.0:0": "0.0.0.0", "127.0.0.1:0": "127.0.0.1"} {
		p := newPlan(Settings{File: configfile.File{Proxy: &configfile.Proxy{Listen: address}}})
		l, err := listen(t.Context(), p)
		must(t, err)
		if host, _, err := net.SplitHostPort(l.Addr().String()); err != nil || host != want {
			t.Errorf("%s listens on %s", address, l.Addr())
		}
		must(t, l.Close())
	}
}
