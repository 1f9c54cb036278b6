package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
)

// newProtocol returns the SDK's own protocol, which is written for a client. A
// server uses it the other way round: an output is encoded as a client encodes a
// request, and a request's body is decoded as a client decodes a response. A
// protocol value is not safe for concurrent use, so each use makes its own.
func newProtocol() *restjson1.Protocol {
	return restjson1.New(schemas.AmazonBedrockFrontendService)
}

// Encode returns the headers and the body that carry an output of the SDK. An output in
// which the SDK has lost what it does not know is an error.
func Encode(out smithy.Serializable) (http.Header, []byte, error) {
	if err := checkKnown(out); err != nil {
		return nil, nil, err
	}
	operation := smithy.NewSchema(smithy.ShapeID{Namespace: "securebedrock", Name: "Answer"},
		smithy.ShapeTypeOperation, 0, &traits.HTTP{Method: http.MethodPost, URI: "/", Code: http.StatusOK})
	req := &smithyhttp.Request{Request: &http.Request{Header: http.Header{}, URL: &url.URL{}}}
	// The protocol needs an input schema to write a body at all, and then takes the
	// schema that the output names.
	op := smithy.NewOperationSchema(operation, schemas.ConverseTokensRequest, nil)
	if err := newProtocol().SerializeRequest(context.Background(), op, out, req); err != nil {
		return nil, nil, err
	}
	var body []byte
	if stream := req.GetStream(); stream != nil {
		body = make([]byte, req.ContentLength) // which the protocol knows: it writes into memory
		if _, err := io.ReadFull(stream, body); err != nil {
			return nil, nil, err
		}
	}
	return req.Header, body, nil
}

// EncodeBody returns the JSON that the service writes for a value of the SDK.
func EncodeBody(v smithy.Serializable) (json.RawMessage, error) {
	_, body, err := Encode(v)
	return body, err
}

// DecodeBody calls read with the SDK's deserializer for a JSON body.
func DecodeBody(body []byte, read func(d smithy.ShapeDeserializer) error) error {
	op := smithy.NewOperationSchema(schemas.Converse, nil, schemas.ConverseTokensRequest)
	resp := &smithyhttp.Response{Response: &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{},
		Body:       io.NopCloser(bytes.NewReader(body)),
	}}
	return newProtocol().DeserializeResponse(context.Background(), op, nil, resp, deserializeFunc(read))
}

type deserializeFunc func(d smithy.ShapeDeserializer) error

// Deserialize implements smithy.Deserializable.
func (f deserializeFunc) Deserialize(d smithy.ShapeDeserializer) error { return f(d) }
