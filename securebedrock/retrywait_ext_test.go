package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// together makes so many calls at once and returns their errors and how long it
// took until the last was over.
func together(t *testing.T, c *securebedrock.Client, n int, stream bool) ([]error, time.Duration) {
	errs := make([]error, n)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			if stream {
				_, errs[i] = c.ConverseStream(t.Context(), converseStream("hello"))
				return
			}
			_, errs[i] = c.Converse(t.Context(), converse("hello"))
		})
	}
	wg.Wait()
	return errs, time.Since(start)
}

func isThrottled(err error) bool {
	var throttle *types.ThrottlingException
	return errors.As(err, &throttle)
}

// The callers of a model whose quota is gone are all over within Retry.MaxWait and
// an attempt, each with the throttle.
func TestCallersOfAThrottledModelDoNotPileUp(t *testing.T) {
	for _, stream := range []bool{false, true} {
		t.Run(fmt.Sprintf("stream %v", stream), func(t *testing.T) {
			t.Parallel()
			handler, _ := failing(1<<30, 429, "ThrottlingException")
			c := handled(t, handler, func(o *opts) { o.Retry.MaxWait = 3 * time.Second })
			errs, took := together(t, c, 40, stream)
			if took > 10*time.Second {
				t.Errorf("the last caller was over after %v", took)
			}
			for _, err := range errs {
				if !isThrottled(err) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

// Close ends the waits, with the throttle in the error.
func TestCloseEndsWaits(t *testing.T) {
	for _, row := range []struct {
		name   string
		header []string
	}{
		{"for the rate limit", nil},
		{"that Retry-After asks for", []string{"Retry-After", "15"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			handler, seen := failing(1<<30, 429, "ThrottlingException", row.header...)
			c := handled(t, handler)
			go func() {
				for seen.Load() == 0 {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(300 * time.Millisecond)
				c.Close()
			}()
			errs, took := together(t, c, 10, false)
			if took > 5*time.Second {
				t.Errorf("the last caller was over after %v", took)
			}
			waited := 0
			for _, err := range errs {
				if !isThrottled(err) {
					t.Errorf("got %v", err)
				}
				if errors.Is(err, securebedrock.ErrClosed) {
					waited++
					refusedBy(t, err, securebedrock.ErrClosed)
				}
			}
			if waited == 0 {
				t.Error("no call was waiting, which shows nothing")
			}
		})
	}
}

// A call whose wait would pass its deadline fails at once, with the throttle, also
// one that was never sent.
func TestWaitPastTheDeadline(t *testing.T) {
	for _, row := range []struct {
		name  string
		call  time.Duration // Timeouts.Call
		ctx   time.Duration
		rule  error
		other error
	}{
		{"of Timeouts.Call", time.Second, 0, securebedrock.ErrCallTimeout, nil},
		{"of the caller", 0, time.Second, context.DeadlineExceeded, securebedrock.ErrCallTimeout},
		{"of the caller, before that of Timeouts.Call", 9 * time.Second, time.Second, context.DeadlineExceeded, securebedrock.ErrCallTimeout},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			handler, seen := failing(1<<30, 429, "ThrottlingException")
			c := handled(t, handler, func(o *opts) { o.Timeouts.Call = row.call })
			call := func() error {
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if row.ctx > 0 {
					ctx, cancel = context.WithTimeout(ctx, row.ctx)
				}
				defer cancel()
				_, err := c.Converse(ctx, converse("hello"))
				return err
			}
			if err := c.Warm(t.Context()); err != nil { // no handshake in what is measured
				t.Fatal(err)
			}
			sent := seen.Load()
			for range 3 {
				start := time.Now()
				err := call()
				if d := time.Since(start); d > 4*time.Second {
					t.Errorf("it took %v", d)
				}
				if !isThrottled(err) || !errors.Is(err, row.rule) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				if row.other != nil && errors.Is(err, row.other) {
					t.Errorf("it is also %v: %v", row.other, err)
				}
			}
			if n := seen.Load() - sent; n > 2 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// A quota of the day is not asked for again, and slows no other call.
func TestDailyQuotaIsNotSentAgain(t *testing.T) {
	seen := 0
	var mu sync.Mutex
	r := new(recorder)
	c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		mu.Lock()
		seen++
		mu.Unlock()
		w.Header().Set("X-Amzn-Errortype", "ThrottlingException")
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, `{"message":"Too many tokens per day, please wait before trying again."}`)
	}), r.option)
	start := time.Now()
	for range 3 {
		if _, err := c.Converse(t.Context(), converse("hello")); !isThrottled(err) {
			t.Errorf("got %v", err)
		}
	}
	if d := time.Since(start); d > 1500*time.Millisecond {
		t.Errorf("three calls took %v", d)
	}
	if seen != 3 {
		t.Errorf("sent %d times for 3 calls", seen)
	}
	if o := r.records[0].outcome; o.Throttled != 1 || o.Attempts != 1 {
		t.Errorf("throttled %d of %d", o.Throttled, o.Attempts)
	}
}

// With a short Retry.MaxBackoff, as bedrocktest sets it, a throttle costs no seconds.
func TestMaxBackoff(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("Converse", bedrocktest.Throttle(4))
	c := newClient(t, server, func(o *opts) { o.Retry.MaxAttempts = 5 })
	start := time.Now()
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > 1500*time.Millisecond {
		t.Errorf("four throttles took %v", d)
	}
}

// The SDK's new retries do not wait once more for what was waited for already.
func TestRetryAfterIsWaitedForOnce(t *testing.T) {
	t.Setenv("AWS_NEW_RETRIES_2026", "true")
	handler, _ := failing(1, 429, "ThrottlingException", "X-Amz-Retry-After", "1500")
	c := handled(t, handler, func(o *opts) { o.Retry.MaxBackoff = 10 * time.Millisecond })
	start := time.Now()
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d < 1500*time.Millisecond || d > 2800*time.Millisecond {
		t.Errorf("it took %v", d)
	}
}
