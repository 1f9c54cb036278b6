package modelretry

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

type callKey struct{}

type modelCall struct {
	model string
	call  Call
}

// ofModel is a context of a call of its own.
func ofModel(model string) context.Context {
	return context.WithValue(context.Background(), callKey{}, &modelCall{model: model})
}

func callOf(ctx context.Context) *Call { return &ctx.Value(callKey{}).(*modelCall).call }

func newRetryer(o Options) *Retryer {
	o.Final = func(error) bool { return false }
	o.Call = func(ctx context.Context) (string, *Call) { return ctx.Value(callKey{}).(*modelCall).model, callOf(ctx) }
	o.Deadline = func(context.Context) error { return context.DeadlineExceeded }
	return New(o)
}

// play plays one attempt that ends with err.
func play(t *testing.T, r *Retryer, model string, err error) {
	t.Helper()
	ctx := ofModel(model)
	d := callOf(ctx)
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
		ours := newRetryer(Options{})
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
		r := newRetryer(Options{})
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
	r := newRetryer(Options{})
	first := r.bucketOf("first")
	for i := range maxBuckets - 1 {
		r.bucketOf(fmt.Sprint(i))
	}
	if r.bucketOf("first") != first {
		t.Error("the first model was forgotten within the bound")
	}
	r.bucketOf("one more")
	if r.bucketOf("first") != first {
		t.Error("the model used last was forgotten")
	}
	if _, has := r.buckets["0"]; has || len(r.buckets) != maxBuckets || r.recent.Len() != maxBuckets {
		t.Errorf("%d buckets and %d in the list", len(r.buckets), r.recent.Len())
	}
}
