package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
)

// EventStreamType is the content type of an event stream.
const EventStreamType = "application/vnd.amazon.eventstream"

// Event is an event of a stream: a member of types.ConverseStreamOutput, of
// types.ResponseStream or of types.InvokeModelWithBidirectionalStreamOutput. A
// *types.UnknownUnionMember holds the frame of an event that the SDK does not know.
type Event any

// EventEncoder writes the frames of one stream. It is not safe for concurrent use.
type EventEncoder struct {
	protocol *restjson1.Protocol
	frame    bytes.Buffer
}

// NewEventEncoder returns an encoder for one stream.
func NewEventEncoder() *EventEncoder { return &EventEncoder{protocol: newProtocol()} }

// Encode returns the frame of an event.
func (e *EventEncoder) Encode(event Event) ([]byte, error) { return e.AppendEvent(nil, event) }

// AppendEvent appends the frame of an event to dst. An event that the SDK does not know
// is passed on as it came. An event in which the SDK has lost a part is an error.
func (e *EventEncoder) AppendEvent(dst []byte, event Event) ([]byte, error) {
	if out, ok := appendPlainFrame(dst, event); ok {
		return out, nil
	}
	if unknown, ok := event.(*types.UnknownUnionMember); ok && unknown != nil {
		return appendUnknown(dst, unknown)
	}
	union, member := schemasOf(event)
	known, ok := event.(smithy.Serializable)
	if union == nil || !ok {
		return dst, fmt.Errorf("%T is not an event of a Bedrock stream", event)
	}
	if err := checkKnown(event); err != nil {
		return dst, err
	}
	e.frame.Reset()
	if err := e.protocol.SerializeEventMessage(union, member, known, &e.frame); err != nil {
		return dst, err
	}
	return append(dst, e.frame.Bytes()...), nil
}

// appendUnknown appends the frame of an event that the SDK does not know, as it came.
// The SDK keeps the whole frame.
func appendUnknown(dst []byte, event *types.UnknownUnionMember) ([]byte, error) {
	reader := bytes.NewReader(event.Value)
	message, err := eventstream.NewDecoder().Decode(reader, nil)
	if err != nil || reader.Len() > 0 {
		return dst, unknownPart("the stream has an event that this release of the SDK does not know, and whose frame is not whole")
	}
	kind, name := message.Headers.Get(eventstream.MessageTypeHeader), message.Headers.Get(eventstream.EventTypeHeader)
	if kind == nil || kind.String() != eventstream.EventMessageType || name == nil || name.String() != event.Tag {
		return dst, unknownPart("the stream has an event that this release of the SDK does not know, and whose frame is another's")
	}
	return append(dst, event.Value...), nil
}

// schemasOf returns the union that an event is a member of, and the member.
func schemasOf(event Event) (union, member *smithy.Schema) {
	switch event.(type) {
	case *types.ConverseStreamOutputMemberMessageStart:
		return schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStart
	case *types.ConverseStreamOutputMemberContentBlockStart:
		return schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_contentBlockStart
	case *types.ConverseStreamOutputMemberContentBlockDelta:
		return schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_contentBlockDelta
	case *types.ConverseStreamOutputMemberContentBlockStop:
		return schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_contentBlockStop
	case *types.ConverseStreamOutputMemberMessageStop:
		return schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStop
	case *types.ConverseStreamOutputMemberMetadata:
		return schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_metadata
	case *types.ResponseStreamMemberChunk:
		return schemas.ResponseStream, schemas.ResponseStream_chunk
	case *types.InvokeModelWithBidirectionalStreamOutputMemberChunk:
		return schemas.InvokeModelWithBidirectionalStreamOutput, schemas.InvokeModelWithBidirectionalStreamOutput_chunk
	}
	return nil, nil
}

// EventJSON returns the name and the JSON of an event, as the frame would have them.
func EventJSON(event Event) (name string, body []byte, err error) {
	frame, err := NewEventEncoder().Encode(event)
	if err != nil {
		return "", nil, err
	}
	message, err := eventstream.NewDecoder().Decode(bytes.NewReader(frame), nil)
	if err != nil {
		return "", nil, err
	}
	_, member := schemasOf(event)
	return member.MemberName(), message.Payload, nil
}

// ExceptionFrame returns the frame that ends a stream with an exception, such as
// "throttlingException".
func ExceptionFrame(name, message string) ([]byte, error) {
	// A map of strings always encodes.
	payload, _ := json.Marshal(map[string]string{"message": message})
	return ExceptionFrameOf(name, payload)
}

// ExceptionFrameOf is ExceptionFrame for an exception with members beside its message.
// Error.Encode gives the payload.
func ExceptionFrameOf(name string, payload []byte) ([]byte, error) {
	msg := eventstream.Message{Payload: payload}
	msg.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue(eventstream.ExceptionMessageType))
	msg.Headers.Set(eventstream.ExceptionTypeHeader, eventstream.StringValue(name))
	msg.Headers.Set(eventstream.ContentTypeHeader, eventstream.StringValue("application/json"))
	var frame bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&frame, msg); err != nil {
		return nil, err
	}
	return frame.Bytes(), nil
}

// DecodeInputChunk returns the content of a frame that a client sends in a
// bidirectional stream. The frame stands without the outer frame that signs it. Like
// DecodeStrict, it refuses what the SDK's types do not know.
func DecodeInputChunk(frame []byte) ([]byte, error) {
	reader := bytes.NewReader(frame)
	message, err := eventstream.NewDecoder().Decode(reader, nil)
	if err != nil || reader.Len() > 0 {
		return nil, &Error{Status: http.StatusBadRequest, Code: "SerializationException", Message: "an event of the request's stream is not one whole frame"}
	}
	have := make(map[string]bool)
	for _, header := range message.Headers {
		value, ok := header.Value.(eventstream.StringValue)
		want := map[string]string{eventstream.MessageTypeHeader: eventstream.EventMessageType, eventstream.EventTypeHeader: "chunk", eventstream.ContentTypeHeader: "application/json"}[header.Name]
		switch {
		case ok && want != "" && string(value) == want && !have[header.Name]:
			have[header.Name] = true
		case header.Name == eventstream.EventTypeHeader, header.Name == eventstream.MessageTypeHeader:
			return nil, Invalid("an event of the request's stream is no chunk: the API has no other event here")
		default:
			return nil, Invalid("an event of the request's stream has a header that the API does not know")
		}
	}
	if !have[eventstream.EventTypeHeader] || !have[eventstream.MessageTypeHeader] {
		return nil, Invalid("an event of the request's stream has no type")
	}
	var part types.BidirectionalInputPayloadPart
	err = strict(message.Payload, part.Deserialize)
	return part.Bytes, err
}
