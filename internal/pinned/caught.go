package pinned

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
)

var errPanicked = errors.New("HTTPClient: a panic was caught")

// caught makes an error of a panic and of a runtime.Goexit. The owner's functions run on
// goroutines of net/http's. There a panic would end the process, and a Goexit would leave
// a call waiting for its connection.
func caught[T any](what string, f func() (T, error)) (value T, err error) {
	call := foreign.Start(errPanicked, nil, "its transport's "+what, func() (err error) {
		value, err = f()
		return err
	})
	<-call.Done()
	return value, call.Err()
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

// caughtProxy starts no goroutine, since a proxy is asked for every request.
func caughtProxy(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (u *url.URL, err error) {
		err = foreign.Caught(errPanicked, "its transport's Proxy", func() (err error) {
			u, err = proxy(r)
			return err
		})
		return u, err
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
