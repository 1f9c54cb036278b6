package modelretry

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
)

var errThrottled = &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Too many requests"}

// A model that has throttled once recovers: 40 callers who come at once are served
// within Retry.MaxWait, and the first of them has waited.
func TestRateLimitRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRetryer(Options{})
		play(t, r, "m", errThrottled)
		start := time.Now()
		var mu sync.Mutex
		var first time.Duration
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				ctx := ofModel("m")
				if _, err := r.GetAttemptToken(ctx); err != nil {
					t.Errorf("caller %d: %v", i, err)
					return
				}
				mu.Lock()
				if first == 0 {
					first = time.Since(start)
				}
				mu.Unlock()
				callOf(ctx).rate.note(nil, time.Now())
			})
		}
		wg.Wait()
		if first < time.Second {
			t.Errorf("the first was served after %v", first)
		}
	})
}

// A place in the line that is given up is nobody's.
func TestRateLimitPlacesAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRetryer(Options{MaxWait: time.Minute})
		play(t, r, "m", errThrottled)
		var cancels []context.CancelFunc
		var wg sync.WaitGroup
		for range 20 {
			ctx, cancel := context.WithCancel(ofModel("m"))
			cancels = append(cancels, cancel)
			wg.Go(func() {
				if _, err := r.GetAttemptToken(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		for _, cancel := range cancels {
			cancel()
		}
		wg.Wait()
		start := time.Now()
		if _, err := r.GetAttemptToken(ofModel("m")); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("a later call waited %v behind calls that are gone", d)
		}
	})
}
