package wire

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/smithy-go"
)

// Bidirectional is the name of the operation whose request body is an event stream.
const Bidirectional = "InvokeModelWithBidirectionalStream"

// Operation is an operation of Bedrock Runtime.
type Operation struct {
	Name   string // as the SDK names it
	Method string
	Path   string // the template: a segment in braces is a label

	body  bodyForm
	input *smithy.Schema
	read  func(*Request, bodyReader) (any, error)
}

// bodyForm is what an operation's body is.
type bodyForm int

const (
	jsonBody bodyForm = iota
	modelBody
	eventBody
	noBody
)

// Decode reads the operation's input, such as a *bedrockruntime.ConverseInput, from
// a request. An input of Bidirectional has the labels alone. An error is an *Error.
func (o Operation) Decode(r *Request) (any, error) { return o.read(r, lenient) }

// Operations returns every operation of Bedrock Runtime.
func Operations() []Operation {
	const post, get = http.MethodPost, http.MethodGet
	return []Operation{
		{"Converse", post, "/model/{modelId}/converse", jsonBody, schemas.ConverseRequest, reader(readConverse)},
		{"ConverseStream", post, "/model/{modelId}/converse-stream", jsonBody, schemas.ConverseStreamRequest, reader(readConverseStream)},
		{"InvokeModel", post, "/model/{modelId}/invoke", modelBody, schemas.InvokeModelRequest, reader(readInvokeModel)},
		{"InvokeModelWithResponseStream", post, "/model/{modelId}/invoke-with-response-stream", modelBody, schemas.InvokeModelWithResponseStreamRequest, reader(readInvokeModelStream)},
		{Bidirectional, post, "/model/{modelId}/invoke-with-bidirectional-stream", eventBody, schemas.InvokeModelWithBidirectionalStreamRequest, reader(readBidirectional)},
		{"CountTokens", post, "/model/{modelId}/count-tokens", jsonBody, schemas.CountTokensRequest, reader(readCountTokens)},
		{"ApplyGuardrail", post, "/guardrail/{guardrailIdentifier}/version/{guardrailVersion}/apply", jsonBody, schemas.ApplyGuardrailRequest, reader(readApplyGuardrail)},
		{"InvokeGuardrailChecks", post, "/guardrail-checks/invoke", jsonBody, schemas.InvokeGuardrailChecksRequest, reader(readGuardrailChecks)},
		{"StartAsyncInvoke", post, "/async-invoke", jsonBody, schemas.StartAsyncInvokeRequest, reader(readStartAsync)},
		{"ListAsyncInvokes", get, "/async-invoke", noBody, schemas.ListAsyncInvokesRequest, reader(readListAsync)},
		{"GetAsyncInvoke", get, "/async-invoke/{invocationArn}", noBody, schemas.GetAsyncInvokeRequest, reader(readGetAsync)},
	}
}

// reader gives the reader of one input type the type that the table has.
func reader[T any](read func(*Request, bodyReader) (*T, error)) func(*Request, bodyReader) (any, error) {
	return func(r *Request, body bodyReader) (any, error) {
		in, err := read(r, body)
		if err != nil {
			return nil, err
		}
		return in, nil
	}
}

// Route finds the operation of a request and the labels in its path. path is as it
// was sent, escaped and without the query: an escaped slash does not end a segment.
func Route(method, path string) (Operation, map[string]string, bool) {
	for _, op := range Operations() {
		if op.Method != method {
			continue
		}
		if labels, ok := matchPath(op.Path, path); ok {
			return op, labels, true
		}
	}
	return Operation{}, nil, false
}

// matchPath matches a path with a template, in which a segment in braces matches
// any one segment.
func matchPath(template, path string) (labels map[string]string, ok bool) {
	labels = map[string]string{}
	for {
		want, templateRest, moreWanted := strings.Cut(template, "/")
		have, pathRest, more := strings.Cut(path, "/")
		if moreWanted != more {
			return nil, false
		}
		if name, isLabel := strings.CutPrefix(want, "{"); isLabel {
			value, err := url.PathUnescape(have)
			if err != nil {
				return nil, false
			}
			labels[strings.TrimSuffix(name, "}")] = value
		} else if want != have {
			return nil, false
		}
		if !more {
			return labels, true
		}
		template, path = templateRest, pathRest
	}
}
