// Package modelretry sends calls of a throttled model later and calls of another model
// at once: one rate limit and one retry quota a model, with all waits bounded.
package modelretry

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

// Options say how often and how long a Retryer tries.
type Options struct {
	MaxAttempts         int           // zero: 3
	MaxWait, MaxBackoff time.Duration // zero: 20 s

	// Final reports what is never sent again, beside a refusal and a quota of the day
	// that is used up.
	Final func(err error) bool
	// Call finds the call that a context is of, and its model. A nil Call is a call of
	// which nothing is kept.
	Call func(ctx context.Context) (model string, call *Call)
	// Deadline is the error of a context's deadline that a wait would pass.
	Deadline func(ctx context.Context) error
}

// Defaults of Options.
const (
	defaultMaxAttempts = 3
	defaultMaxWait     = 20 * time.Second
	defaultMaxBackoff  = 20 * time.Second // the SDK's own
)

// maxBuckets bounds the models that are remembered; the one longest unused is
// forgotten first.
const maxBuckets = 256

// Retryer keeps one rate limit and one retry quota per model, so that a
// throttled model slows no other. The quota is the SDK's retry.Standard. All
// waits happen in its methods, and not in the SDK's loop, so that they are bounded
// and end with the client.
type Retryer struct {
	Options

	classify *retry.Standard // answers what no bucket is needed for
	closed   chan struct{}
	end      func() // closes closed, once

	mu      sync.Mutex
	buckets map[string]*list.Element // of *bucket
	recent  *list.List
}

type bucket struct {
	model string
	rate  *rateLimit
	quota *retry.Standard
}

var _ aws.RetryerV2 = (*Retryer)(nil)

// New returns a Retryer. Every function of o is required.
func New(o Options) *Retryer {
	if o.MaxAttempts == 0 {
		o.MaxAttempts = defaultMaxAttempts
	}
	if o.MaxWait == 0 {
		o.MaxWait = defaultMaxWait
	}
	if o.MaxBackoff == 0 {
		o.MaxBackoff = defaultMaxBackoff
	}
	m := &Retryer{Options: o, closed: make(chan struct{}), buckets: make(map[string]*list.Element), recent: list.New()}
	m.end = sync.OnceFunc(func() { close(m.closed) })
	m.classify = m.standard()
	return m
}

// Close ends the waits, with refusal.Closed. Close may be called more than once.
func (m *Retryer) Close() { m.end() }

func (m *Retryer) standard() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = m.Options.MaxAttempts, m.MaxBackoff
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

// final tells what is not sent again.
func (m *Retryer) final(err error) aws.Ternary {
	if isDailyQuota(err) || m.Final(err) {
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

// callOf finds the bucket of the call's model, and the call.
func (m *Retryer) callOf(ctx context.Context) (*bucket, *Call) {
	model, call := m.Call(ctx)
	if call == nil {
		call = new(Call)
	}
	return m.bucketOf(model), call
}

func (m *Retryer) bucketOf(model string) *bucket {
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
	b := &bucket{model: model, rate: newRateLimit(m.MaxBackoff), quota: m.standard()}
	m.buckets[model] = m.recent.PushFront(b)
	return b
}

// IsErrorRetryable implements aws.Retryer.
func (m *Retryer) IsErrorRetryable(err error) bool { return m.classify.IsErrorRetryable(err) }

// MaxAttempts implements aws.Retryer.
func (m *Retryer) MaxAttempts() int { return m.Options.MaxAttempts }

// RetryDelay implements aws.Retryer. GetRetryToken has waited already.
func (m *Retryer) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

// GetAttemptToken waits for the model's rate limit.
func (m *Retryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	b, c := m.callOf(ctx)
	c.pause()
	if t := b.rate.take(time.Now()); t != 0 {
		if err := m.line(ctx, c, b, t); err != nil {
			b.rate.leave()
			return nil, err
		}
	}
	c.resume()
	refill, err := b.quota.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	c.rate = b.rate
	return refill, nil
}

// linePause is how often a call in the line looks whether the rate has changed.
const linePause = 250 * time.Millisecond

// line waits until the ticket is due. It fails, with the throttle that is the
// cause, once Retry.MaxWait has passed, and at once where the wait would pass the
// deadline.
func (m *Retryer) line(ctx context.Context, c *Call, b *bucket, t ticket) error {
	throttle := func() error {
		if c.throttle != nil {
			return c.throttle
		}
		return b.rate.throttle()
	}
	for end := time.Now().Add(m.budget(c)); ; {
		now := time.Now()
		left := b.rate.left(t, now)
		switch {
		case left <= 0:
			return nil
		case !now.Before(end):
			return fmt.Errorf("securebedrock: not sent: the call has waited for Retry.MaxWait, %v, and the model is still throttled: %w", m.MaxWait, throttle())
		case passesDeadline(ctx, left):
			return fmt.Errorf("securebedrock: not sent: the model is throttled, and the wait of %v passes the call's deadline: %w: %w", left.Round(time.Millisecond), m.Deadline(ctx), throttle())
		}
		if err := m.sleep(ctx, min(left, linePause, end.Sub(now))); err != nil {
			return joinThrottle(ctx, err, throttle())
		}
	}
}

// budget is what is left of Retry.MaxWait.
func (m *Retryer) budget(c *Call) time.Duration { return m.MaxWait - c.Waited() }

func passesDeadline(ctx context.Context, wait time.Duration) bool {
	end, ok := ctx.Deadline()
	return ok && time.Until(end) < wait
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
func (m *Retryer) sleep(ctx context.Context, d time.Duration) error {
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
		return refusal.New(refusal.Closed, "the client was closed while the call waited to be sent")
	}
}

// GetRetryToken spends of the model's quota and waits, unless the wait is longer
// than what is left of Retry.MaxWait or of the time to the deadline.
func (m *Retryer) GetRetryToken(ctx context.Context, opErr error) (func(error) error, error) {
	b, c := m.callOf(ctx)
	attempt := max(1, c.Sends)
	if c.Renewed && c.Sends > m.Options.MaxAttempts {
		return nil, errors.New("securebedrock: not sent again: Retry.MaxAttempts is reached")
	}
	delay, err := m.classify.RetryDelay(attempt, opErr)
	if err != nil {
		return nil, err
	}
	delay = max(min(delay, m.MaxBackoff), retryAfter(opErr, time.Now()))
	if delay > m.budget(c) {
		return nil, fmt.Errorf("securebedrock: not sent again: the wait of %v is longer than what is left of Retry.MaxWait, %v", delay.Round(time.Millisecond), m.MaxWait)
	}
	if passesDeadline(ctx, delay) {
		return nil, fmt.Errorf("securebedrock: not sent again: the wait of %v passes the call's deadline: %w", delay.Round(time.Millisecond), m.Deadline(ctx))
	}
	token, err := b.quota.GetRetryToken(ctx, opErr)
	if err != nil {
		return nil, err
	}
	c.pause()
	heeded(opErr)
	return token, m.sleep(ctx, delay)
}

// GetInitialToken implements aws.Retryer. The SDK calls GetAttemptToken instead.
func (m *Retryer) GetInitialToken() func(error) error { return func(error) error { return nil } }

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
