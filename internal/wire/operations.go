package wire

import (
	"net/http"
	"net/url"
	"strings"
)

// Bidirectional is the name of the operation whose request body is an event stream.
const Bidirectional = "InvokeModelWithBidirectionalStream"

// Operation is an operation of Bedrock Runtime.
type Operation struct {
	Name   string // as the SDK names it
	Method string
	Path   string // the template: a segment in braces is a label

	decode func(*Request) (any, error)
}

// Decode reads the operation's input, such as a *bedrockruntime.ConverseInput, from
// a request. An input of Bidirectional has the labels alone. An error is an *Error.
func (o Operation) Decode(r *Request) (any, error) { return o.decode(r) }

// DecodeStrict is Decode for a request that is sent on: it refuses what the SDK's
// types do not know, so that nothing of the request is lost.
func (o Operation) DecodeStrict(r *Request) (any, error) { return o.decode(r) }

// Operations returns every operation of Bedrock Runtime.
func Operations() []Operation {
	const post, get = http.MethodPost, http.MethodGet
	return []Operation{
		{"Converse", post, "/model/{modelId}/converse", decoder(DecodeConverse)},
		{"ConverseStream", post, "/model/{modelId}/converse-stream", decoder(DecodeConverseStream)},
		{"InvokeModel", post, "/model/{modelId}/invoke", decoder(decodeInvokeModel)},
		{"InvokeModelWithResponseStream", post, "/model/{modelId}/invoke-with-response-stream", decoder(decodeInvokeModelStream)},
		{Bidirectional, post, "/model/{modelId}/invoke-with-bidirectional-stream", decoder(decodeBidirectional)},
		{"CountTokens", post, "/model/{modelId}/count-tokens", decoder(decodeCountTokens)},
		{"ApplyGuardrail", post, "/guardrail/{guardrailIdentifier}/version/{guardrailVersion}/apply", decoder(decodeApplyGuardrail)},
		{"InvokeGuardrailChecks", post, "/guardrail-checks/invoke", decoder(decodeGuardrailChecks)},
		{"StartAsyncInvoke", post, "/async-invoke", decoder(decodeStartAsync)},
		{"ListAsyncInvokes", get, "/async-invoke", decoder(decodeListAsync)},
		{"GetAsyncInvoke", get, "/async-invoke/{invocationArn}", decoder(decodeGetAsync)},
	}
}

// decoder gives a decoder of one input type the type that the table has.
func decoder[T any](decode func(*Request) (*T, error)) func(*Request) (any, error) {
	return func(r *Request) (any, error) {
		in, err := decode(r)
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
func matchPath(template, path string) (map[string]string, bool) {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	labels := make(map[string]string)
	for i, segment := range want {
		if !strings.HasPrefix(segment, "{") {
			if segment != have[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(have[i])
		if err != nil {
			return nil, false
		}
		labels[strings.Trim(segment, "{}")] = value
	}
	return labels, true
}
