package securebedrock

import (
	"context"
	"errors"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/modelretry"
)

// newRetryer makes the one owner of retries. bound is Timeouts.Call.
func newRetryer(r Retry, bound time.Duration) *modelretry.Retryer {
	return modelretry.New(modelretry.Options{
		MaxAttempts: r.MaxAttempts, MaxWait: r.MaxWait, MaxBackoff: r.MaxBackoff,
		Final:    func(err error) bool { return notSentAgain(err, r.ResendAfterReadTimeout) },
		Call:     retriedCall,
		Deadline: func(ctx context.Context) error { return deadlineOf(ctx, bound) },
	})
}

// notSentAgain tells a refusal, and a request that has wholly gone out on a connection
// which is not known to be dead.
func notSentAgain(err error, resend bool) bool {
	var policy *PolicyError
	var timeout *TimeoutError
	return errors.As(err, &policy) ||
		errors.As(err, &timeout) && timeout.Rule == ErrReadTimeout && timeout.sent && !resend
}

// retriedCall is what the retryer keeps of the call that ctx is of.
func retriedCall(ctx context.Context) (model string, call *modelretry.Call) {
	ex := exchangeOf(ctx)
	if ex == nil {
		return "", nil
	}
	return ex.model.ID, &ex.delivery.Call
}

// deadlineOf is the error of the deadline that a wait would pass: of Timeouts.Call, or
// the caller's own.
func deadlineOf(ctx context.Context, bound time.Duration) error {
	end, _ := ctx.Deadline()
	if ex := exchangeOf(ctx); ex != nil && bound > 0 && !end.Before(ex.result.start.Add(bound)) {
		return &TimeoutError{Rule: ErrCallTimeout, After: bound}
	}
	return context.DeadlineExceeded
}
