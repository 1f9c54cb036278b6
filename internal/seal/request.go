package seal

import (
	"bytes"
	"io"
	"net/http"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Request is what the rules approved, as the serializer wrote it.
type Request struct {
	method, path, rawPath, query string
	headers                      [sealedHeaderCount]string
	body                         *bytes.Reader // nil where there is none, or it is yet to be written
	bytes                        []byte        // of body
	caught                       catcher
}

// Unwritten refuses a request in which a step before the serializer has set what the
// serializer alone may say.
func Unwritten(req *smithyhttp.Request) error {
	for key := range req.Header {
		if canonical := http.CanonicalHeaderKey(key); IsSealed(canonical) {
			return refusal.New(refusal.GuardrailOverride, "a step of the SDK's stack set the header "+canonical+" before the serializer ran; set the input's own field")
		}
	}
	if req.GetStream() != nil {
		return refusal.New(refusal.Endpoint, "a step of the SDK's stack set a body before the serializer ran")
	}
	return nil
}

// Capture notes the serialized request and its body.
func (r *Request) Capture(req *smithyhttp.Request) error {
	r.method, r.path, r.rawPath, r.query = req.Method, req.URL.Path, req.URL.RawPath, req.URL.RawQuery
	for i, h := range sealedHeaders() {
		r.headers[i] = headerValue(req.Header[h])
	}
	r.body = nil
	switch stream := req.GetStream().(type) {
	case nil:
	case *bytes.Reader:
		r.body, r.bytes = stream, r.caught.unread(stream)
	default:
		all, err := io.ReadAll(stream)
		if err != nil {
			return err
		}
		r.body, r.bytes = bytes.NewReader(all), all
		own, err := req.SetStream(r.body)
		if err != nil {
			return err
		}
		*req = *own
	}
	return nil
}

// WithBody gives a request its approved body. Another reader with the same bytes is
// replaced, such as the one that the SDK's request logger puts there. Other bytes are
// refused.
func (r *Request) WithBody(req *smithyhttp.Request) (*smithyhttp.Request, error) {
	stream := req.GetStream()
	switch {
	case r.body == nil && stream == nil && req.ContentLength <= 0:
		return req, nil
	case r.body == nil || stream == nil:
	case stream != io.Reader(r.body):
		if readsAs(stream, r.bytes) {
			return req.SetStream(bytes.NewReader(r.bytes))
		}
	case req.ContentLength == int64(len(r.bytes)) && oneSlice(r.caught.unread(r.body), r.bytes):
		return req, nil
	}
	return nil, refusal.New(refusal.Endpoint, "the body changed after the rules; a middleware or an interceptor rewrote the request")
}

// Check compares a signed request with the approved one, and with the endpoint that
// the Options pin. WithBody sees to the body.
func (r *Request) Check(req *smithyhttp.Request, e *pinned.Endpoint) error {
	if err := e.Check(req.URL, req.Host); err != nil {
		return err
	}
	switch {
	case req.Method != r.method, req.URL.RawQuery != r.query, !e.Joined(req.URL, r.path, r.rawPath):
		return refusal.New(refusal.Endpoint, "method, path or query changed after the rules; a middleware or an interceptor rewrote the request")
	case req.Body != nil:
		return refusal.New(refusal.Endpoint, "a body was put beside the serialized one")
	}
	return r.checkHeaders(req.Request)
}
