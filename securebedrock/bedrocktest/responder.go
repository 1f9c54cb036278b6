package bedrocktest

import (
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/misuse"
)

// responder sends the answer to one request, with the request's fault applied.
type responder struct {
	http    http.ResponseWriter
	left    <-chan struct{}  // closed when the client has left
	closing <-chan struct{}  // closed when the server closes
	record  func(status int) // called once, with the answer's status
	fault   Fault
	sent    bool
}

// Header returns the headers of the answer.
func (w *responder) Header() http.Header { return w.http.Header() }

// begin sends the status and the headers.
func (w *responder) begin(status int) {
	if !w.sent {
		w.sent = true
		w.record(status)
	}
	w.http.WriteHeader(status)
}

// flush sends p to the client at once. An error means that the client has left.
func (w *responder) flush(p []byte) error {
	if _, err := w.http.Write(p); err != nil {
		return err
	}
	return http.NewResponseController(w.http).Flush()
}

// abort ends the request without an answer, or in the middle of one. net/http
// recovers this panic and logs nothing.
func abort() { panic(http.ErrAbortHandler) }

// stall blocks until the client has left or the server closes.
func (w *responder) stall() {
	select {
	case <-w.left:
	case <-w.closing:
	}
}

// pause blocks for d and reports whether the client is still there.
func (w *responder) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.left:
	case <-w.closing:
	}
	return false
}

// strike applies a fault that comes before any answer, and reports whether the
// request is finished.
func (w *responder) strike(fail func(*wire.Error)) bool {
	switch w.fault.kind {
	case faultError:
		fail(&wire.Error{Status: w.fault.status, Code: w.fault.code, Message: w.fault.message})
		return true
	case faultStallHeaders:
		if w.fault.wait > 0 && w.pause(w.fault.wait) {
			return false
		}
		w.stall()
		abort()
	case faultDrop:
		abort()
	case faultRedirect:
		w.Header().Set("Location", w.fault.location)
		w.begin(w.fault.status)
		return true
	}
	return false
}

// send sends a whole body, or the part that the fault leaves.
func (w *responder) send(status int, body []byte) {
	half := body[:len(body)/2]
	switch w.fault.kind {
	case faultStallStream, faultDropStream:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.begin(status)
		_ = w.flush(half)
		if w.fault.kind == faultStallStream {
			w.stall()
		}
		abort()
	case faultTruncate, faultTruncateMidFrame:
		w.begin(status)
		_ = w.flush(half)
	default:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.begin(status)
		_ = w.flush(body)
	}
}

// sendError sends an error of Bedrock. A fault that strikes in the middle of an
// answer does not apply to an error.
func (w *responder) sendError(e *wire.Error) {
	header, body := e.Encode()
	maps.Copy(w.Header(), header)
	w.fault = Fault{}
	w.send(e.Status, body)
}

// respond sends an output of the SDK.
func (w *responder) respond(out smithy.Serializable) error {
	if w.fault.kind == faultException {
		return wire.ErrorOfException(w.fault.code, w.fault.message)
	}
	header, body, err := wire.Encode(out)
	if err != nil {
		return misuse.New("the answer cannot be written: %v", err)
	}
	maps.Copy(w.Header(), header)
	w.send(http.StatusOK, body)
	return nil
}
