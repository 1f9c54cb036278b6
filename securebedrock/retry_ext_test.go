package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// failing answers the first n requests with a status, an error and headers, and
// then well.
func failing(n int, status int, code string, header ...string) (http.Handler, *atomic.Int32) {
	seen := new(atomic.Int32)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if int(seen.Add(1)) > n {
			unproven(w, r)
			return
		}
		io.Copy(io.Discard, r.Body)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message":"no"}`)
	}), seen
}

func TestAttemptsAreBoundedAndChosen(t *testing.T) {
	for _, row := range []struct {
		status int
		code   string
		sends  int
	}{
		{429, "ThrottlingException", 3},
		{429, "ModelNotReadyException", 3},
		{429, "ANewThrottle", 3},
		{408, "ModelTimeoutException", 3},
		{500, "InternalServerException", 3},
		{503, "ServiceUnavailableException", 3},
		{529, "overloaded_error", 3},
		{400, "ValidationException", 1},
		{400, "ServiceQuotaExceededException", 1},
		{403, "AccessDeniedException", 1},
		{403, "ExpiredTokenException", 1},
		{404, "ResourceNotFoundException", 1},
		{424, "ModelErrorException", 1},
	} {
		for _, environment := range []string{"", "true"} {
			if environment != "" && row.code != "ThrottlingException" && row.status != 500 && row.status != 400 {
				continue // each of the others waits for two seconds
			}
			t.Run(fmt.Sprintf("%d %s, the SDK's new retries %q", row.status, row.code, environment), func(t *testing.T) {
				t.Setenv("AWS_NEW_RETRIES_2026", environment)
				t.Setenv("AWS_MAX_ATTEMPTS", "9")
				handler, seen := failing(100, row.status, row.code)
				r := new(recorder)
				c := handled(t, handler, r.option)
				if _, err := c.Converse(t.Context(), converse("hello")); err == nil {
					t.Fatal("no error")
				}
				o := r.one(t).outcome
				if n := int(seen.Load()); n != row.sends || o.Attempts != row.sends {
					t.Errorf("the server saw %d requests and the Outcome says %d, want %d", n, o.Attempts, row.sends)
				}
				throttled := 0
				if row.code == "ThrottlingException" {
					throttled = 3
				}
				if o.Throttled != throttled {
					t.Errorf("throttled %d times, want %d", o.Throttled, throttled)
				}
				if waited := o.Wait > 0; waited != (row.sends > 1) || o.Wait > o.Latency {
					t.Errorf("waited %v of %v", o.Wait, o.Latency)
				}
			})
		}
	}
}

// A throttled model's rate limit makes the second attempt wait for two seconds of
// its own.
func TestRetryAfter(t *testing.T) {
	for _, row := range []struct {
		name, header, value string
		call                time.Duration
		sends               int
		atLeast, atMost     time.Duration
	}{
		{"in seconds", "Retry-After", "4", 0, 2, 4 * time.Second, 10 * time.Second},
		{"as a date", "Retry-After", "in 6s", 0, 2, 4 * time.Second, 12 * time.Second},
		{"in milliseconds", "X-Amz-Retry-After", "4000", 0, 2, 4 * time.Second, 10 * time.Second},
		{"a date that has passed", "Retry-After", "in -1h", 0, 2, 0, 3500 * time.Millisecond},
		{"no number", "Retry-After", "soon", 0, 2, 0, 3500 * time.Millisecond},
		{"a negative number", "Retry-After", "-5", 0, 2, 0, 3500 * time.Millisecond},
		{"longer than is waited for", "Retry-After", "21", 0, 1, 0, 2 * time.Second},
		{"longer than is waited for, in milliseconds", "X-Amz-Retry-After", "21000", 0, 1, 0, 2 * time.Second},
		{"longer than is waited for, as a date", "Retry-After", "in 30s", 0, 1, 0, 2 * time.Second},
		{"a number past all bounds", "Retry-After", strings.Repeat("9", 30), 0, 2, 0, 3500 * time.Millisecond},
		{"past the call's bound", "Retry-After", "15", 10 * time.Second, 1, 0, 2 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if text, ok := strings.CutPrefix(row.value, "in "); ok {
				after, err := time.ParseDuration(text)
				if err != nil {
					t.Fatal(err)
				}
				row.value = time.Now().Add(after).UTC().Format(http.TimeFormat)
			}
			handler, seen := failing(1, 429, "ThrottlingException", row.header, row.value)
			r := new(recorder)
			c := handled(t, handler, r.option, func(o *opts) { o.Timeouts.Call = row.call })
			start := time.Now()
			_, err := c.Converse(t.Context(), converse("hello"))
			if d := time.Since(start); d < row.atLeast || d > row.atMost {
				t.Errorf("it took %v, want %v to %v", d, row.atLeast, row.atMost)
			}
			if n := int(seen.Load()); n != row.sends {
				t.Errorf("sent %d times, want %d", n, row.sends)
			}
			var throttle *types.ThrottlingException
			if failed := err != nil; failed != (row.sends == 1) || failed && !errors.As(err, &throttle) {
				t.Errorf("got %v", err)
			}
			if o := r.one(t).outcome; o.Throttled != 1 || row.atLeast > 0 && o.Wait < row.atLeast {
				t.Errorf("throttled %d times, waited %v", o.Throttled, o.Wait)
			}
		})
	}
}

// The call's bound holds over attempts and waits, and what was waited when it
// struck is in the Outcome.
func TestCallBoundsTheWaits(t *testing.T) {
	handler, _ := failing(100, 429, "ThrottlingException", "Retry-After", "1")
	r := new(recorder)
	c := handled(t, handler, r.option, func(o *opts) { o.Timeouts.Call, o.Retry.MaxAttempts = 2500*time.Millisecond, 50 })
	start := time.Now()
	_, err := c.Converse(t.Context(), converse("hello"))
	if d := time.Since(start); err == nil || d > 6*time.Second {
		t.Fatalf("after %v: %v", d, err)
	}
	if o := r.one(t).outcome; o.Attempts < 1 || o.Attempts > 3 || o.Wait < 500*time.Millisecond {
		t.Errorf("%d attempts, waited %v", o.Attempts, o.Wait)
	}
	blocked, seen := failing(1, 429, "ThrottlingException")
	r = new(recorder)
	c = handled(t, blocked, r.option)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for seen.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err = c.Converse(ctx, converse("hello"))
	if o := r.one(t).outcome; err != nil && !o.Canceled {
		t.Errorf("cancelled in a wait: %+v", o)
	}
}

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

// What was wholly sent on a connection that lives is not sent again where each send
// may be paid for.
func TestReadTimeoutIsNotSentAgain(t *testing.T) {
	type of = func(t *testing.T, c *securebedrock.Client) error
	unary := func(t *testing.T, c *securebedrock.Client) error {
		_, err := c.Converse(t.Context(), converse("hello"))
		return err
	}
	for _, row := range []struct {
		name, op string
		fault    bedrocktest.Fault
		resend   bool
		call     of
		sends    int
	}{
		{"Converse", "Converse", bedrocktest.StallHeaders(), false, unary, 1},
		{"Converse, half of whose answer came", "Converse", bedrocktest.StallStream(0), false, unary, 1},
		{"Converse with ResendAfterReadTimeout", "Converse", bedrocktest.StallHeaders(), true, unary, 2},
		{"ConverseStream", "ConverseStream", bedrocktest.StallHeaders(), false, func(t *testing.T, c *securebedrock.Client) error {
			_, err := c.ConverseStream(t.Context(), converseStream("hello"))
			return err
		}, 1},
		{"InvokeModel through Runtime", "InvokeModel", bedrocktest.StallHeaders(), false, func(t *testing.T, c *securebedrock.Client) error {
			_, err := c.Runtime().InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
			return err
		}, 1},
		{"ApplyGuardrail, which is paid for too", "ApplyGuardrail", bedrocktest.StallHeaders(), false, func(t *testing.T, c *securebedrock.Client) error {
			_, err := c.ApplyGuardrail(t.Context(), &bedrockruntime.ApplyGuardrailInput{
				GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"), Source: types.GuardrailContentSourceInput,
				Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("hello")}}}})
			return err
		}, 1},
		{"CountTokens, which is free", "CountTokens", bedrocktest.StallHeaders(), false, func(t *testing.T, c *securebedrock.Client) error {
			_, err := c.CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku),
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("hello")}}})
			return err
		}, 2},
	} {
		for _, http1 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/1.1 %v", row.name, http1), func(t *testing.T) {
				t.Parallel()
				var options []bedrocktest.Option
				if http1 {
					options = append(options, bedrocktest.WithHTTP1())
				}
				server := bedrocktest.NewServer(t, options...)
				server.Fail(row.op, row.fault)
				c := newClient(t, server, func(o *opts) {
					o.Timeouts.Read, o.Retry.ResendAfterReadTimeout = time.Second, row.resend
				})
				err := row.call(t, c)
				if n := len(calls(server, row.op)); n != row.sends {
					t.Errorf("sent %d times, want %d: %v", n, row.sends, err)
				}
				if row.sends == 1 && !errors.Is(err, securebedrock.ErrReadTimeout) || row.sends == 2 && err != nil {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}
