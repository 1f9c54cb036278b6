package middleware

import (
	"math"
	"math/bits"
	"strings"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Amount is what calls spend. Cost is in millionths of the owner's currency, so
// that sums are exact.
type Amount struct{ Tokens, Cost int64 }

// Minus is the difference of two amounts.
func (a Amount) Minus(b Amount) Amount { return Amount{a.Tokens - b.Tokens, a.Cost - b.Cost} }

// plus is for amounts that are not negative; it stops at the largest number.
func (a Amount) plus(b Amount) Amount { return Amount{add(a.Tokens, b.Tokens), add(a.Cost, b.Cost)} }

// fits says whether amount may be spent beside what is spent. A limit of zero is
// none. A limit that is reached lets nothing pass, not even an amount of zero.
func (a Amount) fits(limit, spent Amount) bool {
	return (limit.Tokens == 0 || spent.Tokens < limit.Tokens && a.Tokens <= limit.Tokens-spent.Tokens) &&
		(limit.Cost == 0 || spent.Cost < limit.Cost && a.Cost <= limit.Cost-spent.Cost)
}

// Price is what a model costs, in millionths of the owner's currency for a million
// tokens: 3 USD for a million tokens is 3_000_000.
type Price struct {
	// Model is a model identifier as the caller writes it, an ID or an ARN; '*'
	// matches any run of characters. The first Price that matches counts.
	Model                                string
	Input, Output, CacheRead, CacheWrite int64
}

// amount rounds a call's cost up to the next millionth.
func (p Price) amount(u securebedrock.Usage) Amount {
	const million = 1_000_000
	var sum, cost int64
	for _, part := range [...]struct{ tokens, price int64 }{
		{u.InputTokens, p.Input}, {u.OutputTokens, p.Output}, {u.CacheReadTokens, p.CacheRead}, {u.CacheWriteTokens, p.CacheWrite},
	} {
		n := max(part.tokens, 0)
		sum, cost = add(sum, n), add(cost, multiply(n, part.price))
	}
	return Amount{Tokens: max(u.TotalTokens, sum), Cost: cost/million + min(cost%million, 1)}
}

// An estimate can be anything that a caller writes into max_tokens: a sum that ran
// over would be negative, and give the budget back.

func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func multiply(a, b int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi != 0 || lo > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(lo)
}

// matches is the pattern of securebedrock.Options.Models.
func matches(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}
