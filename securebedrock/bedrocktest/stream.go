package bedrocktest

import (
	"net/http"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// eventWriter sends events, each flushed, until the request's fault strikes.
type eventWriter struct {
	w       *responder
	encoder *wire.EventEncoder
	sent    int
	ended   bool
}

// openStream sends the headers of a stream.
func openStream(w *responder) *eventWriter {
	w.Header().Set("Content-Type", wire.EventStreamType)
	w.begin(http.StatusOK)
	// The client may wait for the headers before it sends or reads anything.
	_ = w.flush(nil)
	return &eventWriter{w: w, encoder: wire.NewEventEncoder()}
}

// write sends one event, and reports whether more may follow.
func (e *eventWriter) write(event wire.Event) bool {
	frame, err := e.encoder.Encode(event)
	if err != nil {
		// This package makes the events, of the SDK's types. An error here is a fault
		// of this package, and a stream that breaks off shows the fault.
		abort()
	}
	if e.strike(frame) {
		return false
	}
	if e.w.flush(frame) != nil {
		e.ended = true
		return false
	}
	e.sent++
	return true
}

// writeAll sends events and ends the stream.
func (e *eventWriter) writeAll(events []wire.Event) {
	for _, event := range events {
		if !e.write(event) {
			return
		}
	}
	e.end()
}

// end ends the stream. A fault that waits for as many events as there were strikes
// here.
func (e *eventWriter) end() { e.strike(nil) }

// strike applies the request's fault if its time has come, and reports whether the
// stream has ended. next is the frame that would come next.
func (e *eventWriter) strike(next []byte) bool {
	fault := e.w.fault
	if e.ended || e.sent != fault.after {
		return e.ended
	}
	switch fault.kind {
	case faultStallStream:
		e.w.stall()
		abort()
	case faultDropStream:
		abort()
	case faultTruncate:
		e.ended = true
	case faultTruncateMidFrame:
		_ = e.w.flush(next[:len(next)/2])
		e.ended = true
	case faultException:
		e.exception(fault.code, fault.message)
	}
	return e.ended
}

// exception ends the stream with an exception.
func (e *eventWriter) exception(name, message string) {
	e.ended = true
	frame, err := wire.ExceptionFrame(name, message)
	if err != nil {
		abort()
	}
	_ = e.w.flush(frame)
}
