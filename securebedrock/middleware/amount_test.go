package middleware

import (
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

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
