package bedrocktest

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
)

const eventStreamType = "application/vnd.amazon.eventstream"

// event is one event of a stream: a member of its union.
type event struct {
	variant *smithy.Schema
	value   smithy.Serializable
}

// eventWriter sends events, each flushed, until the request's fault strikes.
type eventWriter struct {
	server   *Server
	w        http.ResponseWriter
	r        *request
	union    *smithy.Schema
	protocol *restjson1.Protocol
	sent     int
	over     bool
}

// openStream sends the headers of a stream.
func (s *Server) openStream(w http.ResponseWriter, r *request, union *smithy.Schema) *eventWriter {
	w.Header().Set("Content-Type", eventStreamType)
	w.WriteHeader(http.StatusOK)
	// The client may wait for the headers before it sends or reads anything.
	_ = http.NewResponseController(w).Flush()
	return &eventWriter{server: s, w: w, r: r, union: union, protocol: protocol()}
}

// write sends one event, and reports whether more may follow.
func (e *eventWriter) write(ev event) bool {
	var frame bytes.Buffer
	if err := e.protocol.SerializeEventMessage(e.union, ev.variant, ev.value, &frame); err != nil {
		// Events are made in this package, of the SDK's types: this is a bug,
		// and a stream that breaks off shows it.
		abort()
	}
	if e.strike(frame.Bytes()) {
		return false
	}
	if !flushed(e.w, frame.Bytes()) {
		e.over = true
		return false
	}
	e.sent++
	return true
}

// writeAll sends events and ends the stream.
func (e *eventWriter) writeAll(events []event) {
	for _, ev := range events {
		if !e.write(ev) {
			return
		}
	}
	e.end()
}

// end is the end of the stream; a fault that waits for as many events as there
// were strikes here.
func (e *eventWriter) end() { e.strike(nil) }

// strike applies the request's fault if its time has come, and reports whether
// the stream is over. next is the frame that would come next.
func (e *eventWriter) strike(next []byte) bool {
	if e.over || e.sent != e.r.fault.after {
		return e.over
	}
	switch e.r.fault.kind {
	case faultStallStream:
		e.server.stall(e.r.http.Context())
		abort()
	case faultDropStream:
		abort()
	case faultTruncate:
		e.over = true
	case faultTruncateMidFrame:
		flushed(e.w, next[:len(next)/2])
		e.over = true
	case faultException:
		e.exception(e.r.fault.code, e.r.fault.message)
	}
	return e.over
}

// exception ends the stream with an exception.
func (e *eventWriter) exception(name, message string) {
	e.over = true
	// A map of strings always encodes, and so does a message.
	payload, _ := json.Marshal(map[string]string{"message": message})
	msg := eventstream.Message{Payload: payload}
	msg.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue(eventstream.ExceptionMessageType))
	msg.Headers.Set(eventstream.ExceptionTypeHeader, eventstream.StringValue(name))
	msg.Headers.Set(eventstream.ContentTypeHeader, eventstream.StringValue("application/json"))
	var frame bytes.Buffer
	_ = eventstream.NewEncoder().Encode(&frame, msg)
	flushed(e.w, frame.Bytes())
}
