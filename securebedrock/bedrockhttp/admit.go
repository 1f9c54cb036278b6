package bedrockhttp

import (
	"io"
	"net/http"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// claim is what the headers of a request say about its caller. What can be checked
// without the body has been checked.
type claim struct {
	key *Key
	id  sigv4.Identity
}

// claim checks a request's headers, before its body is read. Its error is a
// *wire.Error.
func (k *Keys) claim(*http.Request) (*claim, error) {
	return nil, refused("UnrecognizedClientException", "The key is unknown.")
}

// body returns the request's body without the framing of aws-chunked, whose signatures
// are verified on the way.
func (c *claim) body(r *http.Request) (io.Reader, error) { return bodyReader(r) }

// verify checks the body against the claim, and returns the caller. A bidirectional
// request has a nil body: its frames are verified one by one. The error is a
// *wire.Error.
func (c *claim) verify(*http.Request, []byte) (Caller, error) {
	return Caller{Name: c.key.Name, Models: c.key.Models}, nil
}

// frames returns the frames of a bidirectional request, each of which is verified.
func (c *claim) frames(body io.Reader) *sigv4.Frames { return sigv4.NewFrames(body, c.id) }

// refused is the answer to a request that proves no key.
func refused(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusForbidden, Code: code, Message: message}
}

// checkOrigin refuses what no SDK sends: a request of a web page, and one for another
// host than this. hosts are names beside the loopback ones. The error is a
// *wire.Error.
func checkOrigin(*http.Request, []string) error { return nil }

// bodyReader returns the request's body without the framing of aws-chunked. It
// verifies no chunk's signature: Handler reads the body through its claim.
func bodyReader(r *http.Request) (io.Reader, error) { return r.Body, nil }
