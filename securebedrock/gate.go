package securebedrock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// signingName is Bedrock Runtime's service name in SigV4.
const signingName = "bedrock"

// sealedHeaders carry the guardrail of an InvokeModel, and the type without which
// Bedrock cannot apply it.
func sealedHeaders() [4]string {
	return [...]string{
		"X-Amzn-Bedrock-Guardrailidentifier",
		"X-Amzn-Bedrock-Guardrailversion",
		"X-Amzn-Bedrock-Trace",
		"Content-Type",
	}
}

// wire is what the rules approved, as the serializer wrote it.
type wire struct {
	method, path, rawPath, query string
	headers                      [4]string
	body                         *sealedBody // nil where there is none, or it is yet to be written
}

// sealedBody is a request's body that nobody can put other bytes into: the gate
// knows it again by its address. WriteTo is for the signer, which hashes it; see
// sentBody.
type sealedBody struct {
	r    *bytes.Reader
	size int64
}

func newSealedBody(r *bytes.Reader) *sealedBody { return &sealedBody{r: r, size: r.Size()} }

// equals reports whether another body has the same bytes, and reads it to its end.
func (b *sealedBody) equals(other io.Reader) bool {
	theirs, err := io.ReadAll(io.LimitReader(other, b.size+1))
	if err != nil || int64(len(theirs)) != b.size {
		return false
	}
	ours := make([]byte, b.size)
	_, err = b.r.ReadAt(ours, 0)
	return (err == nil || errors.Is(err, io.EOF)) && bytes.Equal(ours, theirs)
}

func (b *sealedBody) Read(p []byte) (int, error)                { return b.r.Read(p) }
func (b *sealedBody) Seek(off int64, whence int) (int64, error) { return b.r.Seek(off, whence) }
func (b *sealedBody) WriteTo(w io.Writer) (int64, error)        { return b.r.WriteTo(w) }
func (b *sealedBody) Len() int                                  { return b.r.Len() }

// capture takes note of the serialized request and seals its body.
func (w *wire) capture(request any) (*smithyhttp.Request, error) {
	req, ok := request.(*smithyhttp.Request)
	if !ok {
		return nil, refuse(ErrEndpoint, fmt.Sprintf("the request is a %T", request))
	}
	w.method, w.path, w.rawPath, w.query = req.Method, req.URL.Path, req.URL.RawPath, req.URL.RawQuery
	for i, h := range sealedHeaders() {
		w.headers[i] = req.Header.Get(h)
	}
	w.body = nil
	switch stream := req.GetStream().(type) {
	case nil:
		return req, nil
	case *bytes.Reader:
		w.body = newSealedBody(stream)
	default:
		all, err := io.ReadAll(stream)
		if err != nil {
			return nil, err
		}
		w.body = newSealedBody(bytes.NewReader(all))
	}
	return req.SetStream(w.body)
}

// gateStep is the last to see a request, and sends it.
type gateStep struct {
	g  *guard
	op *operation
}

const gateID = "securebedrock:gate"

func (*gateStep) ID() string { return gateID }

// HandleDeserialize does not call the next handler, which would be the HTTP
// client of the SDK's options, but sends through the pinned transport.
func (s *gateStep) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, _ middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, metadata middleware.Metadata, err error,
) {
	st := stateOf(ctx)
	if st == nil || !st.approved || st.op != s.op {
		return out, metadata, &PolicyError{Rule: ErrGuardrailRequired, Operation: s.op.name,
			Detail: "the call did not pass the rules; a middleware took them out of the stack"}
	}
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, st.named(refuse(ErrEndpoint, fmt.Sprintf("the request is a %T", in.Request)))
	}
	if st.dead != nil {
		if pipe, ok := req.GetStream().(io.Closer); ok {
			pipe.Close() // nobody will read what the caller sends
		}
		out.RawResponse = &smithyhttp.Response{Response: deadAnswer(st.dead)}
		return out, metadata, nil
	}
	req, err = st.wire.sealed(st.op, req)
	if err == nil {
		err = s.g.inspect(st, req)
	}
	if err != nil {
		return out, metadata, st.named(err)
	}
	st.sends++
	pipe := duplexPipe(s.op, req)
	raw, metadata, err := s.g.transport.Handle(ctx, req)
	out.RawResponse = raw
	resp, ok := raw.(*smithyhttp.Response)
	if !ok || err != nil {
		pipe.Close()
		return out, metadata, err
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Body.Close()
		pipe.Close()
		return out, metadata, st.named(refuse(ErrRedirect, fmt.Sprintf("the server answered %d; its Location is not followed", resp.StatusCode)))
	}
	if session := s.g.credentials.session; session != nil && resp.StatusCode == http.StatusForbidden &&
		strings.HasPrefix(resp.Header.Get("X-Amzn-Errortype"), "ExpiredToken") {
		session.refused(st.accessKey)
	}
	if s.op.stream && resp.StatusCode >= 200 && resp.StatusCode < 300 {
		resp.Body = st.result.observe(resp.Body, pipe)
	} else {
		resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer, st: st}
	}
	return out, metadata, nil
}

// maxAnswer bounds what the SDK reads into memory for an answer that is no
// stream. Bedrock's own bound is 25,000,000 bytes (API_runtime_InvokeModel,
// body). An event of a stream is bounded by maxFrame.
const maxAnswer = 32 << 20

// boundedBody ends an answer that has no end.
type boundedBody struct {
	io.ReadCloser
	left int64
	st   *state
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, b.st.named(refuse(ErrAnswerSize, fmt.Sprintf("it has more than %d bytes", maxAnswer)))
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// inspect compares a signed request with what the rules approved and what the
// Options pin.
func (g *guard) inspect(st *state, req *smithyhttp.Request) error {
	e, w := &g.endpoint, &st.wire
	switch {
	case req.URL.Scheme != e.scheme:
		return refuse(ErrEndpoint, fmt.Sprintf("the scheme is %q and the pinned one is %q", req.URL.Scheme, e.scheme))
	case req.URL.Host != e.host:
		return refuse(ErrEndpoint, fmt.Sprintf("the host is %q and the pinned one is %q", req.URL.Host, e.host))
	case req.Host != "" && req.Host != e.host:
		return refuse(ErrEndpoint, fmt.Sprintf("the Host header is %q and the pinned one is %q", req.Host, e.host))
	case req.URL.User != nil, req.URL.Opaque != "":
		return refuse(ErrEndpoint, "the URL carries user information or an opaque part")
	case req.Method != w.method, req.URL.RawQuery != w.query,
		req.URL.Path != smithyhttp.JoinPath(e.path, w.path), req.URL.RawPath != e.joinRaw(w.rawPath):
		return refuse(ErrEndpoint, "method, path or query changed after the rules; a middleware or an interceptor rewrote the request")
	case req.Body != nil:
		return refuse(ErrEndpoint, "a body was put beside the serialized one")
	}
	sealed := sealedHeaders()
	for key, values := range req.Header {
		for i, h := range sealed {
			// A key in another case would be sent beside the canonical one.
			if strings.EqualFold(key, h) && (key != h || len(values) != 1 || values[0] != w.headers[i]) {
				return refuse(ErrGuardrailOverride, "the header "+h+" changed after the rules; a middleware or an interceptor rewrote the request")
			}
		}
	}
	for i, h := range sealed {
		if w.headers[i] != "" && req.Header.Get(h) == "" {
			return refuse(ErrGuardrailOverride, "the header "+h+" was taken away after the rules")
		}
	}
	return g.inspectAuth(st, req.Header)
}

// sealed gives the request its approved body. Another reader with the same bytes,
// such as the SDK's request logger puts there, is replaced; other bytes are
// refused. A bidirectional stream's body is yet to be written.
func (w *wire) sealed(op *operation, req *smithyhttp.Request) (*smithyhttp.Request, error) {
	changed := refuse(ErrEndpoint, "the body changed after the rules; a middleware or an interceptor rewrote the request")
	stream := req.GetStream()
	switch {
	case op.duplex:
		return req, nil
	case w.body == nil && (stream != nil || req.ContentLength > 0):
		return nil, changed
	case w.body == nil:
		return req, nil
	case stream == nil:
		return nil, changed
	case stream != io.Reader(w.body):
		if !w.body.equals(stream) {
			return nil, changed
		}
		if _, err := w.body.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		return req.SetStream(w.body)
	case req.ContentLength != w.body.size:
		return nil, changed
	}
	return req, nil
}

// inspectAuth demands SigV4 in the pinned region, with the key that the
// configured credentials gave for this attempt.
func (g *guard) inspectAuth(st *state, h http.Header) error {
	auth := h.Get("Authorization")
	scope, ok := strings.CutPrefix(auth, "AWS4-HMAC-SHA256 Credential=")
	if !ok || len(h.Values("Authorization")) != 1 {
		return refuse(ErrAuth, "the request is not signed with SigV4")
	}
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(scope, "/")
	if len(parts) != 5 {
		return refuse(ErrAuth, "the signature's scope is malformed")
	}
	switch {
	case parts[0] != st.accessKey || st.accessKey == "":
		return refuse(ErrAuth, "the request is signed with another key than the configured credentials gave")
	case parts[2] != g.region:
		return refuse(ErrRegion, fmt.Sprintf("the request is signed for %s and Options.Region is %s", parts[2], g.region))
	case parts[3] != signingName:
		return refuse(ErrAuth, fmt.Sprintf("the request is signed for service %q and not for %q", parts[3], signingName))
	}
	return nil
}
