package pinned

import (
	"net/http"
	"time"
)

// Client sends a request once. It implements aws.HTTPClient by a round trip, and not
// by an http.Client's Do: no redirect is ever followed and no cookie kept.
type Client struct {
	RoundTripper http.RoundTripper
	Connections  *Connections
	Timeouts     Timeouts
	Costs        bool // what is sent is paid for, each time
}

// Do implements aws.HTTPClient, under Timeouts.Read.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	c.Connections.begin()
	resp, err := watched(c.RoundTripper, req, &c.Timeouts, c.Costs)
	return c.answered(resp, err)
}

// Exchange is a round trip that looks after its own timeouts.
type Exchange interface {
	RoundTrip(rt http.RoundTripper, req *http.Request, t *Timeouts) (*http.Response, error)
}

// DoExchange is Do for an exchange that net/http cannot end by the request's context,
// as one in two directions.
func (c *Client) DoExchange(req *http.Request, x Exchange) (*http.Response, error) {
	c.Connections.begin()
	resp, err := x.RoundTrip(c.RoundTripper, req, &c.Timeouts)
	return c.answered(resp, err)
}

// answered counts the exchange out at its end.
func (c *Client) answered(resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		c.Connections.end()
		return nil, c.Connections.explain(err)
	}
	TrustDate(resp.Header, time.Now())
	return c.Connections.counted(resp), nil
}

// Refusing stands in the options of an SDK client whose requests go out through a
// gate with a transport of its own. A request that arrives here has gone round the
// gate.
type Refusing struct {
	Refuse func(req *http.Request) error
}

// Do implements aws.HTTPClient.
func (r Refusing) Do(req *http.Request) (*http.Response, error) { return nil, r.Refuse(req) }
