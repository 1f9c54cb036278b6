package securebedrock

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Defaults of Retry.
const (
	defaultMaxAttempts = 3
	defaultMaxWait     = 20 * time.Second
	defaultMaxBackoff  = 20 * time.Second // the SDK's own
)

// maxBuckets bounds the models that are remembered; the one longest unused is
// forgotten first.
const maxBuckets = 256

// modelRetryer keeps one rate limit and one retry quota per model, so that a
// throttled model slows no other. The quota is the SDK's retry.Standard. All
// waits happen in its methods, and not in the SDK's loop, so that they are bounded
// and end with the client.
type modelRetryer struct {
	maxAttempts int
	maxWait     time.Duration
	maxBackoff  time.Duration
	resend      bool            // Retry.ResendAfterReadTimeout
	classify    *retry.Standard // answers what no bucket is needed for
	closed      chan struct{}
	close       func() // ends the waits; may be called more than once

	mu      sync.Mutex
	buckets map[string]*list.Element // of *bucket
	recent  *list.List
}

type bucket struct {
	model string
	rate  *rateLimit
	quota *retry.Standard
}

var _ aws.RetryerV2 = (*modelRetryer)(nil)

func newRetryer(r Retry) *modelRetryer {
	m := &modelRetryer{
		maxAttempts: r.MaxAttempts, maxWait: r.MaxWait, maxBackoff: r.MaxBackoff, resend: r.ResendAfterReadTimeout,
		closed: make(chan struct{}), buckets: make(map[string]*list.Element), recent: list.New(),
	}
	m.close = sync.OnceFunc(func() { close(m.closed) })
	if m.maxAttempts == 0 {
		m.maxAttempts = defaultMaxAttempts
	}
	if m.maxWait == 0 {
		m.maxWait = defaultMaxWait
	}
	if m.maxBackoff == 0 {
		m.maxBackoff = defaultMaxBackoff
	}
	m.classify = m.standard()
	return m
}

func (m *modelRetryer) standard() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = m.maxAttempts, m.maxBackoff
		// What must not be sent again stays so, also where the SDK wraps it as a
		// failure to send, which it would retry.
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(m.final)}, o.Retryables...)
		// The SDK knows neither, nor the status 429 by itself, though the doc comment
		// of ModelNotReadyException says that it retries it (bedrockruntime v1.63.11).
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: map[string]struct{}{
			"ModelTimeoutException": {}, "ModelNotReadyException": {},
		}})
		// Bedrock's overloaded_error, which AWS says to retry (User Guide,
		// troubleshooting-api-error-codes) and the SDK does not know.
		o.Retryables = append(o.Retryables, retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{429: {}, 529: {}}})
	})
}

// final tells what is not sent again: a refusal, a daily quota that is used up, and
// a request that has wholly gone out on a connection which is not known to be dead.
func (m *modelRetryer) final(err error) aws.Ternary {
	var refused *refusal.Refusal
	var policy *PolicyError
	var timeout *TimeoutError
	switch {
	case errors.As(err, &refused), errors.As(err, &policy), isDailyQuota(err):
		return aws.FalseTernary
	case errors.As(err, &timeout) && timeout.Rule == ErrReadTimeout && timeout.sent && !m.resend:
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// isDailyQuota recognises "Too many tokens per day, please wait before trying
// again." A ThrottlingException has no field that tells it from a quota of minutes.
func isDailyQuota(err error) bool {
	var answer smithy.APIError
	return errors.As(err, &answer) && isThrottle(err) && strings.Contains(strings.ToLower(answer.ErrorMessage()), "per day")
}

func isThrottle(err error) bool {
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary
}

// bucketOf finds the bucket of the call's model.
func (m *modelRetryer) bucketOf(ctx context.Context) *bucket {
	var model string
	if ex := exchangeOf(ctx); ex != nil {
		model = ex.call.Model.ID
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.buckets[model]; ok {
		m.recent.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if m.recent.Len() >= maxBuckets {
		oldest := m.recent.Back()
		delete(m.buckets, m.recent.Remove(oldest).(*bucket).model)
	}
	b := &bucket{model: model, rate: newRateLimit(m.maxBackoff), quota: m.standard()}
	m.buckets[model] = m.recent.PushFront(b)
	return b
}

// IsErrorRetryable implements aws.Retryer.
func (m *modelRetryer) IsErrorRetryable(err error) bool { return m.classify.IsErrorRetryable(err) }

// MaxAttempts implements aws.Retryer.
func (m *modelRetryer) MaxAttempts() int { return m.maxAttempts }

// RetryDelay implements aws.Retryer. GetRetryToken has waited already.
func (m *modelRetryer) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

// GetAttemptToken waits for the model's rate limit.
func (m *modelRetryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	b, d := m.bucketOf(ctx), deliveryOf(ctx)
	d.pause()
	if t := b.rate.take(time.Now()); t != 0 {
		if err := m.line(ctx, d, b, t); err != nil {
			b.rate.leave()
			return nil, err
		}
	}
	d.resume()
	refill, err := b.quota.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	d.rate = b.rate
	return refill, nil
}

// linePause is how often a call in the line looks whether the rate has changed.
const linePause = 250 * time.Millisecond

// line waits until the ticket is due. It fails, with the throttle that is the
// cause, once Retry.MaxWait has passed, and at once where the wait would pass the
// deadline.
func (m *modelRetryer) line(ctx context.Context, d *delivery, b *bucket, t ticket) error {
	throttle := func() error {
		if d.throttle != nil {
			return d.throttle
		}
		return b.rate.throttle()
	}
	for end := time.Now().Add(m.budget(d)); ; {
		now := time.Now()
		left := b.rate.left(t, now)
		switch {
		case left <= 0:
			return nil
		case !now.Before(end):
			return fmt.Errorf("securebedrock: not sent: the call has waited for Retry.MaxWait, %v, and the model is still throttled: %w", m.maxWait, throttle())
		case passesDeadline(ctx, left):
			return fmt.Errorf("securebedrock: not sent: the model is throttled, and the wait of %v passes the call's deadline: %w: %w", left.Round(time.Millisecond), deadline(ctx), throttle())
		}
		if err := m.sleep(ctx, min(left, linePause, end.Sub(now))); err != nil {
			return joinThrottle(ctx, err, throttle())
		}
	}
}

// budget is what is left of Retry.MaxWait.
func (m *modelRetryer) budget(d *delivery) time.Duration { return m.maxWait - d.waited() }

func passesDeadline(ctx context.Context, wait time.Duration) bool {
	end, ok := ctx.Deadline()
	return ok && time.Until(end) < wait
}

// deadline is the error of the deadline that a wait would pass: of Timeouts.Call, or
// the caller's own.
func deadline(ctx context.Context) error {
	end, _ := ctx.Deadline()
	if ex := exchangeOf(ctx); ex != nil && ex.bound > 0 && !end.Before(ex.call.Start.Add(ex.bound)) {
		return &TimeoutError{Rule: ErrCallTimeout, After: ex.bound}
	}
	return context.DeadlineExceeded
}

// joinThrottle keeps the throttle in the error of a wait that something has ended,
// unless that was the caller's own cancellation.
func joinThrottle(ctx context.Context, err, throttle error) error {
	if throttle == nil || errors.Is(ctx.Err(), context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", err, throttle)
}

// sleep ends with the context, and with the client.
func (m *modelRetryer) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &aws.RequestCanceledError{Err: ctx.Err()}
	case <-m.closed:
		return refuse(ErrClosed, "the client was closed while the call waited to be sent")
	}
}

// GetRetryToken spends of the model's quota and waits, unless the wait is longer
// than what is left of Retry.MaxWait or of the time to the deadline.
func (m *modelRetryer) GetRetryToken(ctx context.Context, opErr error) (func(error) error, error) {
	b, d := m.bucketOf(ctx), deliveryOf(ctx)
	attempt := max(1, d.sends)
	if d.renewed && d.sends > m.maxAttempts {
		return nil, errors.New("securebedrock: not sent again: Retry.MaxAttempts is reached")
	}
	delay, err := m.classify.RetryDelay(attempt, opErr)
	if err != nil {
		return nil, err
	}
	delay = max(min(delay, m.maxBackoff), retryAfter(opErr, time.Now()))
	if delay > m.budget(d) {
		return nil, fmt.Errorf("securebedrock: not sent again: the wait of %v is longer than what is left of Retry.MaxWait, %v", delay.Round(time.Millisecond), m.maxWait)
	}
	if passesDeadline(ctx, delay) {
		return nil, fmt.Errorf("securebedrock: not sent again: the wait of %v passes the call's deadline: %w", delay.Round(time.Millisecond), deadline(ctx))
	}
	token, err := b.quota.GetRetryToken(ctx, opErr)
	if err != nil {
		return nil, err
	}
	d.pause()
	heeded(opErr)
	return token, m.sleep(ctx, delay)
}

// GetInitialToken implements aws.Retryer. The SDK calls GetAttemptToken instead.
func (m *modelRetryer) GetInitialToken() func(error) error { return func(error) error { return nil } }

// retryAfter is how long an answer asks to wait: Retry-After of RFC 9110, in
// seconds or as a date, or X-Amz-Retry-After in milliseconds, which the SDK heeds
// only where the environment switches its new retries on (core v1.47.7,
// aws/retry/middleware.go).
func retryAfter(err error, now time.Time) time.Duration {
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.Response == nil || answer.Response.Response == nil {
		return 0
	}
	wait := func(text string, unit time.Duration) time.Duration {
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return 0
		}
		return time.Duration(n) * unit
	}
	h := answer.Response.Header
	longest := max(wait(h.Get("Retry-After"), time.Second), wait(h.Get("X-Amz-Retry-After"), time.Millisecond))
	if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		longest = max(longest, at.Sub(now))
	}
	return longest
}

// heeded takes X-Amz-Retry-After off an answer that is about to be dropped: the
// SDK's new retries would wait for it once more, beside the bounds.
func heeded(err error) {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil && answer.Response.Response != nil {
		answer.Response.Header.Del("X-Amz-Retry-After")
	}
}
