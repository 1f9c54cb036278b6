package bedrockhttp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// target is what a request asks for.
type target struct {
	operation wire.Operation
	labels    map[string]string
}

// targetOf finds the operation of a request. An error is a *wire.Error.
func targetOf(r *http.Request) (target, error) {
	path, method := r.URL.EscapedPath(), cmp.Or(r.Method, http.MethodGet) // as for net/http's client
	op, labels, ok := wire.Route(method, path)
	if ok {
		return target{op, labels}, nil
	}
	if name, ok := wire.Unserved(method, path); ok {
		return target{}, forbidden(name + " is not guarded, and is refused; use an operation of Bedrock Runtime, such as Converse or InvokeModel")
	}
	return target{}, &wire.Error{Status: http.StatusNotFound, Code: "UnknownOperationException",
		Message: "securebedrock: no operation of Bedrock Runtime has this method and path"}
}

// input decodes the input of a request whose body has been read. An error is a
// *wire.Error.
func (t target) input(r *http.Request, body []byte) (any, error) {
	return t.operation.DecodeStrict(&wire.Request{Method: r.Method, Labels: t.labels, Query: r.URL.RawQuery, Header: r.Header, Body: body})
}

// serve makes a call of the client and returns its answer, which may be a refusal.
func (t target) serve(ctx context.Context, c *securebedrock.Client, in any) *answer {
	run := callOf(t.operation.Name)
	if run == nil {
		return refusalOf(forbidden(t.operation.Name + " is not served here"))
	}
	return answerOr(run(ctx, c, in))
}

// answerOr is an answer, or the one that tells the error.
func answerOr(a *answer, err error) *answer {
	if err != nil {
		return refusalOf(err)
	}
	return a
}

// isBidirectional reports whether the request's body is a stream that goes on during the
// answer.
func (t target) isBidirectional() bool { return t.operation.Name == wire.Bidirectional }

// readBody reads a body of at most limit bytes. length is -1 where nobody knows it.
func readBody(body io.Reader, length, limit int64) ([]byte, error) {
	if length > limit {
		return nil, tooLarge(limit)
	}
	buf := make([]byte, 0, min(length+1, 1<<20)+511)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, tooLarge(limit)
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, err
		}
	}
}

func tooLarge(limit int64) *wire.Error {
	return &wire.Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException",
		Message: fmt.Sprintf("securebedrock: the request's body is longer than %d bytes; send less", limit)}
}

// bodyError is the answer to a request whose body cannot be read.
func bodyError(err error) *wire.Error {
	var own *wire.Error
	if errors.As(err, &own) {
		return own
	}
	return wire.Invalid("securebedrock: the request's body cannot be read to its end, or does not end where its framing says")
}
