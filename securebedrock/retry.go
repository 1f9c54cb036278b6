package securebedrock

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const defaultMaxAttempts = 3

// maxBuckets bounds the models that are remembered; the one longest unused is
// forgotten first.
const maxBuckets = 256

// modelRetryer keeps one adaptive rate limit and one retry quota per model, so
// that a throttled model slows no other. The parts are the SDK's own. The quota
// is a retry.Standard beside the retry.AdaptiveMode, and not the one inside it,
// which successes never refill: AdaptiveMode does not pass its attempt tokens on
// (core v1.47.7, aws/retry/adaptive.go).
type modelRetryer struct {
	maxAttempts int
	classify    *retry.Standard // answers what no bucket is needed for

	mu      sync.Mutex
	buckets map[string]*list.Element // of *bucket
	recent  *list.List
}

type bucket struct {
	model string
	rate  *retry.AdaptiveMode
	quota *retry.Standard
}

var _ aws.RetryerV2 = (*modelRetryer)(nil)

func newRetryer(r Retry) *modelRetryer {
	m := &modelRetryer{maxAttempts: r.MaxAttempts, buckets: make(map[string]*list.Element), recent: list.New()}
	if m.maxAttempts == 0 {
		m.maxAttempts = defaultMaxAttempts
	}
	m.classify = m.standard()
	return m
}

func (m *modelRetryer) standard() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = m.maxAttempts
		// A refusal stays one, also where the SDK wraps it as a failure to send,
		// which it would retry.
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(notPolicy)}, o.Retryables...)
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

func notPolicy(err error) aws.Ternary {
	var p *PolicyError
	if errors.As(err, &p) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// bucketOf finds the bucket of the call's model.
func (m *modelRetryer) bucketOf(ctx context.Context) *bucket {
	var model string
	if st := stateOf(ctx); st != nil {
		model = st.call.Model.ID
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
	b := &bucket{model: model, rate: retry.NewAdaptiveMode(), quota: m.standard()}
	m.buckets[model] = m.recent.PushFront(b)
	return b
}

// IsErrorRetryable implements aws.Retryer.
func (m *modelRetryer) IsErrorRetryable(err error) bool { return m.classify.IsErrorRetryable(err) }

// MaxAttempts implements aws.Retryer.
func (m *modelRetryer) MaxAttempts() int { return m.maxAttempts }

// RetryDelay is the SDK's backoff, or longer where the answer asks for it.
func (m *modelRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	delay, delayErr := m.classify.RetryDelay(max(attempt, 1), err)
	return max(delay, retryAfter(err, time.Now())), delayErr
}

// GetAttemptToken waits for the model's rate limit.
func (m *modelRetryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	b, st := m.bucketOf(ctx), stateOf(ctx)
	st.pause()
	limited, err := b.rate.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	st.resume()
	refill, err := b.quota.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	if st != nil {
		st.attempt.limited = limited
		return refill, nil
	}
	return func(opErr error) error { return errors.Join(limited(opErr), refill(opErr)) }, nil
}

// retryStep runs the SDK's retry loop, and tells the rate limit about each
// attempt: the loop itself tells it about the first alone where the environment
// switches the SDK's new retries on (core v1.47.7, aws/retry/middleware.go).
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
	next = &st.attempt
	return s.Attempt.HandleFinalize(ctx, in, next)
}

// attempt is the rest of the stack, of which the retry loop makes several passes.
type attempt struct {
	st      *state
	next    middleware.FinalizeHandler
	limited func(error) error
}

// HandleFinalize implements middleware.FinalizeHandler.
func (a *attempt) HandleFinalize(ctx context.Context, in middleware.FinalizeInput) (
	out middleware.FinalizeOutput, metadata middleware.Metadata, err error,
) {
	a.st.seal.attempt()
	out, metadata, err = a.next.HandleFinalize(ctx, in)
	if err != nil && retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary {
		a.st.throttled++
	}
	if a.limited != nil {
		if limitErr := a.limited(err); err == nil {
			err = limitErr
		}
		a.limited = nil
	}
	return out, metadata, err
}

// GetRetryToken spends of the model's quota, unless there is no time left for a
// retry.
func (m *modelRetryer) GetRetryToken(ctx context.Context, opErr error) (func(error) error, error) {
	wait := retryAfter(opErr, time.Now())
	if wait > maxRetryAfter {
		return nil, fmt.Errorf("securebedrock: not sent again: the answer asks to wait for %v, and more than %v is not waited for", wait, maxRetryAfter)
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) < wait {
		return nil, fmt.Errorf("securebedrock: not sent again: the answer asks to wait for %v, which is past the call's deadline", wait)
	}
	token, err := m.bucketOf(ctx).quota.GetRetryToken(ctx, opErr)
	if err == nil {
		stateOf(ctx).pause()
	}
	return token, err
}

// GetInitialToken implements aws.Retryer. The SDK calls GetAttemptToken instead.
func (m *modelRetryer) GetInitialToken() func(error) error { return func(error) error { return nil } }

// maxRetryAfter bounds the wait that an answer can ask for.
const maxRetryAfter = time.Minute

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
