package bedrocktest

import (
	"bytes"
	"net/http"
	"sync"
)

// Call is one request as the server received it, whether it was answered or
// refused.
type Call struct {
	Operation   string // as the SDK names it: "Converse", "AssumeRole"; empty for a path that is none
	Method      string
	Path        string // as it was sent, escaped, without the query
	Region      string // of the signature's scope; empty if the request was not signed
	Service     string // of the signature's scope: "bedrock", "sts"
	AuthScheme  string // "AWS4-HMAC-SHA256", "Bearer", or empty
	AccessKeyID string
	Header      http.Header
	Body        []byte // of InvokeModelWithBidirectionalStream: the payloads of its frames so far, one after another
	Input       any    // *bedrockruntime.ConverseInput and so on, *sts.AssumeRoleInput; nil if the request did not decode
	ModelID     string // as the client wrote it, unescaped
	Proto       string // "HTTP/1.1" or "HTTP/2.0"
	Status      int    // of the answer; 0 while there is none, and if the connection was dropped before one
}

type recorder struct {
	mu    sync.Mutex
	calls []*Call
}

func (r *recorder) add(c *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

// update changes a call that has been added.
func (r *recorder) update(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

func (r *recorder) list() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Call, len(r.calls))
	for i, c := range r.calls {
		out[i] = *c
		out[i].Header = c.Header.Clone()
		out[i].Body = bytes.Clone(c.Body)
	}
	return out
}
