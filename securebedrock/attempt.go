package securebedrock

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// retryStep runs the SDK's retry loop, and once more with fresh credentials where
// Bedrock calls the present ones expired. The loop tells the quota, and attempt the
// rate limit, about each attempt: the loop itself would tell about the first alone
// where the environment switches the SDK's new retries on (core v1.47.7,
// aws/retry/middleware.go).
type retryStep struct{ *retry.Attempt }

// HandleFinalize implements middleware.FinalizeMiddleware.
func (s retryStep) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	ex := exchangeOf(ctx)
	if ex == nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, bypassed(middleware.GetOperationName(ctx), "the call did not pass the rules")
	}
	if !ex.seal.loop() {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, ex.named(refuse(ErrEndpoint,
			"a step of the SDK's stack called its next handler again, which would send the prompt again under the same record; Options.Retry says how often a call is sent"))
	}
	ex.attempt.next, ex.attempt.ex = next, ex
	out, metadata, err := s.Attempt.HandleFinalize(ctx, in, &ex.attempt)
	if err == nil {
		return out, metadata, nil
	}
	if isExpiredToken(err) && ex.g.credentials.renew(ctx, ex.accessKey) && ex.attempt.rewind(in.Request) {
		ex.attempt.renewed = true
		out, metadata, err = s.Attempt.HandleFinalize(ctx, in, &ex.attempt)
	}
	if t := ex.attempt.throttle; t != nil && !ex.idleFrom.IsZero() && errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, t) {
		err = joinThrottle(ctx, err, t) // the deadline came in the wait
	}
	return out, metadata, err
}

// attempt is the rest of the stack, of which the retry loop makes several passes.
type attempt struct {
	ex       *exchange
	next     middleware.FinalizeHandler
	rate     *rateLimit // to be told of the attempt under way
	throttle error      // of this call, the last
	renewed  bool       // the credentials, and the call is sent once more for that
}

// HandleFinalize implements middleware.FinalizeHandler.
func (a *attempt) HandleFinalize(ctx context.Context, in middleware.FinalizeInput) (
	out middleware.FinalizeOutput, metadata middleware.Metadata, err error,
) {
	a.ex.seal.attempt()
	out, metadata, err = a.next.HandleFinalize(ctx, in)
	var throttle error
	if err != nil && isThrottle(err) {
		a.ex.throttled++
		a.throttle = err
		if !isDailyQuota(err) { // slower sending does not bring a day's quota back
			throttle = apiErrorOf(err)
		}
	}
	if a.rate != nil {
		a.rate.note(throttle, time.Now())
		a.rate = nil
	}
	return out, metadata, err
}

// apiErrorOf is the server's error without the answer that brought it, to be kept.
func apiErrorOf(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer
	}
	return err
}

// rewind makes a request ready to be sent anew. What a caller writes into a
// bidirectional stream is there once.
func (a *attempt) rewind(request any) bool {
	r, ok := request.(interface{ RewindStream() error })
	return ok && !a.ex.op.duplex && r.RewindStream() == nil
}

// pause notes that the call waits from now on.
func (ex *exchange) pause() {
	if ex != nil && ex.idleFrom.IsZero() {
		ex.idleFrom = time.Now()
	}
}

// resume notes that an attempt is about to be sent.
func (ex *exchange) resume() {
	if ex != nil {
		ex.wait, ex.idleFrom = ex.waited(), time.Time{}
	}
}

// waited is how long the call has waited so far.
func (ex *exchange) waited() time.Duration {
	if ex.idleFrom.IsZero() {
		return ex.wait
	}
	return ex.wait + time.Since(ex.idleFrom)
}
