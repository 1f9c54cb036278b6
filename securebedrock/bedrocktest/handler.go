package bedrocktest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds a request's body, so that a client in error meets an error
// and not this process's memory.
const maxBody = 64 << 20

// serve takes a request through what every request goes through: record,
// signature, fault, decode, answer.
func (s *Server) serve(w http.ResponseWriter, hr *http.Request) {
	if !s.handlers.enter() {
		abort()
	}
	defer s.handlers.leave()

	r := &request{http: hr, id: newID()}
	w.Header().Set("X-Amzn-Requestid", r.id)

	op, labels, known := route(hr)
	r.label = labels
	path, _, _ := strings.Cut(hr.RequestURI, "?")
	r.call = &Call{
		Operation: op.name,
		Method:    hr.Method,
		Path:      path,
		Header:    hr.Header.Clone(),
		ModelID:   labels["modelId"],
		Proto:     hr.Proto,
	}

	var failure error
	if op.name != opBidirectional {
		body, err := io.ReadAll(http.MaxBytesReader(w, hr.Body, maxBody))
		if err != nil {
			failure = invalid("The request body could not be read: %v", err)
		}
		r.body, r.call.Body = body, bytes.Clone(body)
	}
	if !known {
		failure = &apiError{status: http.StatusNotFound, code: "UnknownOperationException"}
	}
	if failure == nil {
		r.call.Input, failure = op.decode(r)
	}
	if failure == nil {
		failure = s.validate(op, r)
	}

	service := op.service
	if service == "" {
		service = serviceBedrock
	}
	var refused error
	r.auth, refused = s.authenticate(r, service)
	r.call.AuthScheme, r.call.AccessKeyID = r.auth.scheme, r.auth.accessKeyID
	r.call.Region, r.call.Service = r.auth.region, r.auth.service
	s.calls.add(r.call)

	sw := &statusWriter{ResponseWriter: w, server: s, call: r.call}
	if refused != nil {
		s.fail(sw, r, service, refused)
		return
	}
	r.fault = s.faults.next(r.call.Operation)
	if s.strike(sw, r, service) {
		return
	}
	if failure == nil {
		failure = s.answer(op, sw, r)
	}
	if failure != nil {
		s.fail(sw, r, service, failure)
	}
}

// strike applies those faults that come before any answer, and reports whether
// the request is done with.
func (s *Server) strike(w http.ResponseWriter, r *request, service string) bool {
	switch r.fault.kind {
	case faultError:
		s.fail(w, r, service, &apiError{status: r.fault.status, code: r.fault.code, message: r.fault.message})
		return true
	case faultStallHeaders:
		if r.fault.wait > 0 && s.pause(r.http.Context(), r.fault.wait) {
			return false
		}
		s.stall(r.http.Context())
		abort()
	case faultDrop:
		abort()
	case faultRedirect:
		w.Header().Set("Location", r.fault.location)
		w.WriteHeader(r.fault.status)
		return true
	}
	return false
}

// stall blocks until the client has left or the server is closed.
func (s *Server) stall(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.closing:
	}
}

// pause blocks for d and reports whether the client is still there.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.closing:
	}
	return false
}

// abort ends the request without an answer or in the midst of one. This panic
// is how net/http lets a handler do that: it is recovered there, and silent.
func abort() { panic(http.ErrAbortHandler) }

// statusWriter keeps the status of the answer in its Call.
type statusWriter struct {
	http.ResponseWriter
	server *Server
	call   *Call
	sent   bool
}

func (w *statusWriter) WriteHeader(status int) {
	w.note(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	w.note(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) note(status int) {
	if w.sent {
		return
	}
	w.sent = true
	w.server.calls.update(func() { w.call.Status = status })
}

// send answers with a whole body, or as much of it as the fault leaves.
func (s *Server) send(w http.ResponseWriter, r *request, status int, body []byte) {
	half := body[:len(body)/2]
	switch r.fault.kind {
	case faultStallStream, faultDropStream:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		flushed(w, half)
		if r.fault.kind == faultStallStream {
			s.stall(r.http.Context())
		}
		abort()
	case faultTruncate, faultTruncateMidFrame:
		w.WriteHeader(status)
		flushed(w, half)
	default:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		flushed(w, body)
	}
}

// flushed writes to the client at once, and reports whether that worked. An
// error means that the client has left.
func flushed(w http.ResponseWriter, p []byte) bool {
	if _, err := w.Write(p); err != nil {
		return false
	}
	return http.NewResponseController(w).Flush() == nil
}

// newID makes an identifier that looks like the services' own, a UUID.
func newID() string {
	var b [16]byte
	// crypto/rand.Read never fails.
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// fail answers with an error in the service's own shape.
func (s *Server) fail(w http.ResponseWriter, r *request, service string, err error) {
	e := new(apiError)
	if !errors.As(err, &e) {
		if e = s.misuseOf(err); e == nil {
			e = errorOf(err)
		}
	}
	if service == serviceSTS {
		s.failSTS(w, r, e)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", e.code+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	// An error has no middle to strike at.
	r.fault = Fault{}
	s.send(w, r, e.status, e.body())
}
