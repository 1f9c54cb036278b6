package securebedrock

import (
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/smithy-go"
)

// operation classifies an operation of bedrockruntime.Client. An operation that
// is not in operations is refused, and a test fails until it is classified.
type operation struct {
	name string
	// guarded: a guardrail is attached. Otherwise infers tells whether the
	// operation runs a model on a prompt all the same.
	guarded, infers bool
	// stream: the answer is an event stream. duplex: the prompt is one too.
	stream, duplex bool
	events         *smithy.Schema // of the stream's union

	// The steps of every stack of the operation, made once.
	chain chainStep
	gate  gateStep
}

func operations(g *guard) map[string]*operation {
	m := make(map[string]*operation)
	for _, op := range []operation{
		{name: "Converse", guarded: true, infers: true},
		{name: "ConverseStream", guarded: true, infers: true, stream: true, events: schemas.ConverseStreamOutput},
		{name: "InvokeModel", guarded: true, infers: true},
		{name: "InvokeModelWithResponseStream", guarded: true, infers: true, stream: true, events: schemas.ResponseStream},
		{name: "InvokeModelWithBidirectionalStream", infers: true, stream: true, duplex: true, events: schemas.InvokeModelWithBidirectionalStreamOutput},
		{name: "StartAsyncInvoke", infers: true},
		{name: "ApplyGuardrail"},
		{name: "InvokeGuardrailChecks"},
		{name: "CountTokens"},
		{name: "GetAsyncInvoke"},
		{name: "ListAsyncInvokes"},
	} {
		op.chain, op.gate = chainStep{g: g, op: &op}, gateStep{g: g, op: &op}
		m[op.name] = &op
	}
	return m
}

// costs reports whether the operation's work is paid for each time. Counting tokens
// and asking after asynchronous invocations is free, and the client token of a
// StartAsyncInvoke, which the SDK sets, keeps it from starting twice
// (API_runtime_StartAsyncInvoke, clientRequestToken).
func (op *operation) costs() bool {
	switch op.name {
	case "CountTokens", "GetAsyncInvoke", "ListAsyncInvokes", "StartAsyncInvoke":
		return false
	}
	return true
}

// cloneInput returns the call's own shallow copy, and false for a type that no
// classified operation takes.
func cloneInput(in any) (any, bool) {
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		return shallow(in), true
	case *bedrockruntime.ConverseStreamInput:
		return shallow(in), true
	case *bedrockruntime.InvokeModelInput:
		return shallow(in), true
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		return shallow(in), true
	case *bedrockruntime.InvokeModelWithBidirectionalStreamInput:
		return shallow(in), true
	case *bedrockruntime.StartAsyncInvokeInput:
		return shallow(in), true
	case *bedrockruntime.ApplyGuardrailInput:
		return shallow(in), true
	case *bedrockruntime.InvokeGuardrailChecksInput:
		return shallow(in), true
	case *bedrockruntime.CountTokensInput:
		return shallow(in), true
	case *bedrockruntime.GetAsyncInvokeInput:
		return shallow(in), true
	case *bedrockruntime.ListAsyncInvokesInput:
		return shallow(in), true
	}
	return nil, false
}

func shallow[T any](in *T) *T {
	out := new(T)
	if in != nil {
		*out = *in
	}
	return out
}

// modelField is where an input names its model; nil where it names none.
func modelField(in any) **string {
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		return &in.ModelId
	case *bedrockruntime.ConverseStreamInput:
		return &in.ModelId
	case *bedrockruntime.InvokeModelInput:
		return &in.ModelId
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		return &in.ModelId
	case *bedrockruntime.InvokeModelWithBidirectionalStreamInput:
		return &in.ModelId
	case *bedrockruntime.StartAsyncInvokeInput:
		return &in.ModelId
	case *bedrockruntime.CountTokensInput:
		return &in.ModelId
	}
	return nil
}

// sameOutput reports whether out is what the SDK will cast the operation's
// result to. A middleware that answers with anything else would make it panic.
func sameOutput(op string, out any) bool {
	var ok bool
	switch op {
	case "Converse":
		ok = is[bedrockruntime.ConverseOutput](out)
	case "ConverseStream":
		ok = is[bedrockruntime.ConverseStreamOutput](out)
	case "InvokeModel":
		ok = is[bedrockruntime.InvokeModelOutput](out)
	case "InvokeModelWithResponseStream":
		ok = is[bedrockruntime.InvokeModelWithResponseStreamOutput](out)
	case "InvokeModelWithBidirectionalStream":
		ok = is[bedrockruntime.InvokeModelWithBidirectionalStreamOutput](out)
	case "StartAsyncInvoke":
		ok = is[bedrockruntime.StartAsyncInvokeOutput](out)
	case "ApplyGuardrail":
		ok = is[bedrockruntime.ApplyGuardrailOutput](out)
	case "InvokeGuardrailChecks":
		ok = is[bedrockruntime.InvokeGuardrailChecksOutput](out)
	case "CountTokens":
		ok = is[bedrockruntime.CountTokensOutput](out)
	case "GetAsyncInvoke":
		ok = is[bedrockruntime.GetAsyncInvokeOutput](out)
	case "ListAsyncInvokes":
		ok = is[bedrockruntime.ListAsyncInvokesOutput](out)
	}
	return ok
}

func is[T any](v any) bool {
	p, ok := v.(*T)
	return ok && p != nil
}
