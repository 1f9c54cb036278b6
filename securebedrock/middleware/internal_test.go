package middleware

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// What an Outcome of 100 input tokens costs where 300 and 700 were estimated.
func TestSpent(t *testing.T) {
	type outcome = securebedrock.Outcome
	estimate := securebedrock.Usage{InputTokens: 300, OutputTokens: 700}
	broken, service := errors.New("broken"), &smithy.GenericAPIError{Code: "ThrottlingException"}
	count := func(out int64) securebedrock.Usage { return securebedrock.Usage{InputTokens: 100, OutputTokens: out} }
	for _, row := range []struct {
		name string
		e    ending
		want int64
	}{
		{"a whole answer costs its count", ending{Outcome: outcome{Attempts: 1, Usage: count(50)}}, 150},
		{"one that was not let pass costs it too", ending{Outcome: outcome{Attempts: 1, Usage: count(50), StopReason: "end_turn", Err: broken}}, 150},
		{"a broken stream costs its input's count and its answer's estimate", ending{Outcome: outcome{Attempts: 1, Events: 2, Usage: count(1), Err: broken}}, 800},
		{"a closed one too", ending{Outcome: outcome{Attempts: 1, Events: 2, Usage: count(1), Canceled: true}}, 800},
		{"and its answer's count where that is larger", ending{Outcome: outcome{Attempts: 1, Events: 2, Usage: count(900), Canceled: true}}, 1000},
		{"one that was closed after its end costs its count", ending{Outcome: outcome{Attempts: 1, Events: 2, Usage: count(1), StopReason: "end_turn", Canceled: true}}, 101},
		{"an exception inside a stream keeps the estimate", ending{Outcome: outcome{Attempts: 1, Events: 2, Err: service}}, 1000},
		{"a service's error costs nothing", ending{Outcome: outcome{Attempts: 1, Err: service}}, 0},
		{"an answer without a count keeps the estimate", ending{Outcome: outcome{Attempts: 1}}, 1000},
		{"what was not sent costs nothing", ending{Outcome: outcome{Err: broken}}, 0},
		{"a panic keeps the estimate", ending{panicked: true}, 1000},
	} {
		if got := spent(Price{}, row.e, estimate, Price{}.amount(estimate, false), false); got.Tokens != row.want {
			t.Errorf("%s: %d, want %d", row.name, got.Tokens, row.want)
		}
	}
}

// Costs are whole millionths, rounded up once a call, and stop at the largest number.
func TestAmounts(t *testing.T) {
	p := Price{Input: 3_000_000, Output: 15_000_000, CacheRead: 300_000, CacheWrite: 3_750_000}
	for _, row := range []struct {
		usage securebedrock.Usage
		want  Amount
	}{
		{securebedrock.Usage{InputTokens: 1_000_000}, Amount{1_000_000, 3_000_000}},
		{securebedrock.Usage{InputTokens: 1, OutputTokens: 1, CacheReadTokens: 1, CacheWriteTokens: 1, TotalTokens: 2}, Amount{4, 23}},
		{securebedrock.Usage{CacheReadTokens: 10}, Amount{10, 3}},
		{securebedrock.Usage{InputTokens: -5, TotalTokens: -5}, Amount{}},
		{securebedrock.Usage{TotalTokens: 9}, Amount{Tokens: 9}},
		{securebedrock.Usage{InputTokens: 1 << 62, OutputTokens: 1 << 62}, Amount{1<<63 - 1, (1<<63-1)/1_000_000 + 1}},
	} {
		if got := p.amount(row.usage, false); got != row.want {
			t.Errorf("%+v: %+v, want %+v", row.usage, got, row.want)
		}
	}
	for _, row := range []struct {
		pattern, s string
		want       bool
	}{
		{"a.b", "a.b", true}, {"a.b", "a.bc", false}, {"a.*", "a.b", true}, {"*", "", true}, {"*.b", "a.b", true}, {"a*c*e", "abcde", true}, {"a*c*e", "abde", false}, {"ab*ba", "aba", false},
	} {
		if matches(row.pattern, row.s) != row.want {
			t.Errorf("%q of %q is not %t", row.pattern, row.s, row.want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, one := NewMemory(), Amount{Tokens: 1}
		m.most = 100
		for i := range 101 {
			if _, _, err := m.Reserve(t.Context(), strconv.Itoa(i), time.Second, one, one); (err != nil) != (i == 100) {
				t.Errorf("key %d: %v", i, err)
			}
		}
		if _, ok, err := m.Reserve(t.Context(), "7", time.Second, one, one); ok || err != nil {
			t.Errorf("a key that is held: %t, %v", ok, err)
		}
		time.Sleep(time.Minute)
		if _, _, err := m.Reserve(t.Context(), "new", time.Second, one, one); err != nil || len(m.keys) != 1 {
			t.Errorf("when the windows are over, %d keys are held: %v", len(m.keys), err)
		}
	})
}

// A clock that is set back neither empties the budget nor opens an old one.
func TestMemoryOfAClockThatIsSetBack(t *testing.T) {
	m, limit := NewMemory(), Amount{Tokens: 10}
	if _, ok, _ := m.Reserve(t.Context(), "k", time.Hour, limit, limit); !ok {
		t.Fatal("refused")
	}
	s := m.keys[memoryKey{"k", time.Hour}]
	s.ends = s.ends.Add(24 * time.Hour) // as if it was reserved tomorrow
	if r, ok, _ := m.Reserve(t.Context(), "k", time.Hour, limit, Amount{Tokens: 1}); ok || !r.Ends.Equal(s.ends) {
		t.Errorf("%t, until %v", ok, r.Ends)
	}
}
