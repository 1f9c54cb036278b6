package securebedrock_test

import (
	"bytes"
	"testing"

	"github.com/aws/smithy-go/eventstream"
)

// eventFrame is the frame of an event.
func eventFrame(t *testing.T, kind, payload string) []byte {
	t.Helper()
	return encoded(t, eventstream.EventMessageType, eventstream.EventTypeHeader, kind, payload)
}

// exceptionFrame is the frame of an exception.
func exceptionFrame(t *testing.T, name, message string) []byte {
	t.Helper()
	return encoded(t, eventstream.ExceptionMessageType, eventstream.ExceptionTypeHeader, name, `{"message":"`+message+`"}`)
}

func encoded(t *testing.T, message, header, name, payload string) []byte {
	t.Helper()
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue(message))
	m.Headers.Set(header, eventstream.StringValue(name))
	m.Headers.Set(eventstream.ContentTypeHeader, eventstream.StringValue("application/json"))
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
