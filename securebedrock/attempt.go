package securebedrock

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/session"
)

// retryStep runs the SDK's retry loop. Where Bedrock calls the credentials expired,
// retryStep runs the loop once more with fresh ones. The loop tells the quota about each
// attempt, and attempt tells the rate limit.
type retryStep struct {
	*retry.Attempt
	renew func(ctx context.Context, accessKey string) bool // drops credentials that Bedrock called expired
}

// HandleFinalize implements middleware.FinalizeMiddleware.
func (s retryStep) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	ex := exchangeOf(ctx)
	if ex == nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, bypassed(middleware.GetOperationName(ctx), "the call did not pass the rules")
	}
	if !ex.seal.Loop() {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, ex.named(refuse(ErrEndpoint,
			"a step of the SDK's stack called its next handler again, which would send the prompt again under the same record; Options.Retry says how often a call is sent"))
	}
	ex.next = next
	d, rest := &ex.delivery, (*attempt)(ex)
	out, metadata, err := s.Attempt.HandleFinalize(ctx, in, rest)
	if err == nil {
		return out, metadata, nil
	}
	if session.Expired(err) && s.renew(ctx, d.accessKey) && rest.rewind(in.Request) {
		d.Renewed = true
		out, metadata, err = s.Attempt.HandleFinalize(ctx, in, rest)
	}
	return out, metadata, d.Explain(ctx, err)
}

// attempt is the rest of the stack, of which the retry loop makes several passes.
type attempt exchange

// HandleFinalize implements middleware.FinalizeHandler.
func (a *attempt) HandleFinalize(ctx context.Context, in middleware.FinalizeInput) (
	out middleware.FinalizeOutput, metadata middleware.Metadata, err error,
) {
	a.seal.Attempt()
	out, metadata, err = a.next.HandleFinalize(ctx, in)
	a.delivery.Note(err)
	return out, metadata, err
}

// rewind makes a request ready to be sent anew. What a caller writes into a
// bidirectional stream is there once.
func (a *attempt) rewind(request any) bool {
	r, ok := request.(interface{ RewindStream() error })
	return ok && !a.op.duplex && r.RewindStream() == nil
}
