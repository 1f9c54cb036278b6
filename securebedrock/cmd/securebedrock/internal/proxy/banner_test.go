package proxy

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestBanner(t *testing.T) {
	var b strings.Builder
	for _, proxy := range []configfile.Proxy{
		{Callers: []configfile.ProxyCaller{{Name: "claims"}}},
		{Listen: "unix:/run/securebedrock/bedrock.sock", Callers: []configfile.ProxyCaller{{Name: "claims", Bearer: true}, {Name: "batch"}}},
		{
			Listen: "0.0.0.0:443", Hosts: []string{"bedrock.internal"}, TLS: configfile.ProxyTLS{Certificate: "/etc/tls.crt", Key: "/etc/tls.key"},
			Credentials: "/srv/it's here/credentials", Callers: []configfile.ProxyCaller{{Name: "claims"}, {Name: "web", Bearer: true}},
		},
	} {
		if proxy.Credentials == "" {
			proxy.Credentials = "/run/securebedrock/credentials"
		}
		p := newPlan(Settings{File: configfile.File{Options: securebedrock.Options{Region: "eu-central-1"}, Proxy: &proxy}})
		var at net.Addr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8990}
		if p.network == "unix" {
			at = &net.UnixAddr{Name: p.address}
		}
		b.WriteString(banner(p, at) + "--\n")
	}
	path := filepath.Join("testdata", "banner.golden")
	if *update {
		must(t, os.MkdirAll("testdata", 0o750))
		must(t, os.WriteFile(path, []byte(b.String()), 0o600))
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != b.String() {
		t.Errorf("%v: got\n%s", err, b.String())
	}
}
