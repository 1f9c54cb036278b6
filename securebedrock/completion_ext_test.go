package securebedrock_test

import (
	"context"
	"sync"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// OnDone runs each function once, whether it is registered before or after.
func TestOnDoneOnce(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var mu sync.Mutex
	count := map[string]int{}
	note := func(name string) func(securebedrock.Outcome) {
		return func(securebedrock.Outcome) { mu.Lock(); count[name]++; mu.Unlock() }
	}
	var kept *securebedrock.Result
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		res, err := next(ctx, call)
		res.OnDone(note("early"))
		kept = res
		return res, err
	}))
	out, err := c.ConverseStream(t.Context(), converseStream("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(out.GetStream()); err != nil {
		t.Fatal(err)
	}
	out.GetStream().Close()
	settled(t, "early", func() bool { mu.Lock(); defer mu.Unlock(); return count["early"] == 1 })
	kept.OnDone(note("late"))
	(&securebedrock.Result{}).OnDone(note("own"))
	if count["early"] != 1 || count["late"] != 1 || count["own"] != 1 {
		t.Errorf("%v", count)
	}
}

// The outcome of a failed call says how often it was sent, and why it failed.
func TestOutcomeOfFailures(t *testing.T) {
	for _, row := range []struct {
		name     string
		fault    bedrocktest.Fault
		attempts int
		ok       bool
	}{
		{"throttled once", bedrocktest.Throttle(1), 2, true},
		{"throttled for good", bedrocktest.Throttle(9), 3, false},
		{"a server error once", bedrocktest.ServerError(503, 1), 2, true},
		{"overloaded once", bedrocktest.Error(529, "overloaded_error", "try again"), 2, true},
		{"a lost connection", bedrocktest.Drop(), 2, true},
		{"a validation error", bedrocktest.Error(400, "ValidationException", "bad"), 1, false},
		{"an access error", bedrocktest.Error(403, "AccessDeniedException", "no"), 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := bedrocktest.NewServer(t)
			server.Fail("Converse", row.fault)
			rec := new(recorder)
			c := newClient(t, server, rec.option)
			_, err := c.Converse(t.Context(), converse("hello"))
			r := rec.one(t)
			if (err == nil) != row.ok || r.outcome.Attempts != row.attempts || (r.outcome.Err == nil) != row.ok || r.outcome.Canceled {
				t.Errorf("%v, outcome %+v", err, r.outcome)
			}
		})
	}
}
