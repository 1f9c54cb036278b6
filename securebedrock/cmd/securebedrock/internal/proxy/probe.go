package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// ErrNotReady says that the proxy that was asked is not ready.
var ErrNotReady = errors.New("the proxy is not ready")

// askTimeout is a little more than what /readyz may take.
const askTimeout = probeTimeout + time.Second

// Probe asks the proxy of a file whether it is ready. It is the probe of a container, in
// which there is no other program, and which nobody outside can reach.
func Probe(ctx context.Context, s Settings) error {
	p := newPlan(s)
	transport := &http.Transport{DisableKeepAlives: true}
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, p.network, p.address)
	}
	url := "http://localhost/readyz"
	if p.TLS.Certificate != "" {
		pem, err := os.ReadFile(p.TLS.Certificate)
		if err != nil {
			return fmt.Errorf("proxy.tls: %w", err)
		}
		trusted := x509.NewCertPool() // the proxy's own certificate and no other
		if !trusted.AppendCertsFromPEM(pem) {
			return fmt.Errorf("proxy.tls: %s holds no certificate", p.TLS.Certificate)
		}
		name := "localhost"
		if len(p.Hosts) > 0 {
			name = p.Hosts[0]
		}
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trusted, ServerName: name}
		url = "https://" + net.JoinHostPort(name, "443") + "/readyz"
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: /readyz answers %d", ErrNotReady, res.StatusCode)
	}
	return nil
}
