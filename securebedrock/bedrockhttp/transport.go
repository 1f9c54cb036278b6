package bedrockhttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Transport returns a RoundTripper for the HTTP client of an SDK that signs by itself.
// Each request becomes a call of c, wherever the request was to go. The request's host,
// region, signature and tokens have no effect.
//
// RoundTrip returns an error where the request's context ends, where the body of the
// request cannot be read, where the request has no URL, and where c is nil. Everything
// else is an answer: a refusal, a body of more than 32 MiB (status 413), and a call after
// c has been closed (status 503), too. The RoundTripper is safe for concurrent use. It
// keeps no connection of its own.
func Transport(c *securebedrock.Client) http.RoundTripper { return &transport{c} }

type transport struct{ client *securebedrock.Client }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	body := newRequestBody(req)
	if t.client == nil {
		body.Close()
		return nil, errors.New("bedrockhttp: Transport has no client")
	}
	if req.URL == nil {
		body.Close()
		return nil, errors.New("bedrockhttp: the request has no URL")
	}
	ctx := req.Context()
	a, err := t.answer(req, body)
	if a == nil || !a.bidirectional {
		body.Close()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if a != nil && a.events != nil {
			a.events.Close()
		}
		return nil, err
	}
	return a.response(req), nil
}

// answer serves a request. An error is that of the request's body.
func (t *transport) answer(req *http.Request, body *requestBody) (*answer, error) {
	to, err := targetOf(req)
	if err != nil {
		return refusalOf(err), nil
	}
	ctx := req.Context()
	if to.isBidirectional() {
		in, err := to.input(req, nil)
		if err != nil {
			return refusalOf(err), nil
		}
		a, err := bidirectional(ctx, t.client, in, &unverifiedFrames{&framedBody{r: body}}, body)
		if err != nil {
			return refusalOf(err), nil
		}
		a.bidirectional = true
		return a, nil
	}
	b, err := body.all(req)
	var own *wire.Error
	switch {
	case errors.As(err, &own):
		return refusalOf(own), nil
	case err != nil:
		return nil, err
	}
	in, err := to.input(req, b)
	if err != nil {
		return refusalOf(err), nil
	}
	return to.serve(ctx, t.client, in), nil
}

// requestBody is the body of a request of a Transport. It may be closed more than once,
// and from another goroutine.
type requestBody struct {
	io.Reader
	close func() error
}

func newRequestBody(req *http.Request) *requestBody {
	if req.Body == nil {
		return &requestBody{http.NoBody, func() error { return nil }}
	}
	return &requestBody{req.Body, sync.OnceValue(req.Body.Close)}
}

// Close implements io.Closer.
func (b *requestBody) Close() error { return b.close() }

// all reads the body, until the request's context ends.
func (b *requestBody) all(req *http.Request) ([]byte, error) {
	stop := context.AfterFunc(req.Context(), func() { b.Close() })
	defer stop()
	reader := io.Reader(http.NoBody)
	if req.Body != nil {
		var err error
		if reader, err = bodyReader(req); err != nil {
			return nil, err
		}
	}
	length := req.ContentLength
	if length <= 0 { // zero is unknown where there is a body
		length = -1
	}
	body, err := readBody(reader, length, defaultMaxBody)
	if ended := req.Context().Err(); ended != nil {
		return nil, ended
	}
	return body, err
}

// response is the answer as net/http's own transport would return it.
func (a *answer) response(req *http.Request) *http.Response {
	resp := &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Request: req,
	}
	if a.bidirectional {
		resp.Proto, resp.ProtoMajor, resp.ProtoMinor = "HTTP/2.0", 2, 0
	}
	if a.events != nil {
		resp.Body, resp.ContentLength = a.events, -1
		return resp
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(a.body)), int64(len(a.body))
	a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
	return resp
}
