package securebedrock_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The owner's dialer makes the connections, and cannot change who is at the other
// end of one: the certificate must be of the endpoint's host.
func TestOwnersDialer(t *testing.T) {
	server := bedrocktest.NewServer(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(server.CertificatePEM())
	client := func(t *testing.T, url string, change func(*securebedrock.Options), dial func(context.Context, string, string) (net.Conn, error)) *securebedrock.Client {
		transport := &http.Transport{DialContext: dial}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		cfg := server.Config()
		cfg.HTTPClient = &http.Client{Transport: transport}
		o := server.Options()
		o.Endpoint.URL, o.Retry.MaxAttempts = url, 1
		change(&o)
		c, err := securebedrock.NewFromConfig(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	same := func(*securebedrock.Options) {}
	t.Run("is used", func(t *testing.T) {
		var dialled atomic.Int32
		c := client(t, server.URL(), same, func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		})
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil || dialled.Load() != 1 {
			t.Errorf("dialled %d times: %v", dialled.Load(), err)
		}
	})
	t.Run("that goes to another host", func(t *testing.T) {
		other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }))
		defer other.Close()
		c := client(t, server.URL(), same, func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, other.Listener.Addr().String())
		})
		var unknown x509.UnknownAuthorityError
		if _, err := c.Converse(t.Context(), converse("a secret")); !errors.As(err, &unknown) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("that goes to another host of the same authority", func(t *testing.T) {
		c := client(t, "https://bedrock.example.com", same, func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.URL()[len("https://"):])
		})
		var name x509.HostnameError
		if _, err := c.Converse(t.Context(), converse("a secret")); !errors.As(err, &name) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("that heeds no context", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		c := client(t, server.URL(), func(o *securebedrock.Options) { o.Timeouts.Connect = 300 * time.Millisecond },
			func(context.Context, string, string) (net.Conn, error) { <-release; return nil, net.ErrClosed })
		start := time.Now()
		_, err := c.Converse(t.Context(), converse("hello"))
		if d := time.Since(start); !errors.Is(err, securebedrock.ErrConnectTimeout) || d > 5*time.Second {
			t.Errorf("after %v: %v", d, err)
		}
	})
}
