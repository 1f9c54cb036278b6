package securebedrock

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// WithoutNetwork puts a canned HTTP client behind the gate, so that a benchmark
// sees the cost of the code alone. It goes round the pinned transport and its
// read timeout, and nothing else.
func (c *Client) WithoutNetwork(canned aws.HTTPClient) {
	c.g.transport = smithyhttp.NewClientHandlerWithOptions(canned)
}

// OverRoundTripper puts a canned transport behind the client's own timeouts.
func (c *Client) OverRoundTripper(canned http.RoundTripper) { c.doer.RoundTripper = canned }
