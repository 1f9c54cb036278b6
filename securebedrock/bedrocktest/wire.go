package bedrocktest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
)

// The SDK's protocol is written for a client. Seen from the other side, an
// output is encoded as a request is, and a request's body decoded as a
// response's. A protocol value is not safe for concurrent use, hence one each.

func protocol() *restjson1.Protocol {
	return restjson1.New(schemas.AmazonBedrockFrontendService)
}

// encode encodes an output of the SDK: the members bound to headers, and the
// body.
func encode(out smithy.Serializable) (http.Header, []byte, error) {
	operation := smithy.NewSchema(smithy.ShapeID{Namespace: "bedrocktest", Name: "Answer"},
		smithy.ShapeTypeOperation, 0, &traits.HTTP{Method: http.MethodPost, URI: "/", Code: http.StatusOK})
	req := &smithyhttp.Request{Request: &http.Request{Header: http.Header{}, URL: &url.URL{}}}
	// The input's schema serves only to say that there is one; the output
	// names its own.
	op := smithy.NewOperationSchema(operation, schemas.ConverseTokensRequest, nil)
	if err := protocol().SerializeRequest(context.Background(), op, out, req); err != nil {
		return nil, nil, err
	}
	var body []byte
	if stream := req.GetStream(); stream != nil {
		var err error
		if body, err = io.ReadAll(stream); err != nil {
			return nil, nil, err
		}
	}
	return req.Header, body, nil
}

// decode decodes the JSON body of a request with the SDK's own deserializer.
func decode(body []byte, read func(d smithy.ShapeDeserializer) error) error {
	op := smithy.NewOperationSchema(schemas.Converse, nil, schemas.ConverseTokensRequest)
	resp := &smithyhttp.Response{Response: &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{},
		Body:       io.NopCloser(bytes.NewReader(body)),
	}}
	return protocol().DeserializeResponse(context.Background(), op, nil, resp, deserializeFunc(read))
}

type deserializeFunc func(d smithy.ShapeDeserializer) error

func (f deserializeFunc) Deserialize(d smithy.ShapeDeserializer) error { return f(d) }

// respond answers with an output of the SDK.
func (s *Server) respond(w http.ResponseWriter, r *request, status int, out smithy.Serializable) error {
	if r.fault.kind == faultException {
		return exceptionError(r.fault.code, r.fault.message)
	}
	header, body, err := encode(out)
	if err != nil {
		return misused("the answer cannot be written: %v", err)
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	s.send(w, r, status, body)
	return nil
}
