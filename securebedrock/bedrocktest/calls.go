package bedrocktest

import (
	"bytes"
	"net/http"
	"sync"
)

// Call is one request as the server received it. Refused requests are recorded, too.
type Call struct {
	Operation   string // the SDK's name: "Converse", "AssumeRole"; empty for an unknown path
	Method      string
	Path        string // as sent: escaped, without the query
	Region      string // in the signature's scope; empty if the request is not signed
	Service     string // in the signature's scope: "bedrock", "sts"
	AuthScheme  string // "AWS4-HMAC-SHA256", "Bearer", or empty
	AccessKeyID string
	Header      http.Header
	Body        []byte // of InvokeModelWithBidirectionalStream: the payloads of the frames so far, joined
	Input       any    // *bedrockruntime.ConverseInput and so on, *sts.AssumeRoleInput; nil if the request did not decode
	ModelID     string // as the client wrote it, unescaped
	Proto       string // "HTTP/1.1" or "HTTP/2.0"
	Status      int    // of the answer; 0 before the answer begins, and if the connection is dropped before then
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
