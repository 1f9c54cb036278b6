package bedrocktest

import (
	"net/http"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/keyring"
)

// operations holds the parts that answer requests.
type operations struct {
	keys  *keyring.Keyring
	calls *recorder
	chats *chats
	async *asyncInvokes
}

// route finds the operation of a request, and the labels in its path. An unknown
// request gets Bedrock's answer.
func (o *operations) route(r *http.Request) (operation, map[string]string, bool) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if r.Method == http.MethodPost && path == "/" {
		return stsOperation(o.keys), nil, true
	}
	bedrock := service{name: sigv4.ServiceBedrock, fail: func(w *responder, _ string, e *wire.Error) { w.sendError(e) }}
	op, labels, known := wire.Route(r.Method, path)
	return operation{
		name:    op.Name,
		service: bedrock,
		decode:  func(r *request) (any, error) { return op.Decode(&r.parts) },
		answer:  o.answer(op.Name),
	}, labels, known
}

// answer returns the function that answers an operation of Bedrock, nil if there is
// none.
func (o *operations) answer(name string) func(*responder, *request) error {
	switch name {
	case "Converse":
		return o.chats.converse
	case "ConverseStream":
		return o.chats.converseStream
	case "InvokeModel":
		return o.chats.invokeModel
	case "InvokeModelWithResponseStream":
		return o.chats.invokeModelStream
	case wire.Bidirectional:
		return bidirectional(o.calls)
	case "CountTokens":
		return o.chats.countTokens
	case "ApplyGuardrail":
		return applyGuardrail(o.chats.guardrails)
	case "InvokeGuardrailChecks":
		return guardrailChecks
	case "StartAsyncInvoke":
		return o.async.startAsync
	case "ListAsyncInvokes":
		return o.async.listAsync
	case "GetAsyncInvoke":
		return o.async.getAsync
	}
	return nil
}
