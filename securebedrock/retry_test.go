package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func ofModel(model string) context.Context {
	return middleware.WithStackValue(context.Background(), exchangeKey{}, &exchange{call: Call{Model: Model{ID: model}}})
}

// play plays one attempt that ends with err.
func play(t *testing.T, r *modelRetryer, model string, err error) {
	t.Helper()
	ctx := ofModel(model)
	d := deliveryOf(ctx)
	release, tokenErr := r.GetAttemptToken(ctx)
	if tokenErr != nil {
		t.Fatal(tokenErr)
	}
	d.rate.note(err, time.Now())
	if err := release(err); err != nil {
		t.Fatal(err)
	}
}

// After 500 throttles and 100 successes a call is retried again; with the SDK's
// own adaptive mode it is not.
func TestRetryQuotaRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttled := &types.ThrottlingException{}
		spend := func(token func(context.Context, error) (func(error) error, error)) (spent int) {
			for range 500 {
				if _, err := token(ofModel("m"), throttled); err == nil {
					spent++
				}
			}
			return spent
		}
		ours := newRetryer(Retry{})
		if n := spend(ours.GetRetryToken); n != 100 {
			t.Errorf("the quota paid for %d retries, want 100", n)
		}
		for range 100 {
			play(t, ours, "m", nil)
		}
		if _, err := ours.GetRetryToken(ofModel("m"), throttled); err != nil {
			t.Errorf("ours does not recover: %v", err)
		}
		sdk := retry.NewAdaptiveMode()
		spend(sdk.GetRetryToken)
		for range 100 {
			release, err := sdk.GetAttemptToken(ofModel("m"))
			if err != nil {
				t.Fatal(err)
			}
			_ = release(nil)
		}
		if _, err := sdk.GetRetryToken(ofModel("m"), throttled); err == nil {
			t.Error("the SDK's adaptive mode recovers now: ours may go")
		}
	})
}

// A throttled model waits, and another one beside it does not.
func TestBucketsAreAModelsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRetryer(Retry{})
		throttled := &types.ThrottlingException{}
		elapsed := func(model string, err error) time.Duration {
			start := time.Now()
			for range 20 {
				play(t, r, model, err)
			}
			return time.Since(start)
		}
		if d := elapsed("a", throttled); d < time.Second {
			t.Errorf("20 throttled calls took %v: the bucket does not limit", d)
		}
		if d := elapsed("b", nil); d != 0 {
			t.Errorf("the other model waited %v", d)
		}
		for range 100 {
			_, _ = r.GetRetryToken(ofModel("a"), throttled)
		}
		if _, err := r.GetRetryToken(ofModel("b"), throttled); err != nil {
			t.Errorf("the other model's quota is spent: %v", err)
		}
	})
}

// The number of models that are remembered is bounded, and the one longest
// unused goes first.
func TestBucketsAreBounded(t *testing.T) {
	r := newRetryer(Retry{})
	first := r.bucketOf(ofModel("first"))
	for i := range maxBuckets - 1 {
		r.bucketOf(ofModel(fmt.Sprint(i)))
	}
	if r.bucketOf(ofModel("first")) != first {
		t.Error("the first model was forgotten within the bound")
	}
	r.bucketOf(ofModel("one more"))
	if r.bucketOf(ofModel("first")) != first {
		t.Error("the model used last was forgotten")
	}
	if _, has := r.buckets["0"]; has || len(r.buckets) != maxBuckets || r.recent.Len() != maxBuckets {
		t.Errorf("%d buckets and %d in the list", len(r.buckets), r.recent.Len())
	}
}

func TestWhatIsRetried(t *testing.T) {
	r := newRetryer(Retry{})
	for _, row := range []struct {
		name string
		err  error
		want bool
	}{
		{"a throttle", &types.ThrottlingException{}, true},
		{"a lost connection", &smithyhttp.RequestSendError{Err: errors.New("reset")}, true},
		{"silence before all is sent", &smithyhttp.RequestSendError{Err: &TimeoutError{Rule: ErrReadTimeout}}, true},
		{"silence when all is sent", &smithyhttp.RequestSendError{Err: &TimeoutError{Rule: ErrReadTimeout, sent: true}}, false},
		{"a daily quota", &types.ThrottlingException{Message: aws.String("Too many tokens per day, please wait before trying again.")}, false},
		{"a refusal", refuse(ErrResidency, ""), false},
		{"a refusal while sending", &smithyhttp.RequestSendError{Err: refuse(ErrEndpoint, "")}, false},
		{"a validation error", &types.ValidationException{}, false},
		{"an access error", &types.AccessDeniedException{}, false},
		{"a cancelled context", context.Canceled, false},
	} {
		if got := r.IsErrorRetryable(row.err); got != row.want {
			t.Errorf("%s: retried %v", row.name, got)
		}
	}
	if n := newRetryer(Retry{MaxAttempts: 7}).MaxAttempts(); n != 7 {
		t.Errorf("%d attempts", n)
	}
	if n := r.MaxAttempts(); n != 3 {
		t.Errorf("%d attempts by default", n)
	}
}
