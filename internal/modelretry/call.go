package modelretry

import (
	"context"
	"errors"
	"time"

	"github.com/aws/smithy-go"
)

// Call is what the Retryer keeps of one call: how often the call was sent, and how long
// it has waited. The zero value is ready. One goroutine at a time may use it.
type Call struct {
	Sends     int  // the sender counts them
	Throttled int  // of them
	Renewed   bool // the credentials, and the call is sent once more for that

	throttle error // the last of this call
	rate     *rateLimit
	wait     time.Duration
	idleFrom time.Time // zero while an attempt is on its way
}

// Note learns from an attempt that ended with err; nil for an answer. The quota hears of
// attempts from the SDK's loop, and the rate limit hears of them here: the loop tells
// about the first attempt alone where the environment switches the SDK's new retries on
// (core v1.47.7, aws/retry/middleware.go).
func (c *Call) Note(err error) {
	var throttle error
	if err != nil && isThrottle(err) {
		c.Throttled++
		c.throttle = err
		if !isDailyQuota(err) { // slower sending does not bring a day's quota back
			throttle = apiErrorOf(err)
		}
	}
	if c.rate != nil {
		c.rate.note(throttle, time.Now())
		c.rate = nil
	}
}

// Explain keeps the throttle in the error of a deadline that came in a wait.
func (c *Call) Explain(ctx context.Context, err error) error {
	t := c.throttle
	if t == nil || c.idleFrom.IsZero() || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, t) {
		return err
	}
	return joinThrottle(ctx, err, t)
}

// Waited is how long the call has waited so far.
func (c *Call) Waited() time.Duration {
	if c.idleFrom.IsZero() {
		return c.wait
	}
	return c.wait + time.Since(c.idleFrom)
}

// pause notes that the call waits from now on.
func (c *Call) pause() {
	if c.idleFrom.IsZero() {
		c.idleFrom = time.Now()
	}
}

// resume notes that an attempt is about to be sent.
func (c *Call) resume() { c.wait, c.idleFrom = c.Waited(), time.Time{} }

// apiErrorOf is the server's error without the answer that brought it, to be kept.
func apiErrorOf(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer
	}
	return err
}
