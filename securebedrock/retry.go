package securebedrock

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
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
		// Bedrock's overloaded_error, which AWS says to retry (User Guide,
		// troubleshooting-api-error-codes) and the SDK does not know.
		o.Retryables = append(o.Retryables, retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{529: {}}})
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

// RetryDelay implements aws.Retryer.
func (m *modelRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	return m.classify.RetryDelay(attempt, err)
}

// GetAttemptToken waits for the model's rate limit.
func (m *modelRetryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	b := m.bucketOf(ctx)
	limited, err := b.rate.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	refill, err := b.quota.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	return func(opErr error) error { return errors.Join(limited(opErr), refill(opErr)) }, nil
}

// GetRetryToken spends of the model's quota.
func (m *modelRetryer) GetRetryToken(ctx context.Context, opErr error) (func(error) error, error) {
	return m.bucketOf(ctx).quota.GetRetryToken(ctx, opErr)
}

// GetInitialToken implements aws.Retryer. The SDK calls GetAttemptToken instead.
func (m *modelRetryer) GetInitialToken() func(error) error { return func(error) error { return nil } }
