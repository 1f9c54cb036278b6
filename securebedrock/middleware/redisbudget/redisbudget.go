// Package redisbudget keeps a middleware.Budget in Redis, so that many processes
// share it.
//
//	store, err := redisbudget.New(redis.NewClient(&redis.Options{Addr: "…", TLSConfig: …}), redisbudget.Options{})
//	budget, err := middleware.Budget(middleware.BudgetOptions{Window: time.Hour, Tokens: 2_000_000, Store: store})
//
// It holds counts under the budget's name and key, and nothing of a call. A key
// lives for its window and an hour more. Each operation is one Lua script of one
// key, which Redis runs whole, on a single server or a cluster; the windows are
// those of the Redis server's clock.
package redisbudget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// Options of a Store.
type Options struct {
	// Prefix of the keys. Empty: "securebedrock:budget:".
	Prefix string
	// Timeout bounds one operation. Zero: 2 s.
	Timeout time.Duration
}

// Store is a middleware.Store in Redis.
type Store struct {
	client  redis.Scripter
	prefix  string
	timeout time.Duration
	reserve *redis.Script
	settle  *redis.Script
}

// New makes a Store of a client, which stays the caller's to close. Errors of New
// wrap securebedrock.ErrConfig.
func New(client redis.Scripter, opts Options) (*Store, error) {
	if client == nil || opts.Timeout < 0 {
		return nil, fmt.Errorf("%w: redisbudget: a client and a timeout that is not negative are needed", securebedrock.ErrConfig)
	}
	if opts.Prefix == "" {
		opts.Prefix = "securebedrock:budget:"
	}
	if opts.Timeout == 0 {
		opts.Timeout = 2 * time.Second
	}
	return &Store{client: client, prefix: opts.Prefix, timeout: opts.Timeout, reserve: redis.NewScript(reserveScript), settle: redis.NewScript(settleScript)}, nil
}

// A hash holds the window's number and what was spent in it. Numbers in Lua are
// doubles, exact to 2^53, which is nine thousand million of the currency; HINCRBY is
// exact to 2^63.
const reserveScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local window = tonumber(ARGV[1])
local id = math.floor(now / window)
if redis.call('HGET', KEYS[1], 'w') ~= string.format('%.0f', id) then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'w', string.format('%.0f', id))
end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', window + 3600000))
local tokens = tonumber(redis.call('HGET', KEYS[1], 't') or '0')
local cost = tonumber(redis.call('HGET', KEYS[1], 'c') or '0')
local maxt, maxc = tonumber(ARGV[2]), tonumber(ARGV[3])
if (maxt > 0 and tokens + tonumber(ARGV[4]) > maxt) or (maxc > 0 and cost + tonumber(ARGV[5]) > maxc) then
  return {0, id}
end
redis.call('HINCRBY', KEYS[1], 't', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'c', ARGV[5])
return {1, id}
`

const settleScript = `
if redis.call('HGET', KEYS[1], 'w') == ARGV[1] then
  redis.call('HINCRBY', KEYS[1], 't', ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'c', ARGV[3])
end
return 1
`

var errAnswer = errors.New("redisbudget: Redis gave another answer than the script's")

// Reserve implements middleware.Store.
func (s *Store) Reserve(ctx context.Context, key string, window time.Duration, limit, amount middleware.Amount) (middleware.Window, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	millis := max(window.Milliseconds(), 1)
	got, err := s.reserve.Run(ctx, s.client, []string{s.prefix + key}, millis, limit.Tokens, limit.Cost, amount.Tokens, amount.Cost).Int64Slice()
	if err != nil {
		return middleware.Window{}, false, fmt.Errorf("redisbudget: %w", err)
	}
	if len(got) != 2 {
		return middleware.Window{}, false, errAnswer
	}
	return middleware.Window{ID: got[1], Ends: time.UnixMilli((got[1] + 1) * millis)}, got[0] == 1, nil
}

// Settle implements middleware.Store.
func (s *Store) Settle(ctx context.Context, key string, _ time.Duration, w middleware.Window, amount middleware.Amount) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.settle.Run(ctx, s.client, []string{s.prefix + key}, w.ID, amount.Tokens, amount.Cost).Err(); err != nil {
		return fmt.Errorf("redisbudget: %w", err)
	}
	return nil
}
