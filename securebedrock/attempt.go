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
	st := stateOf(ctx)
	if st == nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, bypassed(middleware.GetOperationName(ctx), "the call did not pass the rules")
	}
	if !st.seal.loop() {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, st.named(refuse(ErrEndpoint,
			"a step of the SDK's stack called its next handler again, which would send the prompt again under the same record; Options.Retry says how often a call is sent"))
	}
	st.attempt.next, st.attempt.st = next, st
	out, metadata, err := s.Attempt.HandleFinalize(ctx, in, &st.attempt)
	if err == nil {
		return out, metadata, nil
	}
	if isExpiredToken(err) && st.g.credentials.renew(ctx, st.accessKey) && st.attempt.rewind(in.Request) {
		st.attempt.renewed = true
		out, metadata, err = s.Attempt.HandleFinalize(ctx, in, &st.attempt)
	}
	if t := st.attempt.throttle; t != nil && !st.idleFrom.IsZero() && errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, t) {
		err = joinThrottle(ctx, err, t) // the deadline came in the wait
	}
	return out, metadata, err
}

// attempt is the rest of the stack, of which the retry loop makes several passes.
type attempt struct {
	st       *state
	next     middleware.FinalizeHandler
	rate     *rateLimit // to be told of the attempt under way
	throttle error      // of this call, the last
	renewed  bool       // the credentials, and the call is sent once more for that
}

// HandleFinalize implements middleware.FinalizeHandler.
func (a *attempt) HandleFinalize(ctx context.Context, in middleware.FinalizeInput) (
	out middleware.FinalizeOutput, metadata middleware.Metadata, err error,
) {
	a.st.seal.attempt()
	out, metadata, err = a.next.HandleFinalize(ctx, in)
	var throttle error
	if err != nil && isThrottle(err) {
		a.st.throttled++
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
	return ok && !a.st.op.duplex && r.RewindStream() == nil
}

// pause notes that the call waits from now on.
func (st *state) pause() {
	if st != nil && st.idleFrom.IsZero() {
		st.idleFrom = time.Now()
	}
}

// resume notes that an attempt is about to be sent.
func (st *state) resume() {
	if st != nil {
		st.wait, st.idleFrom = st.waited(), time.Time{}
	}
}

// waited is how long the call has waited so far.
func (st *state) waited() time.Duration {
	if st.idleFrom.IsZero() {
		return st.wait
	}
	return st.wait + time.Since(st.idleFrom)
}
