package pinned

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
)

var errPanicked = errors.New("HTTPClient: a panic was caught")

// The owner's functions run on goroutines of net/http's, where a panic would end
// the process, and runtime.Goexit would leave a call waiting for its connection.

// caught makes an error of both. Of a panic's value only the type is told.
func caught[T any](what string, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		r := result{err: fmt.Errorf("%w: its transport's %s ended its goroutine", errPanicked, what)}
		defer func() {
			switch v := recover().(type) {
			case nil:
			case runtime.Error:
				r.err = fmt.Errorf("%w: its transport's %s: %w", errPanicked, what, v)
			default:
				r.err = fmt.Errorf("%w: its transport's %s, with a %T", errPanicked, what, v)
			}
			done <- r
		}()
		r.value, r.err = f()
	}()
	r := <-done
	return r.value, r.err
}

func caughtError(what string, f func() error) error {
	_, err := caught(what, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

func caughtDial(dial Dial) Dial {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		return caught("DialContext", func() (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err == nil && conn == nil {
				err = errors.New("HTTPClient: its transport's DialContext gave neither a connection nor an error")
			}
			return conn, err
		})
	}
}

// caughtProxy runs for every request, and so on its goroutine.
func caughtProxy(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (u *url.URL, err error) {
		defer func() {
			switch v := recover().(type) {
			case nil:
			case runtime.Error:
				err = fmt.Errorf("%w: its transport's Proxy: %w", errPanicked, v)
			default:
				err = fmt.Errorf("%w: its transport's Proxy, with a %T", errPanicked, v)
			}
		}()
		return proxy(r)
	}
}

func caughtConnect(t *http.Transport) {
	if f := t.OnProxyConnectResponse; f != nil {
		t.OnProxyConnectResponse = func(ctx context.Context, u *url.URL, req *http.Request, res *http.Response) error {
			return caughtError("OnProxyConnectResponse", func() error { return f(ctx, u, req, res) })
		}
	}
	if f := t.GetProxyConnectHeader; f != nil {
		t.GetProxyConnectHeader = func(ctx context.Context, u *url.URL, target string) (http.Header, error) {
			return caught("GetProxyConnectHeader", func() (http.Header, error) { return f(ctx, u, target) })
		}
	}
}

func caughtTLS(c *tls.Config) {
	if f := c.GetClientCertificate; f != nil {
		c.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return caught("GetClientCertificate", func() (*tls.Certificate, error) { return f(info) })
		}
	}
	if f := c.VerifyPeerCertificate; f != nil {
		c.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) error {
			return caughtError("VerifyPeerCertificate", func() error { return f(raw, chains) })
		}
	}
	verify := func(what string, f func(tls.ConnectionState) error) func(tls.ConnectionState) error {
		if f == nil {
			return nil
		}
		return func(s tls.ConnectionState) error { return caughtError(what, func() error { return f(s) }) }
	}
	c.VerifyConnection = verify("VerifyConnection", c.VerifyConnection)
	c.EncryptedClientHelloRejectionVerify = verify("EncryptedClientHelloRejectionVerify", c.EncryptedClientHelloRejectionVerify)
}
