package bedrocktest

import (
	"net/http"
	"net/url"
	"strings"
)

// request is one request on its way through the server.
type request struct {
	http  *http.Request
	call  *Call
	id    string // the X-Amzn-Requestid of the answer
	body  []byte // nil for the bidirectional stream
	label map[string]string
	auth  identity
	fault Fault
}

// operation is what the server knows of one operation. decode runs before the
// request is recorded, answer after signature and faults.
type operation struct {
	name    string
	service string
	decode  func(*request) (input any, err error)
	// answer serves a request that decoded. Its error, nothing having been
	// sent, becomes the response.
	answer func(s *Server, w http.ResponseWriter, r *request) error
}

// route finds the operation of a request, and the labels in its path.
func route(r *http.Request) (operation, map[string]string, bool) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	for _, candidate := range routes() {
		if r.Method != candidate.method {
			continue
		}
		if labels, ok := match(candidate.template, path); ok {
			return candidate.operation, labels, true
		}
	}
	return operation{}, nil, false
}

// routeEntry is an operation at its path. A segment in braces matches any one
// segment, as it was sent: a slash that is escaped does not end it.
type routeEntry struct {
	method, template string
	operation        operation
}

func routes() []routeEntry {
	const post, get = http.MethodPost, http.MethodGet
	bedrock := func(name string, decode func(*request) (any, error), answer func(*Server, http.ResponseWriter, *request) error) operation {
		return operation{name: name, service: serviceBedrock, decode: decode, answer: answer}
	}
	return []routeEntry{
		{post, "/model/{modelId}/converse", bedrock("Converse", decodeConverse, (*Server).converse)},
		{post, "/model/{modelId}/converse-stream", bedrock("ConverseStream", decodeConverseStream, (*Server).converseStream)},
		{post, "/model/{modelId}/invoke", bedrock("InvokeModel", decodeInvokeModel, (*Server).invokeModel)},
		{post, "/model/{modelId}/invoke-with-response-stream", bedrock("InvokeModelWithResponseStream", decodeInvokeModelStream, (*Server).invokeModelStream)},
		{post, "/model/{modelId}/invoke-with-bidirectional-stream", bedrock(opBidirectional, decodeBidirectional, (*Server).bidirectional)},
		{post, "/model/{modelId}/count-tokens", bedrock("CountTokens", decodeCountTokens, (*Server).countTokens)},
		{post, "/guardrail/{guardrailIdentifier}/version/{guardrailVersion}/apply", bedrock("ApplyGuardrail", decodeApplyGuardrail, (*Server).applyGuardrail)},
		{post, "/guardrail-checks/invoke", bedrock("InvokeGuardrailChecks", decodeGuardrailChecks, (*Server).guardrailChecks)},
		{post, "/async-invoke", bedrock("StartAsyncInvoke", decodeStartAsync, (*Server).startAsync)},
		{get, "/async-invoke", bedrock("ListAsyncInvokes", decodeListAsync, (*Server).listAsync)},
		{get, "/async-invoke/{invocationArn}", bedrock("GetAsyncInvoke", decodeGetAsync, (*Server).getAsync)},
		{post, "/", operation{service: serviceSTS, decode: decodeSTS, answer: (*Server).sts}},
	}
}

func match(template, path string) (map[string]string, bool) {
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
