package securebedrock

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// The operations, each as in bedrockruntime. Everything that is enforced is in
// the stack; these methods only see to it that it is installed last.

// Converse calls bedrockruntime.Client.Converse within the Options.
func (c *Client) Converse(ctx context.Context, params *bedrockruntime.ConverseInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseOutput, error) {
	if ctx == nil {
		return nil, noContext("Converse")
	}
	return c.inner.Converse(ctx, params, c.locked(optFns)...)
}

// ConverseStream calls bedrockruntime.Client.ConverseStream within the Options.
func (c *Client) ConverseStream(ctx context.Context, params *bedrockruntime.ConverseStreamInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseStreamOutput, error) {
	if ctx == nil {
		return nil, noContext("ConverseStream")
	}
	return c.inner.ConverseStream(ctx, params, c.locked(optFns)...)
}

// InvokeModel calls bedrockruntime.Client.InvokeModel within the Options.
func (c *Client) InvokeModel(ctx context.Context, params *bedrockruntime.InvokeModelInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.InvokeModelOutput, error) {
	if ctx == nil {
		return nil, noContext("InvokeModel")
	}
	return c.inner.InvokeModel(ctx, params, c.locked(optFns)...)
}

// InvokeModelWithResponseStream calls bedrockruntime.Client.InvokeModelWithResponseStream within the Options.
func (c *Client) InvokeModelWithResponseStream(ctx context.Context, params *bedrockruntime.InvokeModelWithResponseStreamInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.InvokeModelWithResponseStreamOutput, error) {
	if ctx == nil {
		return nil, noContext("InvokeModelWithResponseStream")
	}
	return c.inner.InvokeModelWithResponseStream(ctx, params, c.locked(optFns)...)
}

// ApplyGuardrail calls bedrockruntime.Client.ApplyGuardrail within the Options.
func (c *Client) ApplyGuardrail(ctx context.Context, params *bedrockruntime.ApplyGuardrailInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.ApplyGuardrailOutput, error) {
	if ctx == nil {
		return nil, noContext("ApplyGuardrail")
	}
	return c.inner.ApplyGuardrail(ctx, params, c.locked(optFns)...)
}

// InvokeGuardrailChecks calls bedrockruntime.Client.InvokeGuardrailChecks within the Options.
func (c *Client) InvokeGuardrailChecks(ctx context.Context, params *bedrockruntime.InvokeGuardrailChecksInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.InvokeGuardrailChecksOutput, error) {
	if ctx == nil {
		return nil, noContext("InvokeGuardrailChecks")
	}
	return c.inner.InvokeGuardrailChecks(ctx, params, c.locked(optFns)...)
}

// CountTokens calls bedrockruntime.Client.CountTokens within the Options.
func (c *Client) CountTokens(ctx context.Context, params *bedrockruntime.CountTokensInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.CountTokensOutput, error) {
	if ctx == nil {
		return nil, noContext("CountTokens")
	}
	return c.inner.CountTokens(ctx, params, c.locked(optFns)...)
}

// StartAsyncInvoke calls bedrockruntime.Client.StartAsyncInvoke within the Options.
func (c *Client) StartAsyncInvoke(ctx context.Context, params *bedrockruntime.StartAsyncInvokeInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.StartAsyncInvokeOutput, error) {
	if ctx == nil {
		return nil, noContext("StartAsyncInvoke")
	}
	return c.inner.StartAsyncInvoke(ctx, params, c.locked(optFns)...)
}

// GetAsyncInvoke calls bedrockruntime.Client.GetAsyncInvoke within the Options.
func (c *Client) GetAsyncInvoke(ctx context.Context, params *bedrockruntime.GetAsyncInvokeInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.GetAsyncInvokeOutput, error) {
	if ctx == nil {
		return nil, noContext("GetAsyncInvoke")
	}
	return c.inner.GetAsyncInvoke(ctx, params, c.locked(optFns)...)
}

// ListAsyncInvokes calls bedrockruntime.Client.ListAsyncInvokes within the Options.
func (c *Client) ListAsyncInvokes(ctx context.Context, params *bedrockruntime.ListAsyncInvokesInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.ListAsyncInvokesOutput, error) {
	if ctx == nil {
		return nil, noContext("ListAsyncInvokes")
	}
	return c.inner.ListAsyncInvokes(ctx, params, c.locked(optFns)...)
}

// InvokeModelWithBidirectionalStream calls
// bedrockruntime.Client.InvokeModelWithBidirectionalStream within the Options. It
// carries no guardrail, so it is refused with ErrUnguardedOperation unless a
// reason is given. It needs HTTP/2.
func (c *Client) InvokeModelWithBidirectionalStream(ctx context.Context, params *bedrockruntime.InvokeModelWithBidirectionalStreamInput, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.InvokeModelWithBidirectionalStreamOutput, error) {
	if ctx == nil {
		return nil, noContext(duplexOperation)
	}
	return c.inner.InvokeModelWithBidirectionalStream(ctx, params, c.locked(optFns)...)
}

// InvokeModelSafely is Converse for the common case: a model and the messages,
// with the guardrail, the token bound and everything else from Options.
func (c *Client) InvokeModelSafely(ctx context.Context, modelID string, messages []types.Message, optFns ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseOutput, error) {
	return c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String(modelID), Messages: messages}, optFns...)
}
