package securebedrock

import (
	"fmt"

	br "github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
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
	schema         *smithy.OperationSchema

	// clone returns a shallow copy of the operation's own input type, and false
	// for every other type: the operation decides what its input is, and not the
	// value that a step of the stack passed on.
	clone func(in any) (any, bool)
	// model is where an input names its model; nil where the operation names none.
	model func(in any) **string
	// token is the idempotency token that the SDK writes into an input that has
	// none; nil where there is no such field.
	token func(in any) **string
	// answers reports whether a value is what the SDK will cast the operation's
	// result to. A step that answers with anything else would make the SDK panic.
	answers func(out any) bool
}

// describe fills in what follows from the operation's input and output types.
func describe[In, Out any](op operation, schema, input, output *smithy.Schema, model func(*In) **string) operation {
	op.schema = smithy.NewOperationSchema(schema, input, output)
	op.clone = func(in any) (any, bool) {
		own, ok := in.(*In)
		if !ok {
			return nil, false
		}
		return shallow(own), true
	}
	op.answers = func(out any) bool {
		p, ok := out.(*Out)
		return ok && p != nil
	}
	if model != nil {
		op.model = func(in any) **string {
			if own, ok := in.(*In); ok {
				return model(own)
			}
			return nil
		}
	}
	return op
}

func operations() map[string]*operation {
	startAsync := describe[br.StartAsyncInvokeInput, br.StartAsyncInvokeOutput](
		operation{name: "StartAsyncInvoke", infers: true},
		schemas.StartAsyncInvoke, schemas.StartAsyncInvokeRequest, schemas.StartAsyncInvokeResponse,
		func(in *br.StartAsyncInvokeInput) **string { return &in.ModelId })
	startAsync.token = func(in any) **string {
		if own, ok := in.(*br.StartAsyncInvokeInput); ok {
			return &own.ClientRequestToken
		}
		return nil
	}
	m := make(map[string]*operation)
	for _, op := range []operation{
		describe[br.ConverseInput, br.ConverseOutput](
			operation{name: "Converse", guarded: true, infers: true},
			schemas.Converse, schemas.ConverseRequest, schemas.ConverseResponse,
			func(in *br.ConverseInput) **string { return &in.ModelId }),
		describe[br.ConverseStreamInput, br.ConverseStreamOutput](
			operation{name: "ConverseStream", guarded: true, infers: true, stream: true, events: schemas.ConverseStreamOutput},
			schemas.ConverseStream, schemas.ConverseStreamRequest, schemas.ConverseStreamResponse,
			func(in *br.ConverseStreamInput) **string { return &in.ModelId }),
		describe[br.InvokeModelInput, br.InvokeModelOutput](
			operation{name: "InvokeModel", guarded: true, infers: true},
			schemas.InvokeModel, schemas.InvokeModelRequest, schemas.InvokeModelResponse,
			func(in *br.InvokeModelInput) **string { return &in.ModelId }),
		describe[br.InvokeModelWithResponseStreamInput, br.InvokeModelWithResponseStreamOutput](
			operation{name: "InvokeModelWithResponseStream", guarded: true, infers: true, stream: true, events: schemas.ResponseStream},
			schemas.InvokeModelWithResponseStream, schemas.InvokeModelWithResponseStreamRequest, schemas.InvokeModelWithResponseStreamResponse,
			func(in *br.InvokeModelWithResponseStreamInput) **string { return &in.ModelId }),
		describe[br.InvokeModelWithBidirectionalStreamInput, br.InvokeModelWithBidirectionalStreamOutput](
			operation{name: "InvokeModelWithBidirectionalStream", infers: true, stream: true, duplex: true, events: schemas.InvokeModelWithBidirectionalStreamOutput},
			schemas.InvokeModelWithBidirectionalStream, schemas.InvokeModelWithBidirectionalStreamRequest, schemas.InvokeModelWithBidirectionalStreamResponse,
			func(in *br.InvokeModelWithBidirectionalStreamInput) **string { return &in.ModelId }),
		startAsync,
		describe[br.ApplyGuardrailInput, br.ApplyGuardrailOutput](operation{name: "ApplyGuardrail"},
			schemas.ApplyGuardrail, schemas.ApplyGuardrailRequest, schemas.ApplyGuardrailResponse, nil),
		describe[br.InvokeGuardrailChecksInput, br.InvokeGuardrailChecksOutput](operation{name: "InvokeGuardrailChecks"},
			schemas.InvokeGuardrailChecks, schemas.InvokeGuardrailChecksRequest, schemas.InvokeGuardrailChecksResponse, nil),
		describe[br.CountTokensInput, br.CountTokensOutput](operation{name: "CountTokens"},
			schemas.CountTokens, schemas.CountTokensRequest, schemas.CountTokensResponse,
			func(in *br.CountTokensInput) **string { return &in.ModelId }),
		describe[br.GetAsyncInvokeInput, br.GetAsyncInvokeOutput](operation{name: "GetAsyncInvoke"},
			schemas.GetAsyncInvoke, schemas.GetAsyncInvokeRequest, schemas.GetAsyncInvokeResponse, nil),
		describe[br.ListAsyncInvokesInput, br.ListAsyncInvokesOutput](operation{name: "ListAsyncInvokes"},
			schemas.ListAsyncInvokes, schemas.ListAsyncInvokesRequest, schemas.ListAsyncInvokesResponse, nil),
	} {
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

// modelOf is where an input of the operation names its model; nil where it names
// none.
func (op *operation) modelOf(in any) **string {
	if op.model == nil {
		return nil
	}
	return op.model(in)
}

// foreign refuses an input of another operation.
func (op *operation) foreign(in any) error {
	return refuse(ErrEndpoint, fmt.Sprintf(
		"the input is a %T, which is not the operation's own type; a Middleware or a step of the SDK's stack put it there", in))
}

func shallow[T any](in *T) *T {
	out := new(T)
	if in != nil {
		*out = *in
	}
	return out
}
