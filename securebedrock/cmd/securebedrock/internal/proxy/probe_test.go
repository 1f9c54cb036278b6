package proxy

import (
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

func TestProbe(t *testing.T) {
	dir := socketDir(t)
	chain, key, _ := writePair(t, dir, 1)
	for _, row := range []struct {
		what  string
		proxy configfile.Proxy
		warm  bool
		ready bool
	}{
		{"a proxy that is ready", configfile.Proxy{Listen: "127.0.0.1:0"}, true, true},
		{"a proxy that is not ready", configfile.Proxy{Listen: "127.0.0.1:0"}, false, false},
		{"a proxy on a socket", configfile.Proxy{Listen: "unix:" + filepath.Join(dir, "run", "x.sock")}, true, true},
		{"a proxy under TLS", configfile.Proxy{Listen: "127.0.0.1:0", TLS: configfile.ProxyTLS{Certificate: chain, Key: key}, Hosts: []string{"bedrock.internal"}}, true, true},
		{"another name than the certificate's", configfile.Proxy{Listen: "127.0.0.1:0", TLS: configfile.ProxyTLS{Certificate: chain, Key: key}}, true, false},
	} {
		t.Run(row.what, func(t *testing.T) {
			var cert *certificate
			if row.proxy.TLS.Certificate != "" {
				var err error
				cert, err = loadCertificate(chain, key, nil)
				must(t, err)
			}
			settings := Settings{File: configfile.File{Proxy: &row.proxy}}
			l, err := listen(t.Context(), newPlan(settings))
			must(t, err)
			if l.Addr().Network() == "tcp" {
				row.proxy.Listen = l.Addr().String()
			}
			h := &health{records: &records{}, door: http.NotFoundHandler()}
			h.warm.Store(row.warm)
			s := newServer(h, cert, slog.New(slog.DiscardHandler))
			served := make(chan error, 1)
			go func() { served <- serve(s, l, cert != nil) }()
			if err := Probe(t.Context(), settings); (err == nil) != row.ready || err != nil && !errors.Is(err, ErrNotReady) {
				t.Errorf("got %v", err)
			}
			must(t, s.Close())
			must(t, <-served)
			if err := Probe(t.Context(), settings); !errors.Is(err, ErrNotReady) {
				t.Errorf("after its end: %v", err)
			}
		})
	}
}
