package bedrocktest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/misuse"
)

// maxBody bounds a request's body, so that a faulty client gets an error and does not
// fill the memory of this process.
const maxBody = 64 << 20

// operation answers the requests of one operation.
type operation struct {
	name    string // empty for STS, whose body names the operation
	service service
	// decode reads the input, before the request is recorded.
	decode func(*request) (input any, err error)
	// answer serves a request that has been decoded, checked and authenticated. If it
	// has sent nothing, its error becomes the response.
	answer func(*responder, *request) error
}

// service is what the operations of one AWS service share.
type service struct {
	name     string // as in a signature's scope
	fail     func(w *responder, requestID string, e *wire.Error)
	unsigned string // the operation that may come without a signature; empty: none
}

// pipeline takes every request through the same steps: record, signature, fault,
// answer.
type pipeline struct {
	route      func(*http.Request) (op operation, labels map[string]string, known bool)
	check      func(operation string, r *request) error
	verifier   sigv4.Verifier
	calls      *recorder
	faults     *faultScript
	complaints *complaints
	closing    <-chan struct{}
}

// ServeHTTP implements http.Handler.
func (p *pipeline) ServeHTTP(hw http.ResponseWriter, hr *http.Request) {
	op, labels, known := p.route(hr)
	r := newRequest(hr, op.name, labels)
	hw.Header().Set("X-Amzn-Requestid", r.id)
	w := &responder{http: hw, left: hr.Context().Done(), closing: p.closing, record: func(status int) {
		p.calls.update(func() { r.call.Status = status })
	}}

	failure := p.read(hw, op, r)
	whole := failure == nil // a signature tells nothing about a part of the body
	if !known {
		failure = &wire.Error{Status: http.StatusNotFound, Code: "UnknownOperationException"}
	}
	if failure == nil {
		failure = p.decode(op, r)
	}
	var refused error
	if !r.unsigned(op.service) {
		r.signer, refused = p.verifier.Verify(hr, r.parts.Body, op.service.name, op.name == wire.Bidirectional)
	}
	r.call.AuthScheme, r.call.AccessKeyID = r.signer.Scheme, r.signer.AccessKeyID
	r.call.Region, r.call.Service = r.signer.Region, r.signer.Service
	p.calls.add(r.call)

	fail := func(e *wire.Error) { op.service.fail(w, r.id, e) }
	switch {
	case !whole:
		fail(p.errorOf(failure))
		return
	case refused != nil:
		fail(wire.ErrorOf(refused))
		return
	}
	w.fault = p.faults.next(r.call.Operation)
	if w.strike(fail) {
		return
	}
	if failure == nil {
		failure = p.answer(op, w, r)
	}
	if failure != nil {
		fail(p.errorOf(failure))
	}
}

// unsigned reports whether a request has no signature and needs none.
func (r *request) unsigned(s service) bool {
	return s.unsigned != "" && r.call.Operation == s.unsigned && r.http.Header.Get("Authorization") == ""
}

// read reads the body, except that of a stream.
func (p *pipeline) read(w http.ResponseWriter, op operation, r *request) error {
	if op.name == wire.Bidirectional {
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.http.Body, maxBody))
	r.parts.Body, r.call.Body = body, bytes.Clone(body)
	if err != nil {
		return wire.Invalid("The request body could not be read: %v", err)
	}
	return nil
}

// decode decodes the input, and refuses what the service refuses.
func (p *pipeline) decode(op operation, r *request) error {
	var err error
	if r.call.Input, err = op.decode(r); err != nil {
		return err
	}
	if in, ok := r.call.Input.(*bedrockruntime.StartAsyncInvokeInput); ok {
		r.call.ModelID = aws.ToString(in.ModelId)
	}
	return p.check(op.name, r)
}

// answer serves a request. A panic of this package becomes an error of the service
// where the headers have not been sent, and ends the request where they have.
func (p *pipeline) answer(op operation, w *responder, r *request) (err error) {
	defer func() {
		v := recover()
		switch {
		case v == nil:
			return
		case v == http.ErrAbortHandler:
			panic(v)
		}
		fault := &misuse.Error{What: fmt.Sprintf("%s panicked: %v", op.name, v), Stack: debug.Stack()}
		if w.sent {
			p.complaints.tell(fault)
			abort()
		}
		err = fault
	}()
	return op.answer(w, r)
}

// errorOf returns the service's error for err. The test is told of a misuse.
func (p *pipeline) errorOf(err error) *wire.Error {
	m := new(misuse.Error)
	if !errors.As(err, &m) {
		return wire.ErrorOf(err)
	}
	p.complaints.tell(m)
	return &wire.Error{Status: http.StatusInternalServerError, Code: "InternalServerException", Message: "bedrocktest: " + m.What}
}
