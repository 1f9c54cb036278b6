package securebedrock

import (
	"fmt"

	br "github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/smithy-go"
)

// operations classifies each operation of bedrockruntime.Client in one row. An
// operation that has no row is refused, and a test fails until it has one.
func operations() map[string]*operation {
	m := make(map[string]*operation)
	for _, op := range []*operation{
		row[br.ConverseInput, br.ConverseOutput]{
			operation: operation{name: "Converse", guarded: true, infers: true},
			schemas:   [3]*smithy.Schema{schemas.Converse, schemas.ConverseRequest, schemas.ConverseResponse},
			model:     func(in *br.ConverseInput) **string { return &in.ModelId },
			lacks:     converseLacks,
			tells:     (*answerReader).converse,
		}.describe(),
		row[br.ConverseStreamInput, br.ConverseStreamOutput]{
			operation: operation{name: "ConverseStream", guarded: true, infers: true, stream: true, events: schemas.ConverseStreamOutput},
			schemas:   [3]*smithy.Schema{schemas.ConverseStream, schemas.ConverseStreamRequest, schemas.ConverseStreamResponse},
			model:     func(in *br.ConverseStreamInput) **string { return &in.ModelId },
		}.describe(),
		row[br.InvokeModelInput, br.InvokeModelOutput]{
			operation: operation{name: "InvokeModel", guarded: true, infers: true, tallied: true},
			schemas:   [3]*smithy.Schema{schemas.InvokeModel, schemas.InvokeModelRequest, schemas.InvokeModelResponse},
			model:     func(in *br.InvokeModelInput) **string { return &in.ModelId },
			lacks:     func(out *br.InvokeModelOutput) string { return memberWhere("body", len(out.Body) == 0) },
			tells:     (*answerReader).invokeModel,
		}.describe(),
		row[br.InvokeModelWithResponseStreamInput, br.InvokeModelWithResponseStreamOutput]{
			operation: operation{name: "InvokeModelWithResponseStream", guarded: true, infers: true, tallied: true, stream: true, events: schemas.ResponseStream},
			schemas:   [3]*smithy.Schema{schemas.InvokeModelWithResponseStream, schemas.InvokeModelWithResponseStreamRequest, schemas.InvokeModelWithResponseStreamResponse},
			model:     func(in *br.InvokeModelWithResponseStreamInput) **string { return &in.ModelId },
		}.describe(),
		row[br.InvokeModelWithBidirectionalStreamInput, br.InvokeModelWithBidirectionalStreamOutput]{
			operation: operation{name: duplexOperation, infers: true, tallied: true, stream: true, duplex: true, events: schemas.InvokeModelWithBidirectionalStreamOutput},
			schemas:   [3]*smithy.Schema{schemas.InvokeModelWithBidirectionalStream, schemas.InvokeModelWithBidirectionalStreamRequest, schemas.InvokeModelWithBidirectionalStreamResponse},
			model:     func(in *br.InvokeModelWithBidirectionalStreamInput) **string { return &in.ModelId },
		}.describe(),
		row[br.StartAsyncInvokeInput, br.StartAsyncInvokeOutput]{
			operation: operation{name: "StartAsyncInvoke", infers: true, free: true},
			schemas:   [3]*smithy.Schema{schemas.StartAsyncInvoke, schemas.StartAsyncInvokeRequest, schemas.StartAsyncInvokeResponse},
			model:     func(in *br.StartAsyncInvokeInput) **string { return &in.ModelId },
			token:     func(in *br.StartAsyncInvokeInput) **string { return &in.ClientRequestToken },
			lacks: func(out *br.StartAsyncInvokeOutput) string {
				return memberWhere("invocationArn", isEmpty(out.InvocationArn))
			},
		}.describe(),
		row[br.ApplyGuardrailInput, br.ApplyGuardrailOutput]{
			operation: operation{name: "ApplyGuardrail"},
			schemas:   [3]*smithy.Schema{schemas.ApplyGuardrail, schemas.ApplyGuardrailRequest, schemas.ApplyGuardrailResponse},
			lacks:     func(out *br.ApplyGuardrailOutput) string { return memberWhere("action", out.Action == "") },
			tells:     (*answerReader).applyGuardrail,
		}.describe(),
		row[br.InvokeGuardrailChecksInput, br.InvokeGuardrailChecksOutput]{
			operation: operation{name: "InvokeGuardrailChecks"},
			schemas:   [3]*smithy.Schema{schemas.InvokeGuardrailChecks, schemas.InvokeGuardrailChecksRequest, schemas.InvokeGuardrailChecksResponse},
			lacks:     func(out *br.InvokeGuardrailChecksOutput) string { return memberWhere("results", out.Results == nil) },
		}.describe(),
		row[br.CountTokensInput, br.CountTokensOutput]{
			operation: operation{name: "CountTokens", free: true},
			schemas:   [3]*smithy.Schema{schemas.CountTokens, schemas.CountTokensRequest, schemas.CountTokensResponse},
			model:     func(in *br.CountTokensInput) **string { return &in.ModelId },
			lacks:     func(out *br.CountTokensOutput) string { return memberWhere("inputTokens", out.InputTokens == nil) },
			tells:     (*answerReader).countTokens,
		}.describe(),
		row[br.GetAsyncInvokeInput, br.GetAsyncInvokeOutput]{
			operation: operation{name: "GetAsyncInvoke", free: true},
			schemas:   [3]*smithy.Schema{schemas.GetAsyncInvoke, schemas.GetAsyncInvokeRequest, schemas.GetAsyncInvokeResponse},
			lacks:     getAsyncInvokeLacks,
		}.describe(),
		row[br.ListAsyncInvokesInput, br.ListAsyncInvokesOutput]{
			operation: operation{name: "ListAsyncInvokes", free: true},
			schemas:   [3]*smithy.Schema{schemas.ListAsyncInvokes, schemas.ListAsyncInvokesRequest, schemas.ListAsyncInvokesResponse},
		}.describe(),
	} {
		m[op.name] = op
	}
	return m
}

// operation is what the steps know of an operation. The functions take any value: the
// operation decides what its input and its output are, and not the value that a step
// of the stack passed on.
type operation struct {
	name string
	// guarded: a guardrail is attached. Otherwise infers tells whether the
	// operation runs a model on a prompt all the same.
	guarded, infers bool
	// free: sending a request twice costs nothing. Counting tokens and asking after
	// asynchronous invocations is free. The client token of a StartAsyncInvoke, which
	// the SDK sets, keeps an invocation from starting twice
	// (API_runtime_StartAsyncInvoke, clientRequestToken).
	free bool
	// tallied: the answer is the model's own body. Headers and the body report its usage.
	tallied bool
	// stream: the answer is an event stream. duplex: the prompt is one too.
	stream, duplex bool
	events         *smithy.Schema // of the stream's union
	schema         *smithy.OperationSchema

	// clone returns a shallow copy of an input, and false for another type.
	clone func(in any) (any, bool)
	// model is where an input names its model; nil where the operation names none.
	model func(in any) **string
	// token is the idempotency token that the SDK writes into an input that has
	// none; nil where there is no such field.
	token func(in any) **string
	// answers reports whether a value is what the SDK will cast the operation's
	// result to. A step that answers with anything else would make the SDK panic.
	answers func(out any) bool
	// lacks names what an answer of status 200 lacks; empty where nothing is missing.
	lacks func(out any) string
	// tells reads into an Outcome what an answer that is no stream tells.
	tells func(r *answerReader, out any, o *Outcome, t *tally)
}

// row is an operation in the types of its own input and output. Functions that an
// operation does not need are nil.
type row[In, Out any] struct {
	operation
	schemas [3]*smithy.Schema // of the operation, its input and its output
	model   func(*In) **string
	token   func(*In) **string
	lacks   func(*Out) string
	tells   func(*answerReader, *Out, *Outcome, *tally)
}

func (r row[In, Out]) describe() *operation {
	op := r.operation
	op.schema = smithy.NewOperationSchema(r.schemas[0], r.schemas[1], r.schemas[2])
	op.clone = func(in any) (any, bool) {
		own, ok := in.(*In)
		if !ok {
			return nil, false
		}
		return shallow(own), true
	}
	op.answers = func(out any) bool {
		own, ok := out.(*Out)
		return ok && own != nil
	}
	op.model, op.token = fieldOf(r.model), fieldOf(r.token)
	op.lacks = func(out any) string {
		if own, ok := out.(*Out); ok && r.lacks != nil {
			return r.lacks(own)
		}
		return ""
	}
	op.tells = func(reader *answerReader, out any, o *Outcome, t *tally) {
		if own, ok := out.(*Out); ok && r.tells != nil {
			r.tells(reader, own, o, t)
		}
	}
	return &op
}

// fieldOf is a field of an input of whatever type; nil in an input of another one.
func fieldOf[In any](field func(*In) **string) func(in any) **string {
	if field == nil {
		return nil
	}
	return func(in any) **string {
		if own, ok := in.(*In); ok {
			return field(own)
		}
		return nil
	}
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
		"the input is a %T and not that of %s; a Middleware or a step of the SDK's stack put it there", in, op.name))
}

func shallow[T any](in *T) *T {
	out := new(T)
	if in != nil {
		*out = *in
	}
	return out
}
