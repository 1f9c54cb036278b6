package securebedrock

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// sealedHeader is the number of sealedHeaders.
const sealedHeader = 10

// sealedHeaders are those that the serializer alone writes: the guardrail of an
// InvokeModel, the type without which Bedrock cannot apply the guardrail, and what
// else an input says by a header.
func sealedHeaders() [sealedHeader]string {
	return [...]string{
		"X-Amzn-Bedrock-Guardrailidentifier",
		"X-Amzn-Bedrock-Guardrailversion",
		"X-Amzn-Bedrock-Trace",
		"Content-Type",
		"Accept",
		"X-Amzn-Bedrock-Accept",
		"X-Amzn-Bedrock-Content-Type",
		"X-Amzn-Bedrock-Performanceconfig-Latency",
		"X-Amzn-Bedrock-Request-Metadata",
		"X-Amzn-Bedrock-Service-Tier",
	}
}

// isSealed reports whether a canonical key is the serializer's. Every header of
// Bedrock's own is, so that one which the SDK gains cannot be set from elsewhere.
func isSealed(key string) bool {
	return strings.HasPrefix(key, "X-Amzn-Bedrock-") || key == "Content-Type" || key == "Accept"
}

// wire is what the rules approved, as the serializer wrote it.
type wire struct {
	method, path, rawPath, query string
	headers                      [sealedHeader]string
	body                         *bytes.Reader // nil where there is none, or it is yet to be written
	bytes                        []byte        // of body
}

// first is http.Header.Get for a key that is canonical already.
func firstOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// content is what a bytes.Reader has left to read, without a copy.
func content(r *bytes.Reader) []byte {
	var c catcher
	_, _ = r.WriteTo(&c)
	_, _ = r.Seek(-int64(len(c)), io.SeekCurrent)
	return c
}

// catcher keeps what it is written, which bytes.Reader writes in one piece.
type catcher []byte

func (c *catcher) Write(p []byte) (int, error) { *c = p; return len(p), nil }

// same reports whether two slices are one.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// equals reports whether another body has the approved bytes, and reads it to its
// end.
func (w *wire) equals(other io.Reader) bool {
	theirs, err := io.ReadAll(io.LimitReader(other, int64(len(w.bytes))+1))
	return err == nil && bytes.Equal(theirs, w.bytes)
}

// header is a sealed header's value; empty where the serializer wrote none.
func (w *wire) header(key string) string {
	for i, h := range sealedHeaders() {
		if h == key {
			return w.headers[i]
		}
	}
	return ""
}

// capture takes note of the serialized request and its body.
func (w *wire) capture(req *smithyhttp.Request) error {
	w.method, w.path, w.rawPath, w.query = req.Method, req.URL.Path, req.URL.RawPath, req.URL.RawQuery
	for i, h := range sealedHeaders() {
		w.headers[i] = firstOf(req.Header[h])
	}
	w.body = nil
	switch stream := req.GetStream().(type) {
	case nil:
	case *bytes.Reader:
		w.body, w.bytes = stream, content(stream)
	default:
		all, err := io.ReadAll(stream)
		if err != nil {
			return err
		}
		w.body, w.bytes = bytes.NewReader(all), all
		own, err := req.SetStream(w.body)
		if err != nil {
			return err
		}
		*req = *own
	}
	return nil
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
	ex := exchangeOf(ctx)
	if ex == nil || !ex.seal.open() || ex.op != s.op {
		return out, metadata, bypassed(s.op.name, "the call did not pass the rules; a middleware took them out of the stack")
	}
	if !ex.seal.send() {
		return out, metadata, ex.named(refuse(ErrEndpoint,
			"the attempt has been sent already, or the retry step was taken out of the stack; a step called its next handler again, and Options.Retry says how often a call is sent"))
	}
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, ex.named(refuse(ErrEndpoint, fmt.Sprintf("the request is a %T", in.Request)))
	}
	req, err = ex.wire.sealed(ex.op, req)
	if err == nil {
		err = s.g.inspect(ex, req)
	}
	if err != nil {
		return out, metadata, ex.named(err)
	}
	ex.delivery.sends++
	if s.op.duplex {
		if cause := context.Cause(ctx); cause != nil {
			return out, metadata, cause // nobody may be waiting any more
		}
		d, pipe := duplexOf(ctx), pipeOf(req)
		if d == nil || pipe.r == nil || pipe.r != d.pipe.Load() {
			return out, metadata, ex.named(refuse(ErrEndpoint, "the body is not what the caller writes to; a middleware or an interceptor rewrote the request"))
		}
		ex.result.live = newDuplexWire(pipe)
		d.live.Store(ex.result.live)
		ctx = context.WithValue(ctx, duplexWireKey{}, ex.result.live)
	}
	raw, metadata, err := s.transport().Handle(s.sending(ctx, ex), req)
	out.RawResponse = raw
	resp, ok := raw.(*smithyhttp.Response)
	if !ok || err != nil {
		return out, metadata, err
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Body.Close()
		return out, metadata, ex.named(refuse(ErrRedirect, fmt.Sprintf("the server answered %d; its Location is not followed", resp.StatusCode)))
	}
	ex.result.tally.headers(resp.Header)
	if s.op.stream && resp.StatusCode >= 200 && resp.StatusCode < 300 {
		resp.Body = ex.result.observe(resp.Body, &ex.call)
	} else {
		resp.Body = &pinned.Bounded{ReadCloser: resp.Body, Left: maxAnswer, TooLong: ex}
		ex.result.raw = resp.Body
	}
	return out, metadata, nil
}

// transport is the one for the operation's cost.
func (s *gateStep) transport() smithyhttp.ClientHandler {
	switch {
	case s.op.duplex:
		return s.g.duplexed
	case s.op.costs():
		return s.g.transport
	}
	return s.g.free
}

// sending is the context of a request. The request's context of a stream outlives the
// call, and the SDK's context would keep the whole stack, the input and the request
// with it. Where nothing of the application's stands in the stack, the SDK's context
// has nothing that the exchange's own has not.
func (s *gateStep) sending(ctx context.Context, ex *exchange) context.Context {
	if !s.op.stream || s.op.duplex || s.g.traced || ex.watched {
		return ctx
	}
	return selfOf(ctx)
}

// maxAnswer bounds what the SDK reads into memory for an answer that is no
// stream. Bedrock's own bound is 25,000,000 bytes (API_runtime_InvokeModel,
// body). An event of a stream is bounded by eventframe.MaxFrame.
const maxAnswer = 32 << 20

// AnswerTooLong implements pinned.TooLong.
func (ex *exchange) AnswerTooLong() error {
	return ex.named(refuse(ErrAnswerSize, fmt.Sprintf("it has more than %d bytes", maxAnswer)))
}

// inspect compares a signed request with what the rules approved and what the
// Options pin.
func (g *guard) inspect(ex *exchange, req *smithyhttp.Request) error {
	e, w := &g.endpoint, &ex.wire
	if err := e.Check(req.URL, req.Host); err != nil {
		return err
	}
	switch {
	case req.Method != w.method, req.URL.RawQuery != w.query, !e.Joined(req.URL, w.path, w.rawPath):
		return refuse(ErrEndpoint, "method, path or query changed after the rules; a middleware or an interceptor rewrote the request")
	case req.Body != nil:
		return refuse(ErrEndpoint, "a body was put beside the serialized one")
	}
	if err := inspectHeaders(w, req.Request); err != nil {
		return err
	}
	signature := pinned.Signature{AccessKey: ex.delivery.accessKey, Token: ex.delivery.token, Region: g.region, Service: signingName}
	return signature.Check(req.Header)
}

// inspectHeaders demands that each header can be taken in one way only, and that
// those of the serializer's are as the serializer wrote them.
func inspectHeaders(w *wire, req *http.Request) error {
	if err := pinned.CheckFraming(req); err != nil {
		return err
	}
	for key, values := range req.Header {
		if err := pinned.CheckHeader(key, values, headerRule); err != nil {
			return err
		}
		if isSealed(key) && (firstOf(values) != w.header(key) || firstOf(values) == "") {
			return refuse(ErrGuardrailOverride, "the header "+key+" changed after the rules; a middleware or an interceptor rewrote the request")
		}
	}
	for i, h := range sealedHeaders() {
		if w.headers[i] != "" && firstOf(req.Header[h]) == "" {
			return refuse(ErrGuardrailOverride, "the header "+h+" was taken away after the rules")
		}
	}
	return nil
}

// sealed gives the request its approved body. Another reader with the same bytes,
// such as the SDK's request logger puts there, is replaced; other bytes are
// refused. A bidirectional stream's body is yet to be written.
func (w *wire) sealed(op *operation, req *smithyhttp.Request) (*smithyhttp.Request, error) {
	stream := req.GetStream()
	switch {
	case op.duplex, w.body == nil && stream == nil && req.ContentLength <= 0:
		return req, nil
	case w.body == nil || stream == nil:
	case stream != io.Reader(w.body):
		if w.equals(stream) {
			return req.SetStream(bytes.NewReader(w.bytes))
		}
	case req.ContentLength == int64(len(w.bytes)) && same(content(w.body), w.bytes):
		return req, nil
	}
	return nil, refuse(ErrEndpoint, "the body changed after the rules; a middleware or an interceptor rewrote the request")
}

// headerRule is the rule that a header belongs to.
func headerRule(canonical string) error {
	if isSealed(canonical) {
		return ErrGuardrailOverride
	}
	return pinned.HeaderRule(canonical)
}
