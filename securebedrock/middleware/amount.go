package middleware

import (
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Amount is what calls spend. Cost is in millionths of the owner's currency, so
// that sums are exact.
type Amount struct{ Tokens, Cost int64 }

// Minus returns the difference of two amounts.
func (a Amount) Minus(b Amount) Amount { return Amount{a.Tokens - b.Tokens, a.Cost - b.Cost} }

// of says an amount in the units that a limit has.
func (a Amount) of(limit Amount) string {
	switch {
	case limit.Cost == 0:
		return fmt.Sprintf("%d tokens", a.Tokens)
	case limit.Tokens == 0:
		return fmt.Sprintf("a cost of %d", a.Cost)
	}
	return fmt.Sprintf("%d tokens and a cost of %d", a.Tokens, a.Cost)
}

// plus is for amounts that are not negative; it stops at the largest number.
func (a Amount) plus(b Amount) Amount { return Amount{add(a.Tokens, b.Tokens), add(a.Cost, b.Cost)} }

// fits says whether amount may be spent beside what is spent. A limit of zero is
// none. A limit that is reached lets nothing pass, not even an amount of zero.
func (a Amount) fits(limit, spent Amount) bool {
	return (limit.Tokens == 0 || spent.Tokens < limit.Tokens && a.Tokens <= limit.Tokens-spent.Tokens) &&
		(limit.Cost == 0 || spent.Cost < limit.Cost && a.Cost <= limit.Cost-spent.Cost)
}

// Price is the price of a model, in millionths of the owner's currency for a
// million tokens: 3 USD for a million tokens is 3_000_000.
type Price struct {
	// Model is a model identifier, an ID or an ARN, in any spelling (see the
	// package documentation). '*' matches any run of characters. The first Price
	// that matches the model and the tier applies.
	Model string
	// Tier is the service tier of the Price: "default", "priority", "flex" or
	// "reserved". '*' matches as in Model. Empty: every tier except "priority" and
	// tiers that AWS adds later. Those can cost more and need a Price that names
	// them.
	Tier string
	// CacheWrite is the price of tokens that are written to the cache for five
	// minutes.
	Input, Output, CacheRead, CacheWrite int64
	// CacheWrite1h is the price of tokens that are written to the cache for an
	// hour, or for another time that AWS adds. Zero: 1.6 times CacheWrite, which is
	// the ratio of AWS's prices (1.25 and 2 times Input).
	CacheWrite1h int64
}

// amount rounds a call's cost up to the next millionth. What the usage does not
// tell for how long it was cached is taken for an hour's where hour is true.
func (p Price) amount(u securebedrock.Usage, hour bool) Amount {
	const million = 1_000_000
	writes, long := max(u.CacheWriteTokens, 0), max(u.CacheWrite1hTokens, 0)
	if told := add(long, max(u.CacheWrite5mTokens, 0)); told > writes {
		writes = told
	} else if hour {
		long += writes - told
	}
	long = min(long, writes)
	var sum, cost int64
	for _, part := range [...]struct{ tokens, price int64 }{
		{u.InputTokens, p.Input}, {u.OutputTokens, p.Output}, {u.CacheReadTokens, p.CacheRead},
		{writes - long, p.CacheWrite}, {long, p.hourly()},
	} {
		n := max(part.tokens, 0)
		sum, cost = add(sum, n), add(cost, multiply(n, part.price))
	}
	return Amount{Tokens: max(u.TotalTokens, sum), Cost: cost/million + min(cost%million, 1)}
}

// hourly is the price of a token that is cached for an hour.
func (p Price) hourly() int64 {
	if p.CacheWrite1h > 0 {
		return p.CacheWrite1h
	}
	return add(p.CacheWrite, add(multiply(p.CacheWrite/5, 3), (p.CacheWrite%5*3+4)/5))
}

// fits says whether the Price is for a call of a model in a tier.
func (p Price) fits(model, name, tier string) bool {
	if !matches(p.Model, model) && !matches(p.Model, name) && (!strings.HasPrefix(p.Model, "arn:") || !matches(nameOf(p.Model), name)) {
		return false
	}
	if p.Tier != "" {
		if tier == "" {
			tier = defaultTier
		}
		return matches(p.Tier, tier)
	}
	return tier == "" || tier == defaultTier || tier == "flex" || tier == "reserved"
}

// defaultTier is the service tier of a call that asks for none.
const defaultTier = "default"

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
