package pinned

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Each function that is kept of the owner's transport fails its connection where
// it panics or ends its goroutine, and ends neither the process nor its caller's
// patience.
func TestOwnersFunctionsThatPanic(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK) // of a CONNECT
		if h, ok := w.(http.Hijacker); ok {
			if conn, _, err := h.Hijack(); err == nil {
				conn.Close()
			}
		}
	}))
	defer proxy.Close()
	server.TLS.ClientAuth = tls.RequestClientCert
	through, _ := url.Parse(proxy.URL)
	viaProxy := func(*http.Request) (*url.URL, error) { return through, nil }
	for _, end := range []struct {
		name string
		f    func()
	}{
		{"panics", func() { panic("a secret") }},
		{"panics with an error of the runtime's", func() { var v any = 1; _ = v.(string) }},
		{"ends its goroutine", runtime.Goexit},
	} {
		for name, theirs := range map[string]*http.Transport{
			"DialContext": {DialContext: func(context.Context, string, string) (net.Conn, error) { end.f(); return nil, nil }},
			"Dial":        {Dial: func(string, string) (net.Conn, error) { end.f(); return nil, nil }},
			"OnProxyConnectResponse": {Proxy: viaProxy, OnProxyConnectResponse: func(context.Context, *url.URL, *http.Request, *http.Response) error {
				end.f()
				return nil
			}},
			"GetProxyConnectHeader": {Proxy: viaProxy, GetProxyConnectHeader: func(context.Context, *url.URL, string) (http.Header, error) { end.f(); return nil, nil }},
			"GetClientCertificate":  {TLSClientConfig: &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { end.f(); return nil, nil }}},
			"VerifyPeerCertificate": {TLSClientConfig: &tls.Config{VerifyPeerCertificate: func([][]byte, [][]*x509.Certificate) error { end.f(); return nil }}},
			"VerifyConnection":      {TLSClientConfig: &tls.Config{VerifyConnection: func(tls.ConnectionState) error { end.f(); return nil }}},
		} {
			t.Run(name+" "+end.name, func(t *testing.T) {
				ours := &http.Transport{TLSClientConfig: new(tls.Config), HTTP2: new(http.HTTP2Config)}
				if theirs.TLSClientConfig == nil {
					theirs.TLSClientConfig = new(tls.Config)
				}
				theirs.TLSClientConfig.RootCAs = x509.NewCertPool()
				theirs.TLSClientConfig.RootCAs.AddCert(server.Certificate())
				var faults refusal.Faults
				dial := keep(ours, theirs, false, &faults)
				if err := faults.Err(); err != nil {
					t.Fatal(err)
				}
				if dial != nil {
					ours.DialContext = dial
				}
				defer ours.CloseIdleConnections()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
				resp, err := ours.RoundTrip(req)
				if err == nil {
					resp.Body.Close()
				}
				if !errors.Is(err, errPanicked) || strings.Contains(fmt.Sprint(err), "secret") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
	proxied := tunnelOnly(func(*http.Request) (*url.URL, error) { panic("a secret") })
	if _, err := proxied(httptest.NewRequest(http.MethodGet, server.URL, nil)); !errors.Is(err, errPanicked) {
		t.Errorf("Proxy: %v", err)
	}
}
