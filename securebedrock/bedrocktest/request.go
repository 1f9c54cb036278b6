package bedrocktest

import (
	"net/http"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
)

// request is one request that is being served.
type request struct {
	http   *http.Request
	parts  wire.Request // Body is nil for the bidirectional stream
	id     string       // the X-Amzn-Requestid of the answer
	call   *Call
	signer *sigv4.Claim
}

// newRequest reads the request line and the headers.
func newRequest(r *http.Request, operation string, labels map[string]string) *request {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	return &request{
		http:   r,
		parts:  wire.Request{Method: r.Method, Labels: labels, Query: query, Header: r.Header},
		id:     ids.New(),
		signer: &sigv4.Claim{},
		call: &Call{
			Operation: operation,
			Method:    r.Method,
			Path:      path,
			Header:    r.Header.Clone(),
			ModelID:   labels["modelId"],
			Proto:     r.Proto,
		},
	}
}
