package bedrockhttp

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// call makes a call of a client with an input that has been decoded.
type call func(ctx context.Context, c *securebedrock.Client, in any) (*answer, error)

// callOf returns the call of an operation; nil for an operation that has none. The
// bidirectional operation has none, because its input goes on after the call.
func callOf(operation string) call {
	switch operation {
	case "Converse":
		return unary((*securebedrock.Client).Converse, func(o *bedrockruntime.ConverseOutput) *middleware.Metadata { return &o.ResultMetadata })
	case "ConverseStream":
		return converseStream
	case "InvokeModel":
		return unary((*securebedrock.Client).InvokeModel, func(o *bedrockruntime.InvokeModelOutput) *middleware.Metadata { return &o.ResultMetadata })
	case "InvokeModelWithResponseStream":
		return invokeModelStream
	case "CountTokens":
		return unary((*securebedrock.Client).CountTokens, func(o *bedrockruntime.CountTokensOutput) *middleware.Metadata { return &o.ResultMetadata })
	case "ApplyGuardrail":
		return unary((*securebedrock.Client).ApplyGuardrail, func(o *bedrockruntime.ApplyGuardrailOutput) *middleware.Metadata { return &o.ResultMetadata })
	case "InvokeGuardrailChecks":
		return unary((*securebedrock.Client).InvokeGuardrailChecks, func(o *bedrockruntime.InvokeGuardrailChecksOutput) *middleware.Metadata { return &o.ResultMetadata })
	case "StartAsyncInvoke":
		return unary((*securebedrock.Client).StartAsyncInvoke, func(o *bedrockruntime.StartAsyncInvokeOutput) *middleware.Metadata { return &o.ResultMetadata })
	case "GetAsyncInvoke":
		return unary((*securebedrock.Client).GetAsyncInvoke, func(o *bedrockruntime.GetAsyncInvokeOutput) *middleware.Metadata { return &o.ResultMetadata })
	case "ListAsyncInvokes":
		return unary((*securebedrock.Client).ListAsyncInvokes, func(o *bedrockruntime.ListAsyncInvokesOutput) *middleware.Metadata { return &o.ResultMetadata })
	}
	return nil
}

// unary is the call of an operation whose answer is whole.
func unary[In, Out any, O interface {
	*Out
	smithy.Serializable
}](
	method func(*securebedrock.Client, context.Context, *In, ...func(*bedrockruntime.Options)) (O, error),
	metadata func(O) *middleware.Metadata,
) call {
	return func(ctx context.Context, c *securebedrock.Client, in any) (*answer, error) {
		params, ok := in.(*In)
		if !ok {
			return nil, errInput(in)
		}
		out, err := method(c, ctx, params)
		if err != nil {
			return nil, err
		}
		return answerOf(out, metadata(out))
	}
}

func converseStream(ctx context.Context, c *securebedrock.Client, in any) (*answer, error) {
	params, ok := in.(*bedrockruntime.ConverseStreamInput)
	if !ok {
		return nil, errInput(in)
	}
	out, err := c.ConverseStream(ctx, params)
	if err != nil {
		return nil, err
	}
	return streamAnswer(ctx, out, &out.ResultMetadata, out.GetStream())
}

func invokeModelStream(ctx context.Context, c *securebedrock.Client, in any) (*answer, error) {
	params, ok := in.(*bedrockruntime.InvokeModelWithResponseStreamInput)
	if !ok {
		return nil, errInput(in)
	}
	out, err := c.InvokeModelWithResponseStream(ctx, params)
	if err != nil {
		return nil, err
	}
	return streamAnswer(ctx, out, &out.ResultMetadata, out.GetStream())
}

// errInput is a fault of this package: wire decoded an input of another operation.
func errInput(in any) error {
	return fmt.Errorf("bedrockhttp: an input of type %T has another call", in)
}
