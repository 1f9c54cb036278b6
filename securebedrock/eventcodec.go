package securebedrock

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/securebedrock/securebedrock-go/internal/eventframe"
)

// eventCodec is the SDK's restJson1 made safe for streams on several goroutines.
// The SDK shares one event stream codec among all streams of a client. That codec
// keeps state between messages, so two streams at once are a data race (smithy-go
// v1.28.8, internal/eventstream.Codec). Here each message borrows a codec. The codec
// reads a frame into memory that it uses again, and decodes by itself the events of
// which streams are made. The SDK's decoder has all others.
type eventCodec struct {
	*restjson1.Protocol // requests and responses, safe as they are
	codecs              sync.Pool
}

func newEventCodec() *eventCodec {
	p := &eventCodec{Protocol: restjson1.New(schemas.AmazonBedrockFrontendService)}
	p.codecs.New = func() any { return &pooledCodec{Protocol: restjson1.New(schemas.AmazonBedrockFrontendService)} }
	return p
}

func (p *eventCodec) SerializeEventMessage(schema, variant *smithy.Schema, v smithy.Serializable, w io.Writer) error {
	c := p.codecs.Get().(*pooledCodec)
	defer p.codecs.Put(c)
	return c.SerializeEventMessage(schema, variant, v, w)
}

func (p *eventCodec) DeserializeEventMessage(schema *smithy.Schema, registry *smithy.TypeRegistry, r io.Reader) (smithy.Deserializable, error) {
	prelude := eventframe.ReadPrelude(r) // which is where a stream waits
	c := p.codecs.Get().(*pooledCodec)
	defer p.codecs.Put(c)
	f, rest, ok := c.frame.Next(prelude, r)
	if ok {
		if event := decodeCommonEvent(schema, f); event != nil {
			return event, nil
		}
	}
	return c.DeserializeEventMessage(schema, registry, rest)
}

// pooledCodec decodes the events of one stream at a time.
type pooledCodec struct {
	*restjson1.Protocol
	frame eventframe.Buffer
}

// decodeCommonEvent decodes the events of which streams are made; nil for all others.
// FuzzEventsDecodeAsTheSDK holds it against the SDK's decoder.
func decodeCommonEvent(schema *smithy.Schema, f eventframe.Frame) smithy.Deserializable {
	switch schema {
	case schemas.ConverseStreamOutput:
		if index, text, ok := f.TextDelta(); ok {
			delta := &struct { // one allocation
				event types.ContentBlockDeltaEvent
				text  types.ContentBlockDeltaMemberText
				index int32
			}{text: types.ContentBlockDeltaMemberText{Value: text}, index: index}
			delta.event.ContentBlockIndex, delta.event.Delta = &delta.index, &delta.text
			return &delta.event
		}
	case schemas.ResponseStream:
		if chunk, ok := f.Chunk(); ok {
			return &types.PayloadPart{Bytes: chunk}
		}
	case schemas.InvokeModelWithBidirectionalStreamOutput:
		if chunk, ok := f.Chunk(); ok {
			return &types.BidirectionalOutputPayloadPart{Bytes: chunk}
		}
	}
	return nil
}

// decodeEvent decodes one whole frame of a stream whose union is schema.
func (p *eventCodec) decodeEvent(schema *smithy.Schema, frame []byte) (smithy.Deserializable, error) {
	return p.DeserializeEventMessage(schema, bedrockruntime.TypeRegistry, bytes.NewReader(frame))
}

// decodeAssessments reads a map of guardrail ID to assessment, as it stands in
// an InvokeModel trace, with the SDK's own decoder; nil where it is none.
func (p *eventCodec) decodeAssessments(raw json.RawMessage) *types.GuardrailTraceAssessment {
	if len(raw) == 0 {
		return nil
	}
	body := bytes.Join([][]byte{[]byte(`{"inputAssessment":`), raw, []byte(`}`)}, nil)
	resp := &smithyhttp.Response{Response: &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
	}}
	op := smithy.NewOperationSchema(schemas.Converse, nil, schemas.GuardrailTraceAssessment)
	var out types.GuardrailTraceAssessment
	if p.DeserializeResponse(context.Background(), op, bedrockruntime.TypeRegistry, resp, &out) != nil {
		return nil
	}
	return &out
}
