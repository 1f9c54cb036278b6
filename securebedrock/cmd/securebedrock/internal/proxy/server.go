package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

const (
	// headerTimeout bounds how long a connection may take for the headers of a request.
	headerTimeout = 10 * time.Second
	// idleTimeout bounds how long a connection stays open between requests. SDKs keep
	// theirs for up to 90 s.
	idleTimeout = 2 * time.Minute
	// maxHeader is far above what SDKs send: a signed request with a session token has
	// about 4 KiB.
	maxHeader = 64 << 10
)

// newServer makes a server of HTTP/1.1 and HTTP/2, with TLS or without.
func newServer(handler http.Handler, cert *certificate, log *slog.Logger) *http.Server {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	s := &http.Server{
		Handler: handler, Protocols: protocols,
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		DisableGeneralOptionsHandler: true, // net/http answers "OPTIONS *" with 200 by itself
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if cert != nil {
		protocols.SetHTTP2(true)
		s.TLSConfig = cert.config()
	} else {
		protocols.SetUnencryptedHTTP2(true)
	}
	return s
}

// serve accepts connections until the server is shut down. The server's TLSConfig does not
// say whether there is TLS: net/http sets one for HTTP/2 in any case.
func serve(s *http.Server, l net.Listener, withTLS bool) error {
	var err error
	if withTLS {
		err = s.ServeTLS(l, "", "")
	} else {
		err = s.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// lastWords is the time in which callers receive the end of their streams, after the
// client has ended the calls.
const lastWords = 2 * time.Second

// end closes the listener, lets the calls in flight come to their ends until ctx is done,
// and then ends them.
func end(ctx context.Context, s *http.Server, c *securebedrock.Client) error {
	outer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- s.Shutdown(outer) }()
	err := c.Shutdown(ctx)
	select {
	case serverErr := <-closed:
		return errors.Join(err, serverErr)
	case <-time.After(lastWords):
		cancel()
		<-closed //nolint:errcheck // Shutdown gave up, as it was told
		return errors.Join(err, s.Close())
	}
}
