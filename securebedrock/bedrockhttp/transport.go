package bedrockhttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Transport returns a RoundTripper for the HTTP client of an SDK that signs by itself.
// Each request becomes a call of c, wherever the request was to go. The request's host,
// region, signature and tokens have no effect.
//
// RoundTrip returns an error where the request's context ends, and where the body of
// the request cannot be read. Everything else is an answer.
func Transport(c *securebedrock.Client) http.RoundTripper { return &transport{c} }

type transport struct{ client *securebedrock.Client }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if t.client == nil {
		return nil, errors.New("bedrockhttp: Transport has no client")
	}
	ctx := req.Context()
	a, err := t.answer(req)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		if a.events != nil {
			a.events.Close()
		}
		return nil, err
	}
	return a.response(req), nil
}

func (t *transport) answer(req *http.Request) (*answer, error) {
	to, err := targetOf(req)
	if err != nil {
		return refusalOf(err), nil
	}
	var body []byte
	if req.Body != nil {
		reader, err := bodyReader(req)
		if err != nil {
			return refusalOf(err), nil
		}
		if body, err = readBody(reader, req.ContentLength, defaultMaxBody); err != nil {
			return nil, err
		}
	}
	in, err := to.input(req, body)
	if err != nil {
		return refusalOf(err), nil
	}
	return to.serve(req.Context(), t.client, in), nil
}

// response is the answer as net/http's own transport would return it.
func (a *answer) response(req *http.Request) *http.Response {
	resp := &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Request: req,
	}
	if a.events != nil {
		resp.Body, resp.ContentLength = a.events, -1
		return resp
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(a.body)), int64(len(a.body))
	a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
	return resp
}
