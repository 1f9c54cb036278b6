package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

// Warm does the work in advance for which the first call would wait. It fetches the
// credentials, assumes the Role, and makes a connection to the endpoint: name lookup,
// TCP, TLS, and a HEAD request without a body or credentials, whose answer does not
// matter. Warm is meant for a Lambda function's init. Without Warm the first call does
// this work.
//
// Warm may be called at any time and by many goroutines. ctx, Timeouts.Connect and
// Timeouts.Read bound it. The error joins everything that failed. A client whose Warm
// failed can still be used.
func (c *Client) Warm(ctx context.Context) error {
	g := c.g
	if ctx == nil {
		return noContext("Warm")
	}
	if g.closed.Load() {
		return closedError("Warm", "", "make another with New")
	}
	credentials, connection := errGoexit, errGoexit
	var wg sync.WaitGroup
	wg.Go(func() { credentials = c.fetch(ctx) })
	wg.Go(func() { connection = c.connect(ctx) })
	wg.Wait()
	if credentials != nil {
		credentials = fmt.Errorf("securebedrock: Warm: credentials: %w", named(credentials, "Warm", ""))
	}
	return errors.Join(credentials, named(connection, "Warm", ""))
}

// fetch gets the credentials. It recovers a provider's panic, which would end the
// process on this goroutine.
func (c *Client) fetch(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicError("the credentials provider", v)
		}
	}()
	_, _, err = c.credentials.retrieve(ctx)
	return err
}

// connect leaves an idle connection in the pool.
func (c *Client) connect(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicError("the HTTP client", v)
		}
	}()
	u := url.URL{Scheme: c.g.endpoint.Scheme, Host: c.g.endpoint.Host, Path: "/"}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
	if err == nil {
		var resp *http.Response
		if resp, err = c.doer.Do(req); err == nil {
			err = resp.Body.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("securebedrock: Warm: connection to %s: %w", c.g.endpoint.Host, err)
	}
	return nil
}
