package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

// A stream is sent again before its first event, and never after it.
func TestStreamIsRetriedBeforeItsFirstEventOnly(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		sends int
		fails bool
	}{
		{"a throttle before it begins", bedrocktest.Throttle(1), 2, false},
		{"a connection lost before it begins", bedrocktest.Drop(), 2, false},
		{"a connection lost after events", bedrocktest.DropStream(2), 1, true},
		{"a throttle after events", bedrocktest.Exception(2, "throttlingException", "slow down"), 1, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			server.Fail("ConverseStream", row.fault)
			r := new(recorder)
			c := newClient(t, server, r.option)
			out, err := c.ConverseStream(t.Context(), converseStream("hello"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = drain(out.GetStream())
			if (err != nil) != row.fails {
				t.Errorf("the stream ended with %v", err)
			}
			out.GetStream().Close()
			o := r.one(t).outcome
			if n := len(calls(server, "ConverseStream")); n != row.sends || o.Attempts != row.sends {
				t.Errorf("sent %d times, the Outcome says %d, want %d", n, o.Attempts, row.sends)
			}
			if o.Events == 0 {
				t.Error("no events were counted")
			}
		})
	}
}

// The Outcome names the session that signed the call.
func TestOutcomeNamesThePrincipal(t *testing.T) {
	server := bedrocktest.NewServer(t)
	r := new(recorder)
	c := newClient(t, server, r.option)
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	one := r.one(t)
	if o := one.outcome; !strings.HasPrefix(o.Principal, "arn:aws:sts::") || !strings.Contains(o.Principal, ":assumed-role/") ||
		o.AccessKeyID != calls(server, "Converse")[0].AccessKeyID {
		t.Errorf("principal %q, key %q", o.Principal, o.AccessKeyID)
	}
	if host := strings.TrimPrefix(server.URL(), "https://"); one.call.Host != host {
		t.Errorf("host %q, want %q", one.call.Host, host)
	}
}

// A middleware that asks for a stream's events gets each of them, in order, as
// the caller does.
func TestOnEventSeesTheStream(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var kinds []string
	var text strings.Builder
	c := newClient(t, server, func(o *opts) {
		o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
			return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
				call.OnEvent = func(ev any) {
					kinds = append(kinds, fmt.Sprintf("%T", ev))
					if d, ok := ev.(*types.ContentBlockDeltaEvent); ok {
						text.WriteString(d.Delta.(*types.ContentBlockDeltaMemberText).Value)
					}
				}
				return next(ctx, call)
			}
		})
	})
	out, err := c.ConverseStream(t.Context(), converseStream("hello"))
	if err != nil {
		t.Fatal(err)
	}
	read, err := drain(out.GetStream())
	out.GetStream().Close()
	if err != nil || read == "" || text.String() != read {
		t.Errorf("the caller read %q and the middleware %q: %v", read, text.String(), err)
	}
	if len(kinds) < 5 || kinds[0] != "*types.MessageStartEvent" || kinds[len(kinds)-1] != "*types.ConverseStreamMetadataEvent" {
		t.Errorf("events %v", kinds)
	}
}
